"""What stands under the turns of a guided talk, with the worst that may be put into it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.assistant.guide_talk import Course, Guided, Way
from app.assistant.question import Question
from app.coaching.plan.plan import Category, PlannedAction, Priority
from app.coaching.plan.repository import ItemStatus, PlanItem
from app.coaching.talk.repository import OpenTalk
from app.coaching.talk.state import Talk
from app.dialogue.conversation import Conversation
from app.i18n.language import Language
from app.inbox.claim import Claim
from app.people.person import Person
from app.slack.blocks.talk import WISH_ACTION, note_on_answer, talk_footer
from app.slack.blocks.validate import problems_of
from app.slack.markdown import LinkPolicy
from tests.unit.coaching.passages import DISCOUNT

TODAY = date(2026, 4, 1)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
WORST = ["", "値引き", "あ" * 20_000, "&" * 5_000, "<!channel>" * 400, "a\n" * 3_000, "*_~`" * 900, "👨‍👩‍👧‍👦" * 2_000]


def items(text: str) -> tuple[PlanItem, ...]:
    action = PlannedAction(text, text, Priority.HIGH, date(2026, 4, 3), Category.CUSTOMER, text)
    return tuple(
        PlanItem(number, 1, action, status, 0, None, None)
        for number, status in enumerate([*ItemStatus, ItemStatus.OPEN, ItemStatus.OPEN], start=1)
    )


def course(*, is_open: bool = False, offers_talk: bool = False) -> Course:
    where = Conversation("T1", "D1", "1.1", is_direct=True)
    question = Question(Person("T1", "U1"), where, "値引き", NOW, Language.JAPANESE, Claim("T1", 2**62, 1))
    talk = OpenTalk(1, "T1", "U1", Talk("prospecting")) if is_open else None
    return Course(Way.ANSWER, question, talk=talk, offers_talk=offers_talk)


@pytest.mark.parametrize("text", WORST)
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("is_plan", [True, False])
def test_every_turn_fits_into_slack(text: str, language: Language, *, is_plan: bool) -> None:
    guided = Guided(
        text, language, not is_plan, is_plan=is_plan, items=items(text), sources=(replace(DISCOUNT, title=text, source=text),)
    )
    links = LinkPolicy(frozenset({"wiki.example.com"}))
    assert problems_of(talk_footer(guided, event=2**62, today=TODAY, links=links, needs_mention=True)) == []


def actions_in(blocks: list[dict[str, object]]) -> list[str]:
    return WISH_ACTION.findall(str(blocks))


def test_an_open_talk_offers_the_plan_and_the_answer() -> None:
    assert actions_in(talk_footer(Guided("…", Language.JAPANESE, is_open=True), event=1, today=TODAY)) == ["plan", "answer"]


def test_a_plan_offers_neither_and_asks_whether_it_helped() -> None:
    footer = talk_footer(Guided("…", Language.JAPANESE, is_open=False, is_plan=True), event=1, today=TODAY)
    assert actions_in(footer) == []
    assert footer[0]["type"] == "context_actions"


@pytest.mark.parametrize("language", list(Language))
def test_an_answer_offers_what_fits_its_place(language: Language) -> None:
    assert actions_in(note_on_answer(course(offers_talk=True), language)) == ["talk"]
    assert actions_in(note_on_answer(course(is_open=True, offers_talk=True), language)) == ["plan"]
    assert note_on_answer(course(), language) == []
    assert problems_of(note_on_answer(course(offers_talk=True), language)) == []
