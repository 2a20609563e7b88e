"""What a guided coaching talk knows: five points, where each came from, how far it has come.

Stages: ``initial`` (the problem is not named yet) → ``gathering`` (points are missing) → ``clarifying`` (the shape shows, a plan
would still be guesswork) → ``planning`` (80 % known, or the person asked for the plan). Stage and progress are computed from
what is known, never stored or guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

PLAN_THRESHOLD = 80  # percent
CLARIFYING_THRESHOLD = 50  # percent
SAME_SITTING = timedelta(hours=12)


class Point(StrEnum):
    """What a coach needs to know before a plan makes sense."""

    PROBLEM = "problem"
    SITUATION = "situation"
    GOAL = "goal"
    SKILL = "skill"
    RESOURCES = "resources"


# The problem and a concrete case carry a plan; skill and resources refine it.
WEIGHTS: dict[Point, int] = {
    Point.PROBLEM: 25,
    Point.SITUATION: 25,
    Point.GOAL: 20,
    Point.SKILL: 15,
    Point.RESOURCES: 15,
}


class Stage(StrEnum):
    """How far a talk has come."""

    INITIAL = "initial"
    GATHERING = "gathering"
    CLARIFYING = "clarifying"
    PLANNING = "planning"


@dataclass(frozen=True)
class Known:
    """One thing the person said about one point. ``turn`` is the id of the message that says it."""

    point: Point
    text: str
    turn: int
    stated_at: datetime
    is_correction: bool = False


@dataclass(frozen=True)
class Talk:
    """The state of one guided talk. ``asked`` holds the ids of questions put so far, in this and in earlier talks."""

    topic: str
    known: tuple[Known, ...] = ()
    asked: tuple[str, ...] = ()
    last_asked: tuple[str, ...] = field(default=())
    plan_requested: bool = False

    def statement_of(self, point: Point) -> Known | None:
        """What holds for a point now: the newest statement about it (the later turn when two bear the same time).

        A correction without a text takes back what was said: nothing holds until the person says something new.
        """
        newest = max((k for k in self.known if k.point is point), key=lambda k: (k.stated_at, k.turn), default=None)
        return newest if newest is not None and newest.text.strip() else None

    @property
    def missing(self) -> tuple[Point, ...]:
        """The points nothing is known about, most important first."""
        return tuple(point for point in Point if self.statement_of(point) is None)

    @property
    def progress(self) -> int:
        """Percent of what a plan needs; 100 when all five points are known."""
        return sum(weight for point, weight in WEIGHTS.items() if self.statement_of(point) is not None)

    @property
    def stage(self) -> Stage:
        if self.plan_requested or self.progress >= PLAN_THRESHOLD:
            return Stage.PLANNING
        if self.statement_of(Point.PROBLEM) is None:
            return Stage.INITIAL
        return Stage.CLARIFYING if self.progress >= CLARIFYING_THRESHOLD else Stage.GATHERING


def learn(talk: Talk, statements: Iterable[Known]) -> Talk:
    """The talk with more known. Statements already held are not repeated; nothing is ever forgotten here."""
    fresh = [statement for statement in statements if statement.text.strip() and statement not in talk.known]
    return replace(talk, known=talk.known + tuple(fresh))


def correct(talk: Talk, point: Point, statement: Known | None) -> Talk:
    """The person's own correction: replaces everything known about a point, or empties it. The only way progress falls.

    A point that is emptied (``None``, or a statement without a text) may be asked about again.
    """
    others = tuple(known for known in talk.known if known.point is not point)
    known = others if statement is None else (*others, replace(statement, is_correction=True))
    is_emptied = statement is None or not statement.text.strip()
    asked = tuple(i for i in talk.asked if point_asked_about(i) is not point) if is_emptied else talk.asked
    return replace(talk, known=known, asked=asked)


def point_asked_about(question_id: str) -> Point:
    """The point of a question, by its id ``topic.point.n``."""
    return Point(question_id.split(".")[1])


def take_in(talk: Talk, statements: Iterable[Known], *, is_correction: bool = False, unclear: Iterable[Point] = ()) -> Talk:
    """The talk after a message: what it tells about points that were asked about or are open. A remark in passing does not
    replace what the person said when they were asked, unless that was another day or ``unclear``; a correction does.
    """
    asked = {*unclear, *(point_asked_about(question_id) for question_id in talk.last_asked)}
    for statement in statements:
        held = talk.statement_of(statement.point)
        if is_correction and held is not None:
            talk = correct(talk, statement.point, statement)
        elif held is None or statement.point in asked or statement.stated_at - held.stated_at > SAME_SITTING:
            talk = learn(talk, [statement])
    return talk


def put_questions(talk: Talk, question_ids: Iterable[str]) -> Talk:
    """The talk after these questions were put to the person."""
    ids = tuple(question_ids)
    return replace(talk, asked=talk.asked + tuple(i for i in ids if i not in talk.asked), last_asked=ids)


def request_plan(talk: Talk) -> Talk:
    """The person wants the plan now, whatever is still missing."""
    return replace(talk, plan_requested=True)
