"""F7 over the whole product: whatever Slack's Web API does to a call, people read each message once, or it ends in the dead list.

Each fault meets a question of its own, all of them at once where they do not disturb each other.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.composition import open_cipher
from app.knowledge.notices.notice import NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.playground.demo_workspace import KENTA, TEAM, YOKO
from app.playground.small_slack import Sent, visible_text
from app.playground.validation import Refused
from app.slack.listeners import slash
from tests.doubles.files import price_faq
from tests.doubles.model_server import says
from tests.doubles.plans import keep_plan
from tests.doubles.product import Json, Product, open_product, until

QUESTION = "値引きを求められたらどうしますか？"
ANSWER = ("まず理由を", "伺い、", "価値を", "示します。")
PASSING = {
    "429": {"kind": "rate_limit", "seconds": 1},
    "500": {"kind": "server_error"},
    "500 after it was done": {"kind": "server_error_after"},
    "lost response": {"kind": "lost_response"},
    "lost request": {"kind": "lost_request"},
    "ratelimited": {"kind": "error", "error": "ratelimited"},
    "internal_error": {"kind": "error", "error": "internal_error"},
}  # fmt: skip
LASTING = ("token_revoked", "channel_not_found", "is_archived")
# The start comes last: once it was refused, the next streams are not begun for a while.
STREAMED = ("chat.appendStream", "chat.stopStream", "chat.startStream")
EDITED = ("chat.postMessage", "chat.update")


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path) as opened:
        opened.model.respond = lambda _body: says(*ANSWER, piece_seconds=0.05)
        yield opened


@pytest.fixture
async def editing(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    """Without any budget for streams: a placeholder is posted and edited."""
    async with open_product(database_url, redis_url, tmp_path, slack_stream_starts_per_minute=0) as opened:
        opened.model.respond = lambda _body: says(*ANSWER, piece_seconds=0.05)
        yield opened


async def ask(product: Product) -> tuple[Sent, list[Json]]:
    asked = await product.slack.mention(QUESTION)
    return asked, await product.final(asked)


def calls_of(product: Product, method: str) -> list[Json]:
    return product.slack.record.of("call", method=method)


def is_the_answer(message: Json) -> bool:
    return visible_text(message).startswith("".join(ANSWER))


async def dead(product: Product) -> list[tuple[str, int]]:
    return [(letter.kind, letter.attempts) for letter in await product.services.inbox.dead_letters(TEAM)]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_fault_that_passes_leaves_one_answer_whichever_call_of_a_stream_it_strikes(
    product: Product, fault: dict[str, Any]
) -> None:
    for method in STREAMED:
        product.slack.faults.clear()
        armed = product.slack.faults.add(method, **fault)
        _, answers = await ask(product)
        assert armed.struck == 1, method
        assert len(answers) == 1 and is_the_answer(answers[0]), method
    assert await dead(product) == [] and set(await product.outcomes()) == {"answered"}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_fault_that_passes_leaves_one_answer_whichever_call_of_an_edited_message_it_strikes(
    editing: Product, fault: dict[str, Any]
) -> None:
    for method in EDITED:
        editing.slack.faults.clear()
        armed = editing.slack.faults.add(method, **fault)
        _, answers = await ask(editing)
        assert armed.struck == 1, method
        assert len(answers) == 1 and is_the_answer(answers[0]), method
    assert await dead(editing) == [] and set(await editing.outcomes()) == {"answered"}


async def is_waited_for(product: Product, method: str) -> None:
    product.slack.faults.clear()
    product.slack.faults.add(method, "rate_limit", seconds=2)
    before = len(calls_of(product, method))
    _, answers = await ask(product)
    assert len(answers) == 1 and is_the_answer(answers[0]), method
    refused, *later = calls_of(product, method)[before:]
    assert not refused["ok"] and all(call["at"] - refused["at"] >= 2.0 for call in later), method


async def test_no_call_of_a_stream_is_tried_again_before_slack_allows_it(product: Product) -> None:
    for method in STREAMED:
        await is_waited_for(product, method)


async def test_no_call_of_an_edited_message_is_tried_again_before_slack_allows_it(editing: Product) -> None:
    for method in EDITED:
        await is_waited_for(editing, method)


@pytest.mark.parametrize("error", LASTING)
@pytest.mark.parametrize("method", ["*", *STREAMED])
async def test_a_fault_that_stays_ends_in_the_dead_list_after_one_try(product: Product, method: str, error: str) -> None:
    """``token_revoked`` is every call's fault; the others are those of a place, and so of every call about it."""
    await product.edge.people.find(TEAM, KENTA)
    product.slack.faults.add(method, "error", error=error, times=999)
    if method != "*":
        product.slack.faults.add("chat.update", "error", error=error, times=999)
        product.slack.faults.add("chat.postMessage", "error", error=error, times=999)
    await product.slack.mention(QUESTION)
    await product.until_quiet()
    assert await dead(product) == [("message", 1)]
    [row] = await product.rows("select reference from inbox")
    assert row["reference"].startswith("E-")


@pytest.mark.parametrize("error", LASTING)
async def test_a_fault_that_stays_while_a_message_is_edited_ends_in_the_dead_list_too(editing: Product, error: str) -> None:
    editing.slack.faults.add("chat.update", "error", error=error, times=999)
    await editing.slack.mention(QUESTION)
    await editing.until_quiet()
    assert await dead(editing) == [("message", 1)]


async def test_others_are_answered_while_one_place_is_closed(product: Product) -> None:
    product.slack.faults.add("*", "error", error="is_archived", times=999, channel=product.slack.channel(None).id)
    await product.slack.mention(QUESTION)
    [answer] = await product.final(await product.slack.dm(QUESTION, user=YOKO))
    assert is_the_answer(answer)
    await product.until_quiet()
    assert await dead(product) == [("message", 1)]


# What is said without having been asked


def direct(product: Product, user: str) -> list[Json]:
    """What the coach has written into somebody's direct messages."""
    bot = product.slack.workspace().bot_user_id
    return [one for one in product.slack.workspace().direct(user).messages.values() if one.get("user") == bot]


async def remind(product: Product) -> None:
    """The morning on which the only item of a plan is due."""
    await product.edge.people.find(TEAM, KENTA)
    async with product.services.database.transaction() as session:
        cipher = open_cipher(product.services.settings)
        await keep_plan(session, cipher, team_id=TEAM, user_id=KENTA, now=product.clock.now(), titles=("3社に電話する",))
    [row] = await product.rows("select min(remind_at) as moment from plan_items")
    product.advance_to(row["moment"] + timedelta(minutes=1))


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("method", ["conversations.open", "chat.postMessage"])
async def test_a_reminder_is_said_once(product: Product, method: str, fault: dict[str, Any]) -> None:
    await remind(product)
    armed = product.slack.faults.add(method, **fault)
    await product.services.send_reminders()
    for _ in range(3):
        product.advance(minutes=6)
        await product.services.send_reminders()
    assert armed.struck == 1 and len(direct(product, KENTA)) == 1


@pytest.mark.parametrize("error", LASTING)
async def test_a_reminder_that_is_refused_for_good_is_not_repeated_for_ever(product: Product, error: str) -> None:
    await remind(product)
    armed = product.slack.faults.add("chat.postMessage", "error", error=error, times=999)
    for _ in range(3):
        await product.services.send_reminders()
        product.advance(minutes=6)
    # A revoked token says nothing about the person: it may be mended within the day.
    assert armed.struck == (3 if error == "token_revoked" else 1)
    product.advance(hours=25)
    await product.services.send_reminders()
    assert await product.rows("select 1 from plan_reminders where done_at is null") == []


async def notify(product: Product) -> None:
    """An owner is to look at an entry again."""
    await product.edge.people.find(TEAM, YOKO)
    await product.knows("値引きの決まり", "10%まで営業が決められます。")
    [entry] = await product.rows("select id from knowledge_entries")
    async with product.services.database.transaction() as session:
        await NoticeRepository(session).add(
            TEAM, NoticeKind.STALE, "entry:1", to=[YOKO], at=product.clock.now(), details=[entry["id"]]
        )


async def until_notices_are_done(product: Product, *, at_least: int = 1) -> None:
    """However long the product leaves one alone that it could not deliver: ``at_least`` so many times."""
    taken = 0

    async def are_done() -> bool:
        nonlocal taken
        left = await product.rows("select epoch from knowledge_notices where done_at is null")
        if any(row["epoch"] > taken for row in left):
            taken = max(row["epoch"] for row in left)
            await asyncio.sleep(0.5)
            product.advance(minutes=6)
        return not left

    await until(are_done)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("method", ["conversations.open", "chat.postMessage"])
async def test_a_notice_about_knowledge_is_said_once(product: Product, method: str, fault: dict[str, Any]) -> None:
    armed = product.slack.faults.add(method, **fault)
    await notify(product)
    await until_notices_are_done(product)
    assert armed.struck == 1 and len(direct(product, YOKO)) == 1


@pytest.mark.parametrize("error", LASTING)
async def test_a_notice_that_is_refused_for_good_is_tried_once_and_the_next_ones_are_delivered(
    product: Product, error: str
) -> None:
    armed = product.slack.faults.add("chat.postMessage", "error", error=error, times=1)
    await notify(product)
    await until_notices_are_done(product)
    [row] = await product.rows("select outcome, epoch from knowledge_notices")
    assert (row["outcome"], row["epoch"], armed.struck) == ("refused", 1, 1)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_what_an_import_tells_on_its_way_stands_in_one_message_and_nothing_is_imported_twice(
    product: Product, fault: dict[str, Any]
) -> None:
    for number, method in enumerate((*STREAMED, "files.info"), start=1):
        product.slack.faults.clear()
        armed = product.slack.faults.add(method, **fault)
        file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
        answers = await product.final(await product.slack.dm("", files=[file], user=YOKO))
        assert armed.struck == 1 and len(answers) == 1, method
        assert ("新規 4 件" if number == 1 else "変更なし 4 件") in visible_text(answers[0]), method
    assert len(await product.rows("select 1 from knowledge_entries")) == 4
    assert set(await product.outcomes()) == {"answered"}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_plan_stands_in_one_message(product: Product, fault: dict[str, Any]) -> None:
    for method in STREAMED:
        product.slack.faults.clear()
        armed = product.slack.faults.add(method, **fault)
        product.model.respond = lambda _body: says("これはJSONではありません")
        asked = await product.slack.dm("提案のあと、お客様からの返事が来なくなって困っています。行動計画を作ってください。")
        answers = await product.final(asked)
        assert len(answers) == 1, method
        assert armed.struck == 1 or method == "chat.appendStream", method
    assert set(await product.outcomes()) == {"answered"} and await dead(product) == []


@pytest.mark.parametrize("fault", [{"kind": "rate_limit", "seconds": 2}, {"kind": "server_error"}], ids=["429", "500"])
async def test_the_answer_to_a_command_comes_when_slack_takes_it_again(
    product: Product, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slash, "QUICK_SECONDS", 0.0)
    await product.knows("値引きの決まり", "10%まで営業が決められます。")
    product.slack.faults.add("response_url", **fault)
    assert (await product.slack.command("/ai_knowledge", "値引きの決まり")).is_ok
    await product.until_quiet()
    refused, taken = calls_of(product, "response_url") if fault["kind"] == "rate_limit" else [{"at": 0}, {"at": 2}]
    assert taken["at"] - refused["at"] >= 2.0
    _, answer = product.slack.ephemerals_for(KENTA)  # the first says that it is being looked up
    assert "10%まで" in visible_text(answer) and await product.outcomes() == ["answered"]


async def test_a_command_that_nobody_can_be_told_of_any_more_is_dead_after_one_try(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slash, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(product.slack.response_urls, "use", _expired)
    await product.slack.command("/ai_knowledge", "値引きの決まり")
    await product.until_quiet()
    assert await dead(product) == [("command", 1)]


def _expired(*_: Any) -> None:
    raise Refused("expired_url")
