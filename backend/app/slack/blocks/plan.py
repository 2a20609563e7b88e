"""The items of an action plan, with what a person can do about each of them. For messages and for the Home tab."""

from collections.abc import Sequence
from datetime import date

from app.coaching.plan.repository import ItemStatus, PlanItem
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import BUTTON_TEXT, Block, actions, button, foreign, plain, section

DONE_ACTION = "plan_item_done"
UNDO_ACTION = "plan_item_undo"
MENU_ACTION = "plan_item_menu"
POSTPONE = "postpone"
EDIT = "edit"
DROP = "drop"
# Together they stay below the 3,000 characters of one text.
_TITLE = 300
_TEXT = 1000


def plan_item_blocks(items: Sequence[PlanItem], language: Language, today: date, *, has_details: bool = True) -> list[Block]:
    """Two blocks for an open item, one for a settled one, which can be opened again. ``today`` is the person's.

    Without details only title, date and priority are shown.
    The buttons carry the item's id; the menu's options are ``postpone:<id>``, ``edit:<id>`` and ``drop:<id>``. Block ids begin
    with ``plan_item:<id>``, so that a click can replace just its item.
    """
    return [block for item in items for block in _item_blocks(item, language, today, has_details=has_details)]


def _item_blocks(item: PlanItem, language: Language, today: date, *, has_details: bool) -> list[Block]:
    if item.status is not ItemStatus.OPEN:
        undo = button(message("talk.item.undo", language), action_id=UNDO_ACTION, value=str(item.id))
        text = message(f"talk.item.is_{item.status}", language, title=foreign(item.action.title, _TITLE))
        return [{**section(text, accessory=undo), "block_id": f"plan_item:{item.id}"}]
    text = "\n".join(_lines(item, language, today, has_details=has_details))
    done = button(message("talk.item.done", language), action_id=DONE_ACTION, value=str(item.id), style="primary")
    return [
        {**section(text), "block_id": f"plan_item:{item.id}"},
        {**actions(done, _menu(item, language)), "block_id": f"plan_item:{item.id}:2"},
    ]


def _lines(item: PlanItem, language: Language, today: date, *, has_details: bool) -> list[str]:
    action = item.action
    title = message("talk.item.title", language, title=foreign(action.title, _TITLE))
    facts = message(
        "talk.item.facts", language, due_on=in_words(action.due_on, language), when=_when(action.due_on, today, language),
        priority=message(f"talk.item.priority_{action.priority}", language),
    )  # fmt: skip
    if not has_details:
        return [title, facts]
    metric = message("talk.item.metric", language, metric=foreign(action.success_metric, _TEXT))
    return [title, foreign(action.description, _TEXT), facts, metric]


def _when(due_on: date, today: date, language: Language) -> str:
    days = (due_on - today).days
    if days < 0:
        return message("talk.item.overdue", language, days=-days)
    return message("talk.item.today", language) if days == 0 else message("talk.item.in_days", language, days=days)


def _menu(item: PlanItem, language: Language) -> Block:
    options = [
        {"text": plain(message(f"talk.item.{choice}", language), BUTTON_TEXT), "value": f"{choice}:{item.id}"}
        for choice in (POSTPONE, EDIT, DROP)
    ]
    return {"type": "overflow", "action_id": MENU_ACTION, "options": options}
