"""A person's own past talks with the coach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import Block, context, foreign, header, section

MAX_TALKS = 10
HISTORY_DAYS = 30
_TITLE = 120


@dataclass(frozen=True)
class PastTalk:
    """One conversation. ``title`` is ``None`` while it has none."""

    title: str | None
    last_on: date


@dataclass(frozen=True)
class History:
    """What is shown of a person's talks: how many in the last ``days``, and the newest ones."""

    days: int
    count: int
    talks: Sequence[PastTalk]


def history_blocks(history: History, language: Language) -> list[Block]:
    blocks = [header(message("commands.ai_history.title", language))]
    if history.talks:
        blocks.append(section(message("commands.ai_history.count", language, days=history.days, count=history.count)))
        blocks.append(section(f"*{message('commands.ai_history.topics', language)}*\n{talk_lines(history.talks, language)}"))
    else:
        blocks.append(section(message("commands.ai_history.none", language)))
    return [*blocks, context(message("commands.ai_history.private", language))]


def talk_lines(talks: Sequence[PastTalk], language: Language) -> str:
    return "\n".join(
        message(
            "home.recent", language, date=in_words(talk.last_on, language),
            title=foreign(" ".join((talk.title or "").split()), _TITLE) or message("home.recent_untitled", language),
        )
        for talk in talks[:MAX_TALKS]
    )  # fmt: skip
