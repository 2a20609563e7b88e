"""The window in which a message becomes an entry of the knowledge base."""

from dataclasses import dataclass
from typing import Any

from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category
from app.knowledge.proposals.draft import LONGEST_TITLE, EntryDraft
from app.slack.blocks.parts import SECTION_TEXT, VIEW_TITLE, Block, clipped, context, foreign, modal, plain, section, text_input

MAKE_SHORTCUT = "make_knowledge"
MAKE_VIEW = "make_knowledge"
TITLE_FIELD, CATEGORY_FIELD, LANGUAGE_FIELD, TEXT_FIELD = "name", "category", "language", "body"
LONGEST_TEXT = 3000
_SUGGESTED_TITLE = 80


@dataclass(frozen=True)
class Prefilled:
    """What the window begins with."""

    title: str
    text: str
    language: Language
    category: Category = Category.COMPANY


def prefilled_from(text: str, *, language: Language) -> Prefilled:
    """The first line is the title when more follows; else the text has yet to be named."""
    first, _, rest = text.strip().partition("\n")
    title = clipped(first, _SUGGESTED_TITLE) if rest.strip() else ""
    return Prefilled(title, clipped(text, LONGEST_TEXT), language)


def make_knowledge_modal(prefilled: Prefilled, language: Language, *, may_publish: bool) -> Block:
    way = "" if may_publish else "_proposal"
    title = text_input(
        block_id=TITLE_FIELD, label=message("imports.make.name", language), max_length=LONGEST_TITLE, lines=False,
        placeholder=message("imports.make.name_placeholder", language),
    )  # fmt: skip
    text = text_input(
        block_id=TEXT_FIELD, label=message("imports.make.text", language), max_length=LONGEST_TEXT,
        placeholder=message("imports.make.text_placeholder", language),
    )  # fmt: skip
    for field, value in ((title, prefilled.title), (text, prefilled.text)):
        if value:
            field["element"]["initial_value"] = value
    categories = {one.value: message(f"knowledge.category.{one}", language) for one in Category}
    languages = {one.value: message(f"home.language_{one}", language) for one in Language}
    return modal(
        callback_id=MAKE_VIEW, title=message("imports.make.title", language),
        submit=message(f"imports.make.submit{way}", language), close=message("imports.make.close", language),
        blocks=[
            context(message(f"imports.make.intro{way}", language)), title,
            _choice(CATEGORY_FIELD, message("imports.make.category", language), categories, prefilled.category),
            _choice(LANGUAGE_FIELD, message("imports.make.language", language), languages, prefilled.language), text,
        ],
    )  # fmt: skip


def notice_modal(text: str, language: Language) -> Block:
    """``text`` is finished mrkdwn."""
    return {
        "type": "modal", "callback_id": f"{MAKE_VIEW}_done", "title": plain(message("imports.make.title", language), VIEW_TITLE),
        "close": plain(message("imports.make.close", language), VIEW_TITLE), "blocks": [section(text)],
    }  # fmt: skip


def made_modal(title: str, language: Language, *, is_published: bool) -> Block:
    key = "published" if is_published else "proposed"
    return notice_modal(message(f"imports.make.{key}", language, title=foreign(title, LONGEST_TITLE)), language)


def draft_in(view: dict[str, Any], *, source: str) -> EntryDraft:
    """What was filled in."""
    values = view["state"]["values"]

    def typed(field: str) -> str:
        return str(values[field]["text"]["value"] or "")

    def chosen(field: str) -> str:
        return str(values[field]["choice"]["selected_option"]["value"])

    return EntryDraft(
        title=typed(TITLE_FIELD), body=typed(TEXT_FIELD), category=Category(chosen(CATEGORY_FIELD)),
        language=Language(chosen(LANGUAGE_FIELD)), source=source,
    )  # fmt: skip


def _choice(block_id: str, label: str, options: dict[str, str], initial: str) -> Block:
    shown = {value: {"text": plain(text, 75), "value": value} for value, text in options.items()}
    element = {"type": "static_select", "action_id": "choice", "options": list(shown.values()), "initial_option": shown[initial]}
    return {"type": "input", "block_id": block_id, "label": plain(label, SECTION_TEXT), "element": element}
