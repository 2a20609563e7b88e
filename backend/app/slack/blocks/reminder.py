"""The reminder of one plan item, in the person's direct messages."""

from datetime import date

from app.coaching.plan.due_dates import Snooze
from app.coaching.plan.repository import PlanItem
from app.i18n.language import Language
from app.i18n.messages import message
from app.people.person import Visibility
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import PLACEHOLDER_TEXT, Block, actions, button, context, foreign, plain, section
from app.slack.blocks.plan import DONE_ACTION

SNOOZE_ACTION = "reminder_snooze"
STOP_ITEM_ACTION = "reminder_stop_item"
SWITCH_ACTION = "reminders_switch"
ON, OFF = "on", "off"
_TITLE = 300
_TEXT = 1000


def reminder_text(item: PlanItem, language: Language, today: date) -> str:
    """For notifications: what stands on a locked screen is no more than the item's title."""
    return f"{_opening(item, today, language)}\n{foreign(item.action.title, _TITLE)}"


def reminder_blocks(item: PlanItem, language: Language, today: date, *, note: str = "") -> list[Block]:
    """With ``note`` (finished mrkdwn) the reminder has been dealt with: it says how, and what is left is to tick the item."""
    mark = f"reminder:{item.id}"
    lines = [
        message("reminder.item", language, title=foreign(item.action.title, _TITLE)),
        message("reminder.metric", language, metric=foreign(item.action.success_metric, _TEXT)),
        message("reminder.due_on", language, due_on=in_words(item.action.due_on, language)),
    ]
    done = button(message("reminder.done", language), action_id=DONE_ACTION, value=str(item.id), style="primary")
    choices = [] if note else [_snooze(item, language), _stop(item, language), stop_all_button(language)]
    about = [note] if note else [_opening(item, today, language)]
    return [
        {**section("\n".join([*about, *lines])), "block_id": mark},
        {**actions(done, *choices), "block_id": f"{mark}:2"},
        {**context(visibility_line(Visibility.PRIVATE, language)), "block_id": f"{mark}:3"},
    ]


def visibility_line(visibility: Visibility, language: Language) -> str:
    """公開範囲, as it stands under everything that belongs to a person."""
    key = "visibility_team_numbers" if visibility is Visibility.TEAM_NUMBERS else "visibility"
    return message(f"plan_forms.{key}", language)


def stop_all_button(language: Language) -> Block:
    """Asks again before it does it."""
    return {
        **button(message("reminder.stop_all", language), action_id=SWITCH_ACTION, value=OFF),
        "confirm": {
            "title": plain(message("reminder.stop_all", language), 100),
            "text": plain(message("reminder.stop_all_confirm", language), 300),
            "confirm": plain(message("reminder.stop_all_yes", language), 30),
            "deny": plain(message("reminder.stop_all_no", language), 30),
        },
    }


def _opening(item: PlanItem, today: date, language: Language) -> str:
    due_on = item.action.due_on
    return message(f"reminder.{'today' if due_on == today else 'overdue' if due_on < today else 'early'}", language)


def _snooze(item: PlanItem, language: Language) -> Block:
    options = [
        {"text": plain(message(f"reminder.snooze_{choice}", language), 75), "value": f"{choice}:{item.id}"} for choice in Snooze
    ]
    placeholder = plain(message("reminder.snooze", language), PLACEHOLDER_TEXT)
    return {"type": "static_select", "action_id": SNOOZE_ACTION, "placeholder": placeholder, "options": options}


def _stop(item: PlanItem, language: Language) -> Block:
    return button(message("reminder.stop_item", language), action_id=STOP_ITEM_ACTION, value=str(item.id))
