"""Home, reminders and the windows of plan items: whatever a person has, Slack takes it, and it says what it should."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.assistant.change_plan import Changed, Outcome
from app.assistant.show_growth import growth_of
from app.assistant.show_home import MOST_ITEMS, MOST_MEMORIES, MOST_TALKS, HomePage, focus_of
from app.coaching.growth.repository import Evidence, Tally
from app.coaching.growth.taxonomy import own_taxonomy
from app.coaching.memory.insight import Kind, StatedBy
from app.coaching.memory.repository import ShownMemory
from app.coaching.plan.plan import MAX_TEXT, MAX_TITLE, Category, PlannedAction, Priority
from app.coaching.plan.repository import ItemStatus, PlanItem
from app.dialogue.conversation import Conversation
from app.dialogue.turn import PastSession
from app.i18n.language import Language
from app.people.person import Dose, Person, Persona, Visibility
from app.slack.blocks.help import About
from app.slack.blocks.home import blank_view, home_view, refusal_view
from app.slack.blocks.plan import plan_item_blocks
from app.slack.blocks.plan_forms import (
    drop_modal,
    edit_modal,
    notice_modal,
    postpone_modal,
    sentence_about,
    shown_blocks,
    with_item,
)
from app.slack.blocks.reminder import reminder_blocks, reminder_text
from app.slack.blocks.validate import problems_of, problems_of_view

TODAY = date(2026, 4, 1)  # a Wednesday
NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
ABOUT = About(name="AI営業支援", version="1", is_offline=True)
PERSON = Person("T1", "U1", Language.JAPANESE)
WORST = [
    "",
    " ",
    "価格の根拠を話す",
    "あ" * 20_000,
    "&" * 5_000,
    "<!channel>" * 400,
    "a\n" * 3_000,
    "*_~`" * 900,
    "👨‍👩‍👧‍👦" * 2_000,
]


def an_item(
    number: int = 1, title: str = "3社に電話する", *, due_on: date = TODAY, status: ItemStatus = ItemStatus.OPEN
) -> PlanItem:
    action = PlannedAction(title[:MAX_TITLE], title[:MAX_TEXT], Priority.HIGH, due_on, Category.CUSTOMER, title[:MAX_TEXT])
    return PlanItem(number, 1, action, status, 0, None, None)


def a_page(text: str = "価格の根拠を話す", *, count: int = 100, person: Person = PERSON) -> HomePage:
    items = [an_item(n, text, due_on=TODAY + timedelta(days=n - 3)) for n in range(1, count + 1)]
    taxonomy = own_taxonomy()
    evidence = [
        Evidence(skill.id, "plan_item", f"plan_item:{n}", 1.0, 1.0, NOW - timedelta(days=n))
        for skill in taxonomy.skills for n in range(min(count, 20))
    ]  # fmt: skip
    growth = growth_of(evidence, ["negotiation"] if count else [], taxonomy, now=NOW, days=90)
    where = Conversation("T1", "D1", "1.1", True)
    memories = [
        ShownMemory(n, Kind.GOAL, text, 0.9, StatedBy.COACH, NOW, where) for n in range(min(count, MOST_MEMORIES))
    ]  # fmt: skip
    talks = [PastSession(str(n), text, where, Language.JAPANESE, NOW, NOW, 2) for n in range(min(count, MOST_TALKS))]
    tally = Tally(done=count, open=count, overdue=min(count, 2))
    focus = focus_of(items, "negotiation" if count else None, growth, taxonomy, today=TODAY)
    return HomePage(person, TODAY, focus, items[:MOST_ITEMS], count, growth, memories, talks, len(talks), tally)


VIEWS: dict[str, Callable[[str, Language], dict[str, Any]]] = {
    "home, very full": lambda text, language: home_view(a_page(text, count=2000), language=language, about=ABOUT),
    "home, usual": lambda text, language: home_view(a_page(text, count=4), language=language, about=ABOUT),
    "home, empty": lambda _, language: home_view(a_page(count=0), language=language, about=ABOUT),
    "home of somebody forgotten": lambda _, language: blank_view(language),
    "home for strangers": lambda _, language: refusal_view(language),
    "postpone": lambda text, language: postpone_modal(an_item(title=text), language, suggested=TODAY, about=text[:100]),
    "edit": lambda text, language: edit_modal(an_item(title=text), language, about="{}"),
    "drop": lambda text, language: drop_modal(an_item(title=text), language, about="{}"),
    "notice": lambda text, language: notice_modal(
        sentence_about(Changed(Outcome.CHANGED, an_item(title=text), was_moved=True), "postponed", language), language
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_every_view(name: str, text: str, language: Language) -> None:
    view = VIEWS[name](text, language)
    assert problems_of_view(view) == []
    assert len(json.dumps(view, ensure_ascii=False).encode()) < 250_000


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
def test_slack_would_take_every_reminder(text: str, language: Language) -> None:
    for due_on in (TODAY, TODAY - timedelta(days=3), TODAY + timedelta(days=3)):
        item = an_item(title=text, due_on=due_on)
        assert problems_of(reminder_blocks(item, language, TODAY)) == []
        assert problems_of(reminder_blocks(item, language, TODAY, note="済みました")) == []
        assert "<!channel>" not in json.dumps(reminder_blocks(item, language, TODAY)) + reminder_text(item, language, TODAY)


def test_every_item_on_home_says_who_sees_it() -> None:
    view = home_view(a_page(count=3), language=Language.JAPANESE, about=ABOUT)
    shown = [block["text"]["text"] for block in view["blocks"] if str(block.get("block_id", "")).startswith("plan_item:")
             and block["type"] == "section"]  # fmt: skip
    assert len(shown) == 3 and all("公開範囲: 非公開" in text for text in shown)


def test_what_does_not_fit_on_home_is_counted() -> None:
    shown = json.dumps(home_view(a_page(count=40), language=Language.JAPANESE, about=ABOUT), ensure_ascii=False)
    assert "ほかに30件" in shown


def test_an_empty_home_says_how_to_begin() -> None:
    shown = json.dumps(home_view(a_page(count=0), language=Language.JAPANESE, about=ABOUT), ensure_ascii=False)
    for part in (
        "まだ重点は決まっていません",
        "進行中の行動はありません",
        "まだ覚えていることはありません",
        "まだ会話がありません",
        "データ不足",
    ):
        assert part in shown


def test_the_settings_show_what_holds() -> None:
    person = Person(
        "T1", "U1", Language.ENGLISH, language_is_chosen=True, dose=Dose.FULL, dose_is_chosen=True, persona=Persona.DIRECT,
        reminders_on=False, visibility=Visibility.TEAM_NUMBERS,
    )  # fmt: skip
    chosen = {
        block["accessory"]["action_id"]: block["accessory"]["initial_option"]["value"]
        for block in home_view(a_page(person=person), language=Language.ENGLISH, about=ABOUT)["blocks"]
        if "initial_option" in block.get("accessory", {})
    }
    assert chosen == {
        "choose_language": "en", "choose_dose": "full", "choose_persona": "direct", "choose_visibility": "team_numbers",
    }  # fmt: skip


def test_who_has_chosen_nothing_sees_that_it_is_automatic() -> None:
    view = home_view(a_page(), language=Language.JAPANESE, about=ABOUT)
    chosen = [block["accessory"]["initial_option"]["value"] for block in view["blocks"]
              if "initial_option" in block.get("accessory", {})]  # fmt: skip
    assert chosen == ["auto", "auto", "supportive", "private"]


def test_the_focus_is_the_next_item_its_skill_and_what_is_due_until_sunday() -> None:
    focus = a_page(count=20).focus
    assert focus.next_item is not None and focus.next_item.id == 1
    assert focus.skill is not None and "negotiation" in focus.skill.topics
    assert (focus.overdue, focus.due_this_week) == (2, 5)  # from Wednesday to Sunday


def test_without_a_plan_the_focus_is_the_skill_of_the_latest_talk() -> None:
    taxonomy = own_taxonomy()
    growth = growth_of([], [], taxonomy, now=NOW, days=90)
    focus = focus_of([], "negotiation", growth, taxonomy, today=TODAY)
    assert focus.skill is not None and "negotiation" in focus.skill.topics


def test_only_the_blocks_of_one_item_are_replaced() -> None:
    items = [an_item(1), an_item(12), an_item(2)]
    blocks = [{"type": "divider"}, *plan_item_blocks(items, Language.JAPANESE, TODAY), {"type": "divider"}]
    done = plan_item_blocks([an_item(1, status=ItemStatus.DONE)], Language.JAPANESE, TODAY)
    shown = with_item(blocks, 1, done)
    assert [block.get("block_id") for block in shown] == [
        None, "plan_item:1", "plan_item:12", "plan_item:12:2", "plan_item:2", "plan_item:2:2", None,
    ]  # fmt: skip
    assert "完了" in json.dumps(shown[1], ensure_ascii=False)
    assert with_item(blocks, 99, done) == blocks


def test_the_text_of_a_streamed_answer_stays_when_its_blocks_are_changed() -> None:
    blocks = [{"type": "section", "block_id": "plan_item:1"}]
    listed = [{"type": "rich_text", "elements": []}, *blocks]
    assert shown_blocks({"text": "計画です", "thread_ts": "1.1", "blocks": blocks})[0] == {"type": "markdown", "text": "計画です"}
    assert shown_blocks({"text": "計画です", "thread_ts": "1.1", "blocks": listed}) == listed
    assert shown_blocks({"text": "お知らせ", "blocks": blocks}) == blocks, "a reminder's text is for notifications"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("done", ["done", "reopened", "dropped", "postponed", "edited"])
@pytest.mark.parametrize("outcome", Outcome)
def test_there_is_a_sentence_for_whatever_comes_of_a_change(outcome: Outcome, done: str, language: Language) -> None:
    for status in ItemStatus:
        assert sentence_about(Changed(outcome, an_item(status=status)), done, language)
    assert sentence_about(Changed(outcome, None), done, language)
