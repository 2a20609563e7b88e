"""A person's own past with the coach: talks, actions, skills, insights, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.assistant.past_talks import MOST_COUNTED
from app.assistant.show_history import PersonalHistory
from app.coaching.growth.repository import Outcome, Tally
from app.coaching.plan.repository import PlanItem
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.forget import OPEN_FORGET_ACTION
from app.slack.blocks.growth import behaviour_line, growth_blocks
from app.slack.blocks.parts import (
    SECTION_TEXT,
    Block,
    actions,
    button,
    clipped,
    context,
    divider,
    foreign,
    header,
    mrkdwn,
    section,
)

MAX_TALKS = 10
HISTORY_DAYS = 30
EXPORT_ACTION = "export_my_data"
OUTCOME_ACTION = "item_outcome_{outcome}"
_TALKS_SHOWN = 5
_TITLE = 120
_TEXT = 400
# Below this many, a rate is a coin toss; the counts beside it speak for themselves.
_ENOUGH_TOLD = 3


@dataclass(frozen=True)
class PastTalk:
    """One conversation. ``title`` is ``None`` while it has none."""

    title: str | None
    last_on: date


def history_blocks(history: PersonalHistory, talks: Sequence[PastTalk], language: Language, today: date) -> list[Block]:
    """``talks``: the sessions in the person's own days. Everything stands here in words; the chart comes beside it."""
    title = header(message("growth.history.title", language, days=history.days))
    private = context(message("commands.ai_history.private", language))
    if history.is_empty:
        return [title, section(message("growth.history.empty", language)), _buttons(language), private]
    return [
        title,
        {"type": "section", "fields": [mrkdwn(text) for text in _figures(history, language)]},
        *_unjudged(history.unjudged, language),
        divider(),
        *_titled("working", [_item(item, language, today) for item in history.open_items], language),
        *growth_blocks(history.growth, language),
        *_titled("strengths", [behaviour_line(one.skill, language) for one in history.growth.strengths], language),
        *_titled("insights", [_insight(one.kind, one.text, language) for one in history.insights], language),
        *_titled("focus", [behaviour_line(history.growth.focus, language)] if history.growth.focus else [], language),
        *_talks(talks, language),
        _buttons(language),
        *([context(message("growth.history.chart_follows", language))] if history.growth.known else []),
        private,
    ]


def talk_lines(talks: Sequence[PastTalk], language: Language) -> str:
    return "\n".join(
        message(
            "home.recent", language, date=in_words(talk.last_on, language),
            title=foreign(" ".join((talk.title or "").split()), _TITLE) or message("home.recent_untitled", language),
        )
        for talk in talks[:MAX_TALKS]
    )  # fmt: skip


def _figures(history: PersonalHistory, language: Language) -> list[str]:
    """Numbers always with what they were counted from."""
    tally, count = history.tally, len(history.sessions)
    overdue = "growth.history.open_overdue" if tally.overdue else "growth.history.open"
    figures = [
        message("growth.history.sessions_many" if count >= MOST_COUNTED else "growth.history.sessions", language, count=count),
        message(overdue, language, count=tally.open, overdue=tally.overdue),
        message("growth.history.done", language, count=tally.done),
        _completion(tally, language),
        _success(tally, language),
    ]
    if history.weeks_in_a_row > 1:
        figures.append(message("growth.history.streak", language, weeks=history.weeks_in_a_row))
    return figures


def _completion(tally: Tally, language: Language) -> str:
    if tally.completion_rate is None:
        return message("growth.history.completion_none", language)
    percent = round(tally.completion_rate * 100)
    return message("growth.history.completion", language, percent=percent, due=tally.due, done=tally.done)


def _success(tally: Tally, language: Language) -> str:
    if tally.success_rate is None or tally.told < _ENOUGH_TOLD:
        return message("growth.history.success_none", language)
    return message("growth.history.success", language, percent=round(tally.success_rate * 100), told=tally.told)


def _unjudged(item: PlanItem | None, language: Language) -> list[Block]:
    """How did it go? One finished action at a time."""
    if item is None:
        return []
    title, metric = foreign(item.action.title, _TEXT), foreign(item.action.success_metric, _TEXT)
    choices = [
        button(
            message(f"growth.outcome.{outcome}", language),
            action_id=OUTCOME_ACTION.format(outcome=outcome.value), value=str(item.id),
        )
        for outcome in Outcome
    ]  # fmt: skip
    return [section(message("growth.outcome.ask", language, title=title, metric=metric)), actions(*choices)]


def _item(item: PlanItem, language: Language, today: date) -> str:
    key = "growth.history.item_overdue" if item.action.due_on < today else "growth.history.item"
    return message(key, language, title=foreign(item.action.title, _TEXT), date=in_words(item.action.due_on, language))


def _insight(kind: str, text: str, language: Language) -> str:
    return message("growth.history.insight", language, kind=message(f"growth.kind.{kind}", language), text=foreign(text, _TEXT))


def _talks(talks: Sequence[PastTalk], language: Language) -> list[Block]:
    if not talks:
        return []
    lines = talk_lines(talks[:_TALKS_SHOWN], language)
    return [section(f"*{message('commands.ai_history.topics', language)}*\n{lines}")]


def _titled(name: str, lines: Sequence[str], language: Language) -> list[Block]:
    """A title with its lines, or nothing at all."""
    if not lines:
        return []
    title = f"*{message(f'growth.history.{name}_title', language)}*"
    return [section(clipped("\n".join([title, *lines]), SECTION_TEXT))]


def _buttons(language: Language) -> Block:
    return actions(
        button(message("growth.history.export", language), action_id=EXPORT_ACTION),
        button(message("growth.history.forget", language), action_id=OPEN_FORGET_ACTION),
    )
