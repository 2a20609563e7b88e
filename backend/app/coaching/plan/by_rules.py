"""The plan that needs no model: the topic's actions, dated for this person and tied to their own words."""

from collections.abc import Collection, Sequence
from datetime import datetime

from app.coaching.plan.due_dates import due_after
from app.coaching.plan.plan import MAX_ITEMS, MAX_TEXT, ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.talk.speak import words_of
from app.coaching.talk.state import Point, Talk
from app.coaching.talk.topics import GENERAL, ActionTemplate, topics
from app.coaching.talk.understand import knows_no_answer
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage

LONGEST_QUOTE = 120  # characters of the person's own words in a summary
LONGEST_NAME = 40  # characters of an entry's title in an action's


def plan_by_rules(
    talk: Talk, language: Language, *, now: datetime, time_zone: str, knowledge: Sequence[Passage] = (),
    planned_before: Collection[str] = (), most: int = MAX_ITEMS,
) -> ActionPlan:  # fmt: skip
    """A valid plan for whatever is known: never empty, never in the past. ``planned_before``: titles of earlier actions, which
    are left out as long as others are left. The passage that fits best is the last action's material.
    """
    bank = topics(language)
    topic = bank[talk.topic]
    new = [one for one in (*topic.actions, *bank[GENERAL].actions) if one.title not in planned_before]
    chosen = [one for one in new if one in topic.actions] or new or topic.actions
    read = [one for one in knowledge[:1] if _reading(one, language).title not in planned_before and most > 1]
    templates = [*chosen[: min(most, MAX_ITEMS) - len(read)], *(_reading(one, language) for one in read)]
    actions = tuple(_dated(template, now=now, time_zone=time_zone) for template in templates)
    return ActionPlan(_summary(talk, topic.title, language), actions, Rhythm.WEEKLY, tuple(one.entry_id for one in read))


def _reading(passage: Passage, language: Language) -> ActionTemplate:
    title = passage.title if len(passage.title) <= LONGEST_NAME else passage.title[: LONGEST_NAME - 1] + "…"
    return ActionTemplate(
        title=message("talk.reading.title", language, title=title),
        description=message("talk.reading.description", language),
        success_metric=message("talk.reading.metric", language),
        priority=Priority.LOW,
        category=Category.LEARNING,
        due_in_days=5,
    )


def _dated(template: ActionTemplate, *, now: datetime, time_zone: str) -> PlannedAction:
    return PlannedAction(
        title=template.title,
        description=template.description,
        priority=template.priority,
        due_on=due_after(now, template.due_in_days, time_zone=time_zone),
        category=template.category,
        success_metric=template.success_metric,
    )


def _summary(talk: Talk, title: str, language: Language) -> str:
    problem, goal = _told(talk, Point.PROBLEM, language), _told(talk, Point.GOAL, language)
    if problem and goal:
        text = message("plan.summary_problem_goal", language, topic=title, problem=problem, goal=goal)
    elif problem:
        text = message("plan.summary_problem", language, topic=title, problem=problem)
    else:
        text = message("plan.summary", language, topic=title)
    return text[:MAX_TEXT]


def _told(talk: Talk, point: Point, language: Language) -> str | None:
    """The person's words about a point; "I do not know yet" is none."""
    known = talk.statement_of(point)
    return None if known is None or knows_no_answer(known.text, language) else words_of(known.text, LONGEST_QUOTE)
