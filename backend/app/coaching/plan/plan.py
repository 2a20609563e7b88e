"""An action plan: what it consists of and what makes it valid."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.core.errors import ModelReplyInvalid

MAX_ITEMS = 5
MAX_TITLE = 80  # characters
MAX_TEXT = 500  # characters


class Priority(StrEnum):
    """How urgent an action is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Category(StrEnum):
    """What kind of work an action is."""

    PREPARATION = "preparation"
    CUSTOMER = "customer"
    PRACTICE = "practice"
    LEARNING = "learning"
    REVIEW = "review"


class Rhythm(StrEnum):
    """How often the plan is looked at together."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class PlannedAction:
    """One thing to do. ``success_metric`` says how the person will see that it is done."""

    title: str
    description: str
    priority: Priority
    due_on: date
    category: Category
    success_metric: str


@dataclass(frozen=True)
class ActionPlan:
    """The outcome of a coaching talk. ``entries`` are the ids of knowledge entries it rests on."""

    summary: str
    actions: tuple[PlannedAction, ...]
    rhythm: Rhythm
    entries: tuple[int, ...] = ()


PLAN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary", "actions", "rhythm", "entries"],
    "properties": {
        "summary": {"type": "string"},
        "actions": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title", "description", "priority", "due_on", "category", "success_metric"],
                "properties": {
                    "title": {"type": "string"},
                    "description": {"type": "string"},
                    "priority": {"type": "string", "enum": [priority.value for priority in Priority]},
                    "due_on": {"type": "string", "description": "YYYY-MM-DD"},
                    "category": {"type": "string", "enum": [category.value for category in Category]},
                    "success_metric": {"type": "string"},
                },
            },
        },
        "rhythm": {"type": "string", "enum": [rhythm.value for rhythm in Rhythm]},
        "entries": {"type": "array", "items": {"type": "integer"}},
    },
}


def parse_plan(value: Any, *, known_entries: frozenset[int], earliest: date, latest: date) -> ActionPlan:
    """A plan from a model's JSON; ``ModelReplyInvalid`` names what is wrong, so that the model can be asked to repair it.

    Due dates outside ``earliest`` … ``latest`` are refused, entries that were not given are left out.
    """
    try:
        actions = tuple(_action(item, earliest=earliest, latest=latest) for item in value["actions"])
        plan = ActionPlan(
            summary=_text(value["summary"], "summary", MAX_TEXT),
            actions=actions,
            rhythm=Rhythm(value["rhythm"]),
            entries=tuple(dict.fromkeys(entry for entry in value["entries"] if entry in known_entries)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelReplyInvalid(f"the plan is not in the form asked for: {type(error).__name__} {error}") from error
    if not 1 <= len(actions) <= MAX_ITEMS:
        raise ModelReplyInvalid(f"a plan has 1 to {MAX_ITEMS} actions, this one has {len(actions)}")
    if len({action.title for action in actions}) != len(actions):
        raise ModelReplyInvalid("two actions of the plan bear the same title")
    return plan


def _action(item: Any, *, earliest: date, latest: date) -> PlannedAction:
    due_on = date.fromisoformat(item["due_on"])
    if not earliest <= due_on <= latest:
        raise ModelReplyInvalid(f"due_on {due_on} is not between {earliest} and {latest}")
    return PlannedAction(
        title=_text(item["title"], "title", MAX_TITLE),
        description=_text(item["description"], "description", MAX_TEXT),
        priority=Priority(item["priority"]),
        due_on=due_on,
        category=Category(item["category"]),
        success_metric=_text(item["success_metric"], "success_metric", MAX_TEXT),
    )


def _text(value: Any, name: str, limit: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelReplyInvalid(f"{name} is empty")
    if len(value) > limit:
        raise ModelReplyInvalid(f"{name} has more than {limit} characters")
    return value.strip()
