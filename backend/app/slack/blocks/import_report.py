"""What became of files that somebody shared with the coach."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.assistant.import_knowledge import Imported
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, actions, button, clipped, context, divider, foreign, plain, section

UNDO_ACTION = "import_undo_{position}"
UNDO_ACTIONS = re.compile(r"import_undo_\d+")
_SHOWN_TITLES = 10
_NAME = 150
_TITLE = 120


@dataclass(frozen=True)
class UndoWish:
    """What a button that takes an import back carries."""

    name: str
    slug: str
    author_id: str
    since: datetime
    until: datetime

    def to_json(self) -> str:
        return json.dumps(
            {
                "name": clipped(self.name, _NAME), "slug": self.slug, "author": self.author_id, "since": self.since.isoformat(),
                "until": self.until.isoformat(),
            },
            ensure_ascii=False,
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> "UndoWish":
        said = json.loads(text)
        since, until = datetime.fromisoformat(said["since"]), datetime.fromisoformat(said["until"])
        return cls(said["name"], said["slug"], said["author"], since, until)


def import_report(results: Sequence[Imported], language: Language, *, author_id: str) -> list[Block]:
    """One part per file: how many entries, their names, what went wrong, and the way back."""
    blocks: list[Block] = []
    for position, result in enumerate(results):
        blocks += [divider()] if blocks else []
        blocks += _result(result, position, language, author_id)
    if any(result.created or result.changed for result in results):
        blocks.append(context(message("imports.slack.found_soon", language)))
    return blocks


def summary_of(results: Sequence[Imported], language: Language) -> str:
    has_problems = any(result.problem is not None for result in results)
    if any(result.proposed for result in results):
        return message("imports.slack.reported_proposed", language)
    return message(f"imports.slack.{'reported_with_problems' if has_problems else 'reported'}", language)


def _result(result: Imported, position: int, language: Language, author_id: str) -> list[Block]:
    name = foreign(result.name, _NAME)
    blocks: list[Block] = []
    if result.problem is not None:
        problem = foreign(result.problem.told_in(language), 600)
        blocks.append(section(message("imports.slack.not_imported", language, name=name, problem=problem)))
    if result.proposed:
        text = message("imports.slack.proposed", language, name=name, count=len(result.proposed))
        blocks.append(section(text + _titles(result.proposed, language)))
    if result.problem is not None or result.proposed:
        return blocks
    counts = message(
        "imports.slack.counts", language, name=name, created=len(result.created), changed=len(result.changed),
        unchanged=result.unchanged,
    )  # fmt: skip
    blocks.append(section(counts + _titles((*result.created, *result.changed), language)))
    if (result.created or result.changed) and result.since and result.until:
        wish = UndoWish(result.name, result.slug, author_id, result.since, result.until)
        blocks.append(actions(_undo_button(wish, position, language)))
    return blocks


def _titles(titles: Sequence[str], language: Language) -> str:
    lines = [f"• {foreign(title, _TITLE)}" for title in titles[:_SHOWN_TITLES]]
    if len(titles) > _SHOWN_TITLES:
        lines.append(message("imports.slack.more", language, count=len(titles) - _SHOWN_TITLES))
    return "".join("\n" + line for line in lines)


def _undo_button(wish: UndoWish, position: int, language: Language) -> Block:
    undo = button(message("imports.slack.undo", language), action_id=UNDO_ACTION.format(position=position), value=wish.to_json())
    undo["confirm"] = {
        "title": plain(message("imports.slack.undo_title", language), 100),
        "text": plain(message("imports.slack.undo_text", language), 300),
        "confirm": plain(message("imports.slack.undo_confirm", language), 30),
        "deny": plain(message("imports.slack.undo_deny", language), 30),
    }
    return undo
