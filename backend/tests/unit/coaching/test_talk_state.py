"""The state of a guided talk: progress and stages follow from what is known."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.coaching.talk.speak import Heard, mirror
from app.coaching.talk.state import (
    PLAN_THRESHOLD,
    WEIGHTS,
    Known,
    Point,
    Stage,
    Talk,
    correct,
    learn,
    put_questions,
    request_plan,
)
from app.i18n.language import Language

START = datetime(2026, 4, 1, tzinfo=UTC)


def said(point: Point, text: str = "新規開拓で苦戦しています", turn: int = 1) -> Known:
    return Known(point, text, turn, START + timedelta(minutes=turn))


statements = st.lists(st.builds(said, st.sampled_from(Point), st.text(min_size=1, max_size=20), st.integers(1, 50)), max_size=20)


def test_weights_make_a_hundred() -> None:
    assert sum(WEIGHTS.values()) == 100


def test_a_talk_begins_at_the_problem_and_ends_in_planning() -> None:
    talk = Talk("prospecting")
    stages = [talk.stage]
    for turn, point in enumerate(Point, start=1):
        talk = learn(talk, [said(point, turn=turn)])
        stages.append(talk.stage)
    assert stages == [Stage.INITIAL, Stage.GATHERING, Stage.CLARIFYING, Stage.CLARIFYING, Stage.PLANNING, Stage.PLANNING]
    assert talk.progress == 100
    assert talk.missing == ()


def test_the_plan_can_be_asked_for_at_any_time() -> None:
    assert request_plan(Talk("closing")).stage is Stage.PLANNING


def test_the_newest_statement_about_a_point_holds() -> None:
    talk = learn(Talk("closing"), [said(Point.GOAL, "月5件", 1), said(Point.GOAL, "月8件", 4)])
    statement = talk.statement_of(Point.GOAL)
    assert statement is not None
    assert statement.text == "月8件"


@given(statements, statements)
def test_progress_never_falls_by_learning(first: list[Known], second: list[Known]) -> None:
    talk = learn(Talk("closing"), first)
    assert learn(talk, second).progress >= talk.progress


@given(statements)
def test_learning_does_not_depend_on_order(known: list[Known]) -> None:
    forward, backward = learn(Talk("closing"), known), learn(Talk("closing"), reversed(known))
    assert forward.progress == backward.progress
    assert forward.stage == backward.stage
    assert forward.missing == backward.missing


@given(statements)
def test_only_a_correction_by_the_person_makes_progress_fall(known: list[Known]) -> None:
    talk = learn(Talk("closing"), known)
    for point in Point:
        emptied = correct(talk, point, None)
        assert emptied.progress == talk.progress - (WEIGHTS[point] if talk.statement_of(point) else 0)


@given(statements)
def test_planning_begins_exactly_at_the_threshold(known: list[Known]) -> None:
    talk = learn(Talk("closing"), known)
    assert (talk.stage is Stage.PLANNING) == (talk.progress >= PLAN_THRESHOLD)


def test_a_question_is_remembered_once() -> None:
    talk = put_questions(put_questions(Talk("closing"), ["closing.goal.1"]), ["closing.goal.1", "closing.skill.1"])
    assert talk.asked == ("closing.goal.1", "closing.skill.1")
    assert talk.last_asked == ("closing.goal.1", "closing.skill.1")


def test_words_that_tell_of_two_points_are_mirrored_once() -> None:
    words, now = "先週、課長に断られました。", datetime(2026, 11, 21, tzinfo=UTC)
    heard = Heard((Known(Point.PROBLEM, words, 1, now), Known(Point.SITUATION, words, 1, now)))
    assert len(mirror(heard, Language.JAPANESE)) == 1
    other = Heard((*heard.learned, Known(Point.GOAL, "月に3件取りたいです。", 1, now)))
    assert len(mirror(other, Language.JAPANESE)) == 2
