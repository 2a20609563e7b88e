"""Inside a talk: questions, answers, corrections, hesitation, told apart by rules; a model's reading, checked by code."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.coaching.plan.by_model import PlanMaterial, checked_plan
from app.coaching.plan.by_rules import plan_by_rules
from app.coaching.talk.by_model import grounded, merged
from app.coaching.talk.state import Known, Point, Talk, learn, put_questions, take_in
from app.coaching.talk.topics import topics
from app.coaching.talk.understand import (
    asks_clearly,
    corrections_in,
    hesitates,
    is_correction,
    knows_no_answer,
    opening_statements,
    statements_in,
    told_before_asking,
    wants_plan_now,
)
from app.core.errors import ModelReplyInvalid
from app.i18n.language import Language
from tests.unit.coaching.passages import DISCOUNT

JA, EN, ZH = Language.JAPANESE, Language.ENGLISH, Language.CHINESE
NOW = datetime(2026, 4, 28, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("先週A社に「高い」と言われました。どう返せばいいですか？", JA),
        ("ところで、SPINとは？", JA),
        ("いい例文はありますか", JA),
        ("ヒアリングの型を教えてください", JA),
        ("What is SPIN?", EN),
        ("They went quiet. How do I follow up?", EN),
        ("这种情况怎么办？", ZH),
        ("可以给个例子吗", ZH),
    ],
)
def test_a_clear_question_is_one_inside_a_talk_too(text: str, language: Language) -> None:
    assert asks_clearly(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("月5件くらいでしょうか？", JA),
        ("「どうして高いんですか」と聞かれました", JA),
        ("使っている方法はメールです", JA),
        ("上司に教えてもらっています", JA),
        ("何をすればいいか分からないです", JA),
        ("Maybe five by June?", EN),
        ("They asked why it costs so much.", EN),
        ("大概五家吧？", ZH),
        ("客户问我为什么这么贵", ZH),
    ],
)
def test_an_answer_is_no_question_however_it_sounds(text: str, language: Language) -> None:
    assert not asks_clearly(text, language)


def test_what_a_question_tells_by_the_way_is_not_lost() -> None:
    assert told_before_asking("先週A社に断られました。どう返せばいいですか？", JA) == "先週A社に断られました。"


@pytest.mark.parametrize("text", ["うーん", "ちょっと待って", "hmm...", "嗯", "そうですね…", "考えます"])
def test_hesitation_is_no_answer(text: str) -> None:
    assert hesitates(text)


@pytest.mark.parametrize("text", ["5件です", "電話", "はい", "待ってもらえませんでした"])
def test_short_answers_are_answers(text: str) -> None:
    assert not hesitates(text)


@pytest.mark.parametrize(("text", "language", "is_open"), [
    ("特にないです", JA, True), ("まだわかりません", JA, True), ("時間がありません", JA, False), ("not sure", EN, True),
    ("不清楚", ZH, True),
])  # fmt: skip
def test_no_answer_is_told_from_having_nothing(text: str, language: Language, *, is_open: bool) -> None:
    assert knows_no_answer(text, language) is is_open


def test_a_goal_with_the_word_plan_in_it_is_no_wish_for_the_plan() -> None:
    assert wants_plan_now("もう計画をお願いします", JA)
    assert not wants_plan_now("来月までに既存のお客様3社ぶんの営業計画を作り直して、上司に見てもらえる状態にしたいです", JA)


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("違います、目標は月3件です", JA, {Point.GOAL: "目標は月3件です"}),
        ("訂正します。使える時間は週に1時間だけです。", JA, {Point.RESOURCES: "使える時間は週に1時間だけです。"}),
        ("目標の件は忘れてください", JA, {Point.GOAL: ""}),
        ("違います。A社ではなくB社です", JA, {Point.SITUATION: "A社ではなくB社です"}),
        ("No, my goal is three meetings a month", EN, {Point.GOAL: "my goal is three meetings a month"}),
        ("不对，我的目标是每月三家", ZH, {Point.GOAL: "我的目标是每月三家"}),
    ],
)
def test_a_correction_replaces_the_point_it_names(text: str, language: Language, told: dict[Point, str]) -> None:
    assert is_correction(text, language)
    found = corrections_in(text, language, last=Point.SITUATION, turn=2, stated_at=NOW)
    assert {known.point: known.text for known in found} == told


def test_a_point_that_is_taken_back_may_be_asked_about_again() -> None:
    talk = put_questions(Talk("prospecting", (Known(Point.GOAL, "5件", 1, NOW),)), ["prospecting.goal.1"])
    emptied = take_in(talk, [Known(Point.GOAL, "", 2, NOW)], is_correction=True)
    assert emptied.progress == 0 and emptied.asked == ()


def test_a_remark_in_passing_does_not_replace_an_answer() -> None:
    talk = learn(Talk("prospecting"), [Known(Point.PROBLEM, "アポが取れない", 1, NOW)])
    assert take_in(talk, [Known(Point.PROBLEM, "断られて困った", 2, NOW)]) == talk


def test_one_sentence_answers_one_question() -> None:
    told = statements_in("週に6件は訪問できる状態にしたいです", JA, asked=[Point.GOAL], turn=1, stated_at=NOW)
    assert [known.point for known in told] == [Point.GOAL]


def test_the_opening_names_the_problem_and_what_else_it_tells() -> None:
    told = opening_statements("新規開拓で苦戦しています。目標は月5件です。", JA, turn=1, stated_at=NOW)
    assert {known.point: known.text for known in told} == {
        Point.PROBLEM: "新規開拓で苦戦しています。", Point.GOAL: "目標は月5件です。",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language"), [("困っています。", JA), ("悩んでいます", JA), ("I'm stuck.", EN), ("很困扰。", ZH)]
)
def test_a_sigh_alone_names_no_problem(text: str, language: Language) -> None:
    assert opening_statements(text, language, turn=1, stated_at=NOW) == ()


def test_a_real_answer_takes_the_place_of_none() -> None:
    talk = learn(Talk("prospecting"), [Known(Point.GOAL, "特にないです", 1, NOW)])
    later = Known(Point.GOAL, "月に3件です", 2, NOW)
    assert take_in(talk, [later], unclear=[Point.GOAL]).statement_of(Point.GOAL) == later


def test_a_plan_does_not_lead_to_not_knowing() -> None:
    talk = learn(
        Talk("prospecting"), [Known(Point.PROBLEM, "アポが取れません。", 1, NOW), Known(Point.GOAL, "特にないです", 2, NOW)]
    )
    summary = plan_by_rules(talk, JA, now=NOW, time_zone="Asia/Tokyo").summary
    assert "「アポが取れません」" in summary and "特にない" not in summary


# A model's reading

ANSWER = "1. 先週A社で断られました\n2. 月5件です"


def claims(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"statements": [{"point": point, "words": words} for point, words in pairs]}


def test_words_nobody_said_are_left_out() -> None:
    found = grounded(claims(("goal", "月5件です"), ("skill", "話し方が得意")), ANSWER, turn=1, stated_at=NOW)
    assert [(known.point, known.text) for known in found] == [(Point.GOAL, "月5件です")]


def test_the_same_words_speak_for_one_point_only() -> None:
    found = grounded(claims(("goal", "月5件です"), ("skill", "5件")), ANSWER, turn=1, stated_at=NOW)
    assert [known.point for known in found] == [Point.GOAL]


@pytest.mark.parametrize("value", [[], {}, {"statements": "x"}, {"statements": [1]}, claims(("mood", "月5件です"))])
def test_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ModelReplyInvalid):
        grounded(value, ANSWER, turn=1, stated_at=NOW)


def test_a_statement_that_swallows_the_whole_message_is_none() -> None:
    by_rules = statements_in(ANSWER, JA, asked=[Point.SITUATION, Point.GOAL], turn=1, stated_at=NOW)
    found = grounded(claims(("skill", ANSWER)), ANSWER, turn=1, stated_at=NOW)
    assert merged(found, by_rules, sure={}) == by_rules


def test_a_numbered_answer_belongs_to_its_question_whatever_a_model_says() -> None:
    by_rules = statements_in(ANSWER, JA, asked=[Point.SITUATION, Point.GOAL], turn=1, stated_at=NOW)
    found = grounded(claims(("skill", "月5件です")), ANSWER, turn=1, stated_at=NOW)
    assert merged(found, by_rules, sure={known.point: known.text for known in by_rules}) == by_rules


# A model's plan

MATERIAL = PlanMaterial(Talk("prospecting"), JA, NOW, "Asia/Tokyo", passages=(DISCOUNT,), most_actions=2)
ACTION = {
    "title": "最初の一言を書く", "description": "二文で書きます。", "priority": "high", "due_on": "2026-05-03",
    "category": "practice", "success_metric": "一言が書けている",
}  # fmt: skip


def plan_of(*actions: dict[str, Any], **changes: Any) -> str:
    plan = {"summary": "次の電話の計画です。", "actions": list(actions), "rhythm": "weekly", "entries": [DISCOUNT.entry_id, 9]}
    return json.dumps({**plan, **changes}, ensure_ascii=False)


def test_a_valid_plan_falls_on_working_days_and_names_only_what_it_was_given() -> None:
    plan = checked_plan(plan_of(ACTION), MATERIAL)
    assert plan.actions[0].due_on == date(2026, 5, 7)  # a Sunday, then three holidays
    assert plan.entries == (DISCOUNT.entry_id,)


@pytest.mark.parametrize(
    "text",
    [
        plan_of(),
        plan_of({**ACTION, "due_on": "2026-04-28"}),
        plan_of({**ACTION, "due_on": "2027-04-28"}),
        plan_of({**ACTION, "title": ""}),
        plan_of(ACTION, {**ACTION, "title": "二つめ"}, {**ACTION, "title": "三つめ"}),
        plan_of({**ACTION, "description": "あなたは営業に向いていません。"}),
        plan_of(
            {**ACTION, "title": "Call ten", "description": "Call them.", "success_metric": "Ten calls."},
            summary="Here is what you should do with your calls.",
        ),
    ],
)
def test_a_broken_plan_is_refused(text: str) -> None:
    with pytest.raises(ModelReplyInvalid):
        checked_plan(text, MATERIAL)


@pytest.mark.parametrize("language", list(Language))
def test_what_was_planned_before_is_not_planned_again(language: Language) -> None:
    first = plan_by_rules(Talk("prospecting"), language, now=NOW, time_zone="Asia/Tokyo", most=2)
    before = {action.title for action in first.actions}
    second = plan_by_rules(Talk("prospecting"), language, now=NOW, time_zone="Asia/Tokyo", planned_before=before)
    assert not before & {action.title for action in second.actions}
    everything = {action.title for topic in topics(language).values() for action in topic.actions}
    assert plan_by_rules(Talk("prospecting"), language, now=NOW, time_zone="Asia/Tokyo", planned_before=everything).actions


def test_what_the_company_knows_becomes_part_of_the_plan() -> None:
    plan = plan_by_rules(Talk("prospecting"), JA, now=NOW, time_zone="Asia/Tokyo", knowledge=[DISCOUNT], most=2)
    assert DISCOUNT.title in plan.actions[-1].title and plan.entries == (DISCOUNT.entry_id,)
