"""What a message does to a talk: what it tells, corrects, or leaves open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.coaching.ask_for_json import LanguageModel
from app.coaching.talk.by_model import read_by_model
from app.coaching.talk.speak import Heard
from app.coaching.talk.state import Known, Point, Talk, point_asked_about, take_in
from app.coaching.talk.topics import GENERAL, question_by_id, topic_of
from app.coaching.talk.understand import (
    corrections_in,
    hesitates,
    is_correction,
    knows_no_answer,
    opening_statements,
    statements_in,
    told_before_asking,
)
from app.i18n.language import Language
from app.llm.interface import ModelCall


@dataclass(frozen=True)
class Said:
    """A message of a talk. ``turn`` is the id of its event."""

    text: str
    language: Language
    turn: int
    stated_at: datetime
    team_id: str
    user_id: str


class Listener:
    """Reads by rules, and with a model when there is one. ``calls`` grow by what that cost."""

    def __init__(self, llm: LanguageModel, *, seconds: float) -> None:
        self._llm = llm
        self._seconds = seconds

    async def opening(self, said: Said, calls: list[ModelCall]) -> tuple[Known, ...]:
        """What the message that begins a talk tells. The problem it names is never lost."""
        by_rules = opening_statements(said.text, said.language, turn=said.turn, stated_at=said.stated_at)
        told = await self._with_model(said, by_rules, (), calls)
        problem = [known for known in by_rules if known.point is Point.PROBLEM]
        return told if any(known.point is Point.PROBLEM for known in told) else (*problem, *told)

    async def reply(self, said: Said, before: Talk, calls: list[ModelCall]) -> tuple[Talk, Heard]:
        """The talk after a message. Where nothing was asked, the coach waits for what is right instead."""
        if hesitates(said.text):
            return before, Heard(is_hesitation=True)
        if is_correction(said.text, said.language) or not before.last_asked:
            last = _told_last(before)
            told = corrections_in(said.text, said.language, last=last, turn=said.turn, stated_at=said.stated_at)
            after = take_in(before, told, is_correction=True)
            return after, Heard(_new(before, after), is_correction=True)
        told = await self._with_model(said, _by_rules(said, before), before.last_asked, calls)
        after = _about_topic(take_in(before, told, unclear=_unclear(before, said.language)), said)
        return after, Heard(_new(before, after), has_no_answer=knows_no_answer(said.text, said.language))

    async def _with_model(
        self, said: Said, by_rules: Sequence[Known], asked: Sequence[str], calls: list[ModelCall]
    ) -> tuple[Known, ...]:
        if self._llm.is_offline:
            return tuple(by_rules)
        questions = (question_by_id(question_id, said.language) for question_id in asked)
        return await read_by_model(
            self._llm, said.text, by_rules=by_rules, asked=[point_asked_about(question_id) for question_id in asked],
            questions=[one.text for one in questions if one], language=said.language, turn=said.turn, stated_at=said.stated_at,
            team_id=said.team_id, user_id=said.user_id, calls=calls, seconds=self._seconds,
        )  # fmt: skip


def noted_by_the_way(talk: Talk, said: Said) -> Talk:
    """The talk after a message that is answered as a question: what it tells besides counts as said."""
    told = told_before_asking(said.text, said.language)
    return take_in(talk, _by_rules(replace(said, text=told), talk)) if told else talk


def _by_rules(said: Said, talk: Talk) -> tuple[Known, ...]:
    asked = [point_asked_about(question_id) for question_id in talk.last_asked]
    return statements_in(said.text, said.language, asked=asked, turn=said.turn, stated_at=said.stated_at)


def _about_topic(talk: Talk, said: Said) -> Talk:
    """A talk that began without a subject finds it as soon as it is named."""
    return replace(talk, topic=topic_of(said.text, said.language).name) if talk.topic == GENERAL else talk


def _unclear(talk: Talk, language: Language) -> list[Point]:
    """Points the person had no answer to."""
    held = ((point, talk.statement_of(point)) for point in Point)
    return [point for point, known in held if known is not None and knows_no_answer(known.text, language)]


def _told_last(talk: Talk) -> Point:
    return max(talk.known, key=lambda known: (known.stated_at, known.turn)).point if talk.known else Point.PROBLEM


def _new(before: Talk, after: Talk) -> tuple[Known, ...]:
    return tuple(known for known in after.known if known not in before.known)
