"""Whatever is said in whatever order: progress is what is known, and only the person makes it fall."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.coaching.talk.by_model import grounded, merged
from app.coaching.talk.speak import BAR, progress
from app.coaching.talk.state import (
    PLAN_THRESHOLD,
    WEIGHTS,
    Known,
    Point,
    Stage,
    Talk,
    point_asked_about,
    put_questions,
    request_plan,
    take_in,
)
from app.coaching.talk.topics import GENERAL, next_questions
from app.coaching.talk.understand import corrections_in, is_correction, opening_statements, statements_in
from app.i18n.language import Language

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
ORDER = (Stage.INITIAL, Stage.GATHERING, Stage.CLARIFYING, Stage.PLANNING)
WORDS = st.sampled_from(
    [
        "アポが取れません。", "先週A社に電話しました。", "目標は5件です。", "時間は週に3時間です。", "分かりません",
        "1. はい\n2. 電話です", "I am stuck.", "Last week they said no.", "上周拜访了客户。", "希望月底之前成交。", "違います。",
        "目標の件は忘れてください", "", "…",
    ]
)  # fmt: skip
MESSAGES = st.lists(st.lists(WORDS, max_size=4).map("".join), max_size=12)
LANGUAGES = st.sampled_from(list(Language))
DOSES = st.sampled_from([1, 3, 5])


def heard(talk: Talk, text: str, turn: int, language: Language) -> Talk:
    """A message as the use case takes it in, by rules."""
    said_at = NOW + timedelta(minutes=turn)
    if is_correction(text, language):
        told = corrections_in(text, language, last=Point.PROBLEM, turn=turn, stated_at=said_at)
        return take_in(talk, told, is_correction=True)
    asked = [point_asked_about(question_id) for question_id in talk.last_asked]
    return take_in(talk, statements_in(text, language, asked=asked, turn=turn, stated_at=said_at))


@given(MESSAGES, LANGUAGES, DOSES)
@settings(max_examples=150)
def test_a_talk_only_moves_forward_unless_it_is_corrected(messages: list[str], language: Language, dose: int) -> None:
    talk, put = Talk(GENERAL), list[str]()
    for turn, text in enumerate(messages):
        before = talk
        talk = heard(talk, text, turn, language)
        assert talk.progress == sum(weight for point, weight in WEIGHTS.items() if talk.statement_of(point))
        if not is_correction(text, language):
            assert talk.progress >= before.progress
            assert ORDER.index(talk.stage) >= ORDER.index(before.stage)
        assert (talk.stage is Stage.PLANNING) == (talk.progress >= PLAN_THRESHOLD)
        questions = next_questions(talk, language, most=dose)
        assert len(questions) <= dose
        assert {question.point for question in questions} <= set(talk.missing)
        assert not {question.id for question in questions} & set(talk.asked)
        talk = put_questions(talk, [question.id for question in questions])
        put += [question.id for question in questions]
    if not any(is_correction(text, language) for text in messages):
        assert len(put) == len(set(put))
    assert request_plan(talk).stage is Stage.PLANNING


@given(MESSAGES, LANGUAGES)
@settings(max_examples=100)
def test_everything_known_stands_in_a_message(messages: list[str], language: Language) -> None:
    talk = Talk(GENERAL)
    for turn, text in enumerate(messages):
        talk = heard(talk, text, turn, language)
    said = "".join("".join(messages).split())
    assert all("".join(known.text.split()) in said or " " in known.text for known in talk.known)


@given(st.lists(st.tuples(st.sampled_from(list(Point)), st.text(max_size=12)), max_size=6), WORDS, LANGUAGES)
@settings(max_examples=150)
def test_a_model_adds_nothing_that_was_not_said(claims: list[tuple[Point, str]], text: str, language: Language) -> None:
    value = {"statements": [{"point": point, "words": words} for point, words in claims]}
    found = grounded(value, text, turn=1, stated_at=NOW)
    by_rules = opening_statements(text, language, turn=1, stated_at=NOW) if text else ()
    together = merged(found, by_rules, sure={})
    assert len({known.point for known in together}) == len(together)
    letters = "".join(character for character in text.lower() if character.isalnum())
    for known in found:
        assert all("".join(filter(str.isalnum, part.lower())) in letters for part in known.text.split())


@given(st.sets(st.sampled_from(list(Point))), LANGUAGES)
def test_the_bar_shows_the_percentage(points: set[Point], language: Language) -> None:
    talk = Talk(GENERAL, tuple(Known(point, "x", 1, NOW) for point in points))
    line = progress(talk, language)
    assert f"{talk.progress}%" in line
    assert line.count("■") == talk.progress * BAR // 100 and line.count("■") + line.count("□") == BAR
