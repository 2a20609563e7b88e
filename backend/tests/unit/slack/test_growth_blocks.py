"""History and growth on the screen: Slack takes it whatever a person has, and it says what it should in every language."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.assistant.show_growth import Growth, growth_of
from app.assistant.show_history import PersonalHistory
from app.coaching.growth.repository import Evidence, Tally
from app.coaching.growth.taxonomy import Skill, Taxonomy, own_taxonomy
from app.coaching.memory.insight import Kind, StatedBy
from app.coaching.memory.repository import ShownMemory
from app.coaching.plan.plan import MAX_TEXT, MAX_TITLE, Category, PlannedAction, Priority
from app.coaching.plan.repository import ItemStatus, PlanItem
from app.dialogue.conversation import Conversation
from app.dialogue.turn import PastSession
from app.i18n.language import Language
from app.i18n.messages import catalog
from app.people.personal_data import PERSONAL_DATA
from app.slack.blocks.forget import forget_modal, forget_offer, forgetting_modal
from app.slack.blocks.history import PastTalk, history_blocks
from app.slack.blocks.validate import problems_of, problems_of_view
from app.slack.growth_chart import ALT_TEXT, alt_text, chart_of, in_lines, legend
from app.slack.history import Wish, WishKind, wish_of

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
TODAY = date(2026, 4, 1)
WORST = ["", "価格の根拠を話す", "あ" * 20_000, "&" * 5_000, "<!channel>" * 400, "a\n" * 3_000, "👨‍👩‍👧‍👦" * 2_000]


def a_growth(taxonomy: Taxonomy | None = None, *, pieces: int = 6) -> Growth:
    taxonomy = taxonomy or own_taxonomy()
    evidence = [
        Evidence(skill.id, "plan_item", f"plan_item:{n}", 1.0, 1.0, NOW - timedelta(days=3 * n))
        for skill in taxonomy.skills for n in range(pieces)
    ]  # fmt: skip
    return growth_of(evidence, ["negotiation"], taxonomy, now=NOW, days=30)


def an_item(text: str) -> PlanItem:
    action = PlannedAction(text[:MAX_TITLE], text[:MAX_TEXT], Priority.HIGH, TODAY, Category.CUSTOMER, text[:MAX_TEXT])
    return PlanItem(1, 1, action, ItemStatus.OPEN, 0, None, None)


def a_history(text: str, **more: Any) -> PersonalHistory:
    session = PastSession("s", text, Conversation("T1", "D1", "1.1", is_direct=True), None, NOW, NOW, 2)
    memory = ShownMemory(1, Kind.STRENGTH, text, 0.9, StatedBy.COACH, NOW, None)
    given_values: dict[str, Any] = {
        "days": 30, "sessions": [session] * 100, "tally": Tally(9, 1, 20, 3, 4, 2, 1), "open_items": [an_item(text)] * 5,
        "unjudged": an_item(text), "growth": a_growth(), "insights": [memory] * 5, "weeks_in_a_row": 4,
    }  # fmt: skip
    return PersonalHistory(**(given_values | more))


EMPTY = PersonalHistory(30, (), Tally(), (), None, growth_of([], [], own_taxonomy(), now=NOW, days=30), (), 0)


def shown(history: PersonalHistory, language: Language = Language.JAPANESE) -> str:
    talks = [PastTalk(session.title, TODAY) for session in history.sessions]
    return json.dumps(history_blocks(history, talks, language, TODAY), ensure_ascii=False)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
def test_slack_takes_every_history(text: str, language: Language) -> None:
    history = a_history(text)
    assert problems_of(history_blocks(history, [PastTalk(text, TODAY)] * 40, language, TODAY)) == []


@pytest.mark.parametrize("language", Language)
def test_slack_takes_what_is_shown_to_somebody_new_and_what_asks_before_erasing(language: Language) -> None:
    assert problems_of(history_blocks(EMPTY, (), language, TODAY)) == []
    assert problems_of(forget_offer(language)) == []
    assert problems_of_view(forget_modal(language)) == [] == problems_of_view(forgetting_modal(language))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", [data.name for data in PERSONAL_DATA])
def test_every_class_of_personal_data_has_a_name_people_read(name: str, language: Language) -> None:
    assert f"growth.data.{name.replace(' ', '_')}" in catalog(language)


@pytest.mark.parametrize("language", Language)
def test_every_kind_of_insight_and_every_word_to_type_is_there(language: Language) -> None:
    assert all(f"growth.kind.{kind}" in catalog(language) for kind in Kind)
    word = catalog(language)["growth.forget.word"]
    assert word in json.dumps(forget_modal(language), ensure_ascii=False)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=300) | st.text("<>!@#|&*_`~ .:/channelhttpsU", max_size=200))
def test_nothing_a_person_wrote_pings_or_links(text: str) -> None:
    assert not any(sign in shown(a_history(text)) for sign in ("<!", "<@", "<#", "<http"))


def test_figures_say_what_they_were_counted_from() -> None:
    words = shown(a_history("x"))
    for part in (
        "100件以上",
        "20件（期限を過ぎたもの3件）",
        "69%（期限が来た13件のうち9件）",
        "71%（結果を教えていただいた7件から）",
        "4週連続",
    ):
        assert part in words, part


def test_without_enough_told_there_is_no_rate() -> None:
    words = shown(a_history("x", tally=Tally(done=2, reached=2)))
    assert "成功率*\\nデータ不足" in words and "100%（期限が来た2件のうち2件）" in words
    assert "期限の来た行動がまだありません" in shown(a_history("x", tally=Tally(open=2)))


@pytest.mark.parametrize("language", Language)
def test_the_picture_says_the_same_as_the_words(language: Language) -> None:
    growth = a_growth()
    chart = chart_of(growth, language, UTC)
    assert [row.name for row in chart.rows] == [one.skill.name(language) for one in growth.known]
    assert all(row.levels[-1] is not None and 0 <= row.low[-1] <= row.levels[-1] <= row.high[-1] <= 1 for row in chart.rows)
    assert chart.rows[0].levels[0] is None  # nothing was known a month ago
    assert all(row.name in alt_text(growth, language) for row in chart.rows)
    assert len(chart.lines) == 4


def test_a_picture_in_english_comes_with_its_names() -> None:
    assert "Prospecting = 新規開拓" in legend(a_growth(), Language.JAPANESE)


def test_a_company_with_many_skills_gets_an_alt_text_and_lines_that_fit() -> None:
    names = dict.fromkeys(Language, "とても長い名前のスキル" * 3)
    growth = a_growth(Taxonomy(tuple(Skill(f"s{n}", (), names, names) for n in range(20))))
    assert len(alt_text(growth, Language.JAPANESE)) <= ALT_TEXT
    nothing = growth_of([], [], Taxonomy(tuple(one.skill for one in growth.skills)), now=NOW, days=30)
    notes = chart_of(nothing, Language.JAPANESE, UTC).notes
    assert len(notes) > 5 and "".join(notes[1:]).count(names[Language.JAPANESE]) == 20


@given(st.lists(st.text("あいうabc", min_size=1, max_size=30), min_size=1, max_size=30))
def test_lines_lose_nothing(pieces: list[str]) -> None:
    assert "".join(in_lines("、".join(pieces), "、")) == "、".join(pieces)


@pytest.mark.parametrize(
    "text, wish",
    [
        ("", Wish(WishKind.SHOW, 30)), ("30d", Wish(WishKind.SHOW, 30)), ("７ｄ", Wish(WishKind.SHOW, 7)),
        ("90日", Wish(WishKind.SHOW, 90)), ("14", Wish(WishKind.SHOW, 14)), ("365 days", Wish(WishKind.SHOW, 365)),
        (" EXPORT ", Wish(WishKind.EXPORT)), ("書き出し", Wish(WishKind.EXPORT)), ("导出", Wish(WishKind.EXPORT)),
        ("delete", Wish(WishKind.FORGET)), ("削除", Wish(WishKind.FORGET)), ("删除", Wish(WishKind.FORGET)),
        ("0d", Wish(WishKind.UNKNOWN)), ("366d", Wish(WishKind.UNKNOWN)), ("delete all", Wish(WishKind.UNKNOWN)),
        ("@kenta", Wish(WishKind.UNKNOWN)), ("-7d", Wish(WishKind.UNKNOWN)),
    ],
)  # fmt: skip
def test_what_is_typed_is_understood_in_any_width_and_language(text: str, wish: Wish) -> None:
    assert wish_of(text) == wish
