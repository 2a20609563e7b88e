"""What the coach remembers of a person, in a window of their own: paged, with its origin, to be corrected and erased."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from app.assistant.memories import MemoryPage
from app.coaching.memory.insight import LONGEST_TEXT, StatedBy
from app.coaching.memory.repository import ShownMemory
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.home import MEMORY_ACTION
from app.slack.blocks.parts import Block, actions, button, context, divider, foreign, modal, plain, section, text_input

OPEN_ACTION = MEMORY_ACTION
EDIT_ACTION = "memory_edit_{id}"
ERASE_ACTION = "memory_erase_{id}"
PAGE_ACTION = "memory_page_{direction}"
LIST_VIEW = "memory_list"
CORRECTION_VIEW = "memory_correction"

_SURE, _LIKELY = 0.9, 0.55


def memory_view(page: MemoryPage, language: Language, *, zone: ZoneInfo, links: Mapping[int, str]) -> Block:
    """``links``: by the memory's id, the address of what it comes from. The page's number travels with the window."""
    blocks = [section(message("memory.intro", language)), divider()]
    if not page.memories:
        blocks.append(section(message("memory.empty", language)))
    for memory in page.memories:
        blocks += _memory(memory, language, zone, links.get(memory.id))
    if page.total:
        blocks += [divider(), context(message("memory.count", language, count=page.total, page=page.number, pages=page.pages))]
        blocks += _turning(page, language)
    return {
        "type": "modal", "callback_id": LIST_VIEW, "title": plain(message("memory.title", language), 24),
        "close": plain(message("memory.close", language), 24), "private_metadata": str(page.number), "blocks": blocks,
    }  # fmt: skip


def edit_view(memory: ShownMemory, language: Language, *, about: str) -> Block:
    """``about`` comes back with the form: which memory, and which window to show anew."""
    field = text_input(
        block_id="correction", label=message("memory.edit_label", language), max_length=LONGEST_TEXT,
        placeholder=message("memory.edit_placeholder", language), hint=message("memory.edit_hint", language),
    )  # fmt: skip
    field["element"]["initial_value"] = memory.text
    return modal(
        callback_id=CORRECTION_VIEW, title=message("memory.edit_title", language), submit=message("memory.save", language),
        close=message("memory.cancel", language), private_metadata=about, blocks=[field],
    )  # fmt: skip


def _memory(memory: ShownMemory, language: Language, zone: ZoneInfo, link: str | None) -> list[Block]:
    kind, sure = message(f"memory.kind_{memory.kind}", language), message(f"memory.sure_{_how_sure(memory)}", language)
    erase = button(message("memory.erase", language), action_id=ERASE_ACTION.format(id=memory.id))
    return [
        section(f"*{kind}* {foreign(memory.text, 600)}"),
        context(_origin(memory, language, zone, link), sure, message("memory.visibility", language)),
        actions(
            button(message("memory.edit", language), action_id=EDIT_ACTION.format(id=memory.id)),
            {**erase, "confirm": _confirm_erase(language)},
        ),
    ]


def _origin(memory: ShownMemory, language: Language, zone: ZoneInfo, link: str | None) -> str:
    day = in_words(memory.observed_at.astimezone(zone).date(), language)
    if memory.stated_by is StatedBy.PERSON:
        return message("memory.from_you", language, date=day)
    return message("memory.from_talk", language, date=day, link=link) if link else message(
        "memory.from_talk_unlinked", language, date=day
    )  # fmt: skip


def _how_sure(memory: ShownMemory) -> str:
    if memory.confidence > _SURE:
        return "high"
    return "middle" if memory.confidence >= _LIKELY else "low"


def _turning(page: MemoryPage, language: Language) -> list[Block]:
    turns = []
    if page.number > 1:
        newer = message("memory.newer", language)
        turns.append(button(newer, action_id=PAGE_ACTION.format(direction="newer"), value=str(page.number - 1)))
    if page.number < page.pages:
        older = message("memory.older", language)
        turns.append(button(older, action_id=PAGE_ACTION.format(direction="older"), value=str(page.number + 1)))
    return [actions(*turns)] if turns else []


def _confirm_erase(language: Language) -> Block:
    return {
        "title": plain(message("memory.erase_confirm_title", language), 100),
        "text": plain(message("memory.erase_confirm", language), 300),
        "confirm": plain(message("memory.erase", language), 30),
        "deny": plain(message("memory.cancel", language), 30),
    }
