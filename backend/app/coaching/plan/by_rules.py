"""The plan that needs no model: the topic's actions, dated for this person and tied to their own words."""

from collections.abc import Collection, Sequence
from datetime import datetime

from app.coaching.plan.due_dates import due_after
from app.coaching.plan.plan import MAX_ITEMS, MAX_TEXT, ActionPlan, PlannedAction, Rhythm
from app.coaching.talk.state import Point, Talk
from app.coaching.talk.topics import GENERAL, ActionTemplate, topics
from app.i18n.language import Language
from app.i18n.messages import message

LONGEST_QUOTE = 120  # characters of the person's own words in a summary


def plan_by_rules(
    talk: Talk, language: Language, *, now: datetime, time_zone: str, entries: Sequence[int] = (),
    planned_before: Collection[str] = (), most: int = MAX_ITEMS,
) -> ActionPlan:  # fmt: skip
    """A valid plan for whatever is known: never empty, never in the past. ``planned_before``: titles of earlier actions, which
    are left out as long as others are left.
    """
    bank = topics(language)
    topic = bank[talk.topic]
    new = [one for one in (*topic.actions, *bank[GENERAL].actions) if one.title not in planned_before]
    chosen = [one for one in new if one in topic.actions] or new or topic.actions
    actions = tuple(_dated(template, now=now, time_zone=time_zone) for template in chosen[: min(most, MAX_ITEMS)])
    return ActionPlan(_summary(talk, topic.title, language), actions, Rhythm.WEEKLY, tuple(entries))


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
    problem, goal = talk.statement_of(Point.PROBLEM), talk.statement_of(Point.GOAL)
    if problem and goal:
        text = message("plan.summary_problem_goal", language, topic=title, problem=_quote(problem.text), goal=_quote(goal.text))
    elif problem:
        text = message("plan.summary_problem", language, topic=title, problem=_quote(problem.text))
    else:
        text = message("plan.summary", language, topic=title)
    return text[:MAX_TEXT]


def _quote(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= LONGEST_QUOTE else folded[: LONGEST_QUOTE - 1] + "…"
