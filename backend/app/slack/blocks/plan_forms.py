"""The windows in which an item of a plan is postponed, rewritten or dropped, and what is said about it afterwards."""

from collections.abc import Sequence
from datetime import date

from app.assistant.change_plan import Changed, Outcome
from app.coaching.plan.plan import MAX_TEXT, MAX_TITLE, Priority
from app.coaching.plan.repository import ItemStatus, PlanItem
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import PLACEHOLDER_TEXT, SECTION_TEXT, Block, clipped, foreign, modal, plain, section, text_input

POSTPONE_VIEW = "plan_item_postpone"
EDIT_VIEW = "plan_item_edit"
DROP_VIEW = "plan_item_drop"
NOTICE_VIEW = "plan_item_notice"
DAY_FIELD = "due_on"
_TITLE = 300
_REASON = 500
_MARKDOWN = 12_000


def postpone_modal(item: PlanItem, language: Language, *, suggested: date, about: str) -> Block:
    """``about`` comes back with the answer: ids of the item and of the message the button stood in, no text."""
    text = message("plan_forms.postpone.about", language, title=_name(item), due_on=in_words(item.action.due_on, language))
    day = _day_input(message("plan_forms.postpone.label", language), suggested)
    day["hint"] = plain(message("plan_forms.postpone.hint", language), SECTION_TEXT)
    return _form("postpone", POSTPONE_VIEW, [section(text), day], language, about)


def edit_modal(item: PlanItem, language: Language, *, about: str) -> Block:
    action = item.action
    return _form("edit", EDIT_VIEW, [
        _text("title", "name", action.title, language, limit=MAX_TITLE, lines=False, has_hint=True),
        _text("description", "description", action.description, language, limit=MAX_TEXT),
        _text("metric", "metric", action.success_metric, language, limit=MAX_TEXT),
        _priority_input(action.priority, language),
        _day_input(message("plan_forms.edit.due_on", language), action.due_on),
    ], language, about)  # fmt: skip


def drop_modal(item: PlanItem, language: Language, *, about: str) -> Block:
    reason = text_input(
        block_id="reason", label=message("plan_forms.drop.reason", language), max_length=_REASON,
        placeholder=message("plan_forms.drop.reason_placeholder", language),
        hint=message("plan_forms.drop.reason_hint", language),
    )  # fmt: skip
    reason["optional"] = True
    text = message("plan_forms.drop.about", language, title=_name(item))
    return _form("drop", DROP_VIEW, [section(text), reason], language, about)


def notice_modal(text: str, language: Language) -> Block:
    """A sentence in a window, where there is no other place for it. ``text`` is finished."""
    return {
        "type": "modal", "callback_id": NOTICE_VIEW, "title": plain(message("plan_forms.notice_title", language), 24),
        "close": plain(message("plan_forms.close", language), 24), "blocks": [section(text)],
    }  # fmt: skip


def sentence_about(changed: Changed, done: str, language: Language) -> str:
    """What to say: ``done`` names the change (done, reopened, dropped, postponed, edited) where there was one."""
    item = changed.item
    if item is None or changed.outcome is Outcome.GONE:
        return message("plan_forms.gone", language)
    if changed.outcome is Outcome.NO_SUCH_DAY:
        return message("plan_forms.no_such_day", language)
    due_on = in_words(item.action.due_on, language)
    if changed.outcome is Outcome.ALREADY:
        return message(f"plan_forms.already_{item.status}", language, title=_name(item))
    text = message(f"plan_forms.{done}", language, title=_name(item), due_on=due_on)
    return f"{text}\n{message('plan_forms.moved', language, due_on=due_on)}" if changed.was_moved else text


def shown_blocks(message: Block) -> list[Block]:
    """The blocks of a message as it is on the screen.

    What an answer streamed stands before them; where Slack does not list it among them it would vanish with the next change,
    since blocks take the place of a message's text.
    """
    blocks = list(message.get("blocks", ()))
    is_text_listed = any(block.get("type") in {"markdown", "rich_text"} for block in blocks)
    if not message.get("thread_ts") or not message.get("text") or is_text_listed:
        return blocks
    return [{"type": "markdown", "text": str(message["text"])[:_MARKDOWN]}, *blocks]


def with_item(blocks: Sequence[Block], item_id: int, fresh: Sequence[Block]) -> list[Block]:
    """A message's blocks with those of one item replaced; everything else stays as it is."""
    shown: list[Block] = []
    is_placed = False
    for block in blocks:
        if not _belongs_to(str(block.get("block_id", "")), item_id):
            shown.append(block)
        elif not is_placed:
            shown += fresh
            is_placed = True
    return shown


def is_settled(item: PlanItem) -> bool:
    return item.status is not ItemStatus.OPEN


def _belongs_to(block_id: str, item_id: int) -> bool:
    return any(block_id == mark or block_id.startswith(f"{mark}:") for mark in (f"plan_item:{item_id}", f"reminder:{item_id}"))


def _form(kind: str, callback_id: str, blocks: list[Block], language: Language, about: str) -> Block:
    return modal(
        callback_id=callback_id, private_metadata=about, title=message(f"plan_forms.{kind}.title", language),
        submit=message(f"plan_forms.{kind}.submit", language), close=message("plan_forms.cancel", language), blocks=blocks,
    )  # fmt: skip


def _text(
    block_id: str, label: str, value: str, language: Language, *, limit: int, lines: bool = True, has_hint: bool = False
) -> Block:
    name = message(f"plan_forms.edit.{label}", language)
    block = text_input(
        block_id=block_id, label=name, placeholder=clipped(name, PLACEHOLDER_TEXT), max_length=limit, lines=lines,
        hint=message("plan_forms.edit.hint", language) if has_hint else "",
    )  # fmt: skip
    block["element"]["initial_value"] = clipped(value, limit)
    return block


def _priority_input(chosen: Priority, language: Language) -> Block:
    options = {
        priority: {"text": plain(message(f"talk.item.priority_{priority}", language), 75), "value": priority.value}
        for priority in Priority
    }
    return {
        "type": "input", "block_id": "priority", "label": plain(message("plan_forms.edit.priority", language), SECTION_TEXT),
        "element": {
            "type": "static_select", "action_id": "choice", "options": list(options.values()), "initial_option": options[chosen],
        },
    }  # fmt: skip


def _day_input(label: str, day: date) -> Block:
    return {
        "type": "input", "block_id": DAY_FIELD, "label": plain(label, SECTION_TEXT),
        "element": {"type": "datepicker", "action_id": "day", "initial_date": day.isoformat()},
    }  # fmt: skip


def _name(item: PlanItem) -> str:
    return foreign(item.action.title, _TITLE)
