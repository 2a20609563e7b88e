"""The reply on a real inbox and a small Slack: one whole message, whatever happens on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import LostClaim, SlackRateLimited, SlackRefused, SlackUnavailable
from app.inbox.claim import Claim
from app.inbox.inbox import Inbox
from app.playground.demo_workspace import SALES_CHANNEL
from app.slack import placement
from app.slack.janitor import Janitor
from app.slack.limits import SharedBudget
from app.slack.markdown import JOINER
from app.slack.reply import Reply
from app.storage.database import Database
from tests.with_services.reply_desk import BLOCKS, CALM, Counter, block_types, markdown_of, open_counter

ANSWER = "まず理由を伺います。そのうえで、価値を数字で示します。"
NO_STREAMS = SharedBudget(streams_per_minute=0)
NO_EDITS = SharedBudget(streams_per_minute=0, edits_per_minute=0)


@pytest.fixture
async def counter(
    database: Database, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Counter]:
    monkeypatch.setattr(placement, "LOOKS_AFTER_A_LOST_ANSWER", (0.0, 0.0))
    async with open_counter(database, database_url, redis_url) as opened:
        yield opened


async def shown(counter: Counter, method: str, times: int = 1) -> None:
    """Until Slack has been called that often."""
    async with asyncio.timeout(10):
        while counter.slack.record.calls_per_method[method] < times:  # noqa: ASYNC110 - it happens in another server
            await asyncio.sleep(0.005)


async def answer_in(reply: Reply, counter: Counter, text: str = ANSWER, *, first_seen_by: str = "chat.appendStream") -> None:
    """As a listener does it: the first words are seen before the answer is complete."""
    async with reply:
        await reply.show_work()
        await reply.until_stopped(_written(reply, counter, text, first_seen_by))
        await reply.finish(text, blocks=BLOCKS)


async def _written(reply: Reply, counter: Counter, text: str, method: str) -> None:
    reply.write(text[:5])
    if method:
        await shown(counter, method)
    for sign in text[5:]:
        reply.write(sign)


async def assert_answered_once(counter: Counter, claimed: Any, text: str = ANSWER) -> None:
    (message,) = counter.said(claimed)
    assert markdown_of(message) == text
    assert block_types(message)[-1] == "context"
    assert message["metadata"]["event_payload"] == {"inbox": claimed.claim.inbox_id, "part": 0}
    assert message.get("streaming_state") != "in_progress"
    assert await counter.outcome(claimed) == "answered"


async def test_a_short_answer_streams_with_three_calls(counter: Counter):
    claimed = await counter.claimed()
    await answer_in(counter.reply(claimed, counter.desk(pace=CALM)), counter)
    assert counter.calls() == ["chat.startStream", "chat.appendStream", "chat.stopStream"]
    await assert_answered_once(counter, claimed)


async def test_what_is_safe_is_shown_while_it_is_written(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write("<!channel> **価格**は")
        await shown(counter, "chat.appendStream")
        assert counter.said(claimed)[0]["text"] == "&lt;!channel&gt; **価格**は"
        await reply.finish("<!channel> **価格**は十分です。", blocks=())
    assert markdown_of(counter.said(claimed)[0]) == "&lt;!channel&gt; **価格**は十分です。"


async def test_an_answer_without_any_sign_of_work_is_one_call(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.finish(ANSWER, blocks=BLOCKS)
    assert counter.calls() == ["chat.postMessage"]
    await assert_answered_once(counter, claimed)


async def test_without_stream_budget_a_placeholder_is_edited(counter: Counter):
    claimed = await counter.claimed()
    await answer_in(counter.reply(claimed, counter.desk(budget=NO_STREAMS)), counter, first_seen_by="chat.update")
    assert counter.calls()[0] == "chat.postMessage" and "chat.startStream" not in counter.calls()
    await assert_answered_once(counter, claimed)


async def test_without_any_budget_the_answer_is_posted_once_whole(counter: Counter):
    claimed = await counter.claimed()
    await answer_in(counter.reply(claimed, counter.desk(budget=NO_EDITS)), counter, first_seen_by="assistant.threads.setStatus")
    assert counter.calls() == ["assistant.threads.setStatus", "chat.postMessage"]
    await assert_answered_once(counter, claimed)


async def test_the_budgets_are_shared_by_all_desks(counter: Counter):
    budget = SharedBudget(streams_per_minute=2)
    for _ in range(3):
        claimed = await counter.claimed()
        await answer_in(counter.reply(claimed, counter.desk(pace=CALM, budget=budget)), counter, first_seen_by="")
        await assert_answered_once(counter, claimed)
    assert counter.calls().count("chat.startStream") == 2


@pytest.mark.parametrize(("kind", "facts"), [("rate_limit", {"seconds": 60}), ("error", {"error": "channel_type_not_supported"})])
async def test_a_refused_stream_becomes_a_placeholder_at_once(counter: Counter, kind: str, facts: dict[str, Any]):
    claimed = await counter.claimed()
    counter.slack.faults.add("chat.startStream", kind, **facts)
    await answer_in(counter.reply(claimed), counter, first_seen_by="chat.update")
    assert "conversations.replies" not in counter.calls()  # a refusal leaves no doubt
    await assert_answered_once(counter, claimed)


@pytest.mark.parametrize("kind", ["lost_response", "server_error_after"])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
async def test_a_lost_answer_of_a_stream_call_doubles_nothing(counter: Counter, method: str, kind: str):
    claimed = await counter.claimed()
    counter.slack.faults.add(method, kind)
    await answer_in(counter.reply(claimed, counter.desk(pace=CALM)), counter)
    await assert_answered_once(counter, claimed)


@pytest.mark.parametrize("kind", ["lost_response", "server_error_after"])
@pytest.mark.parametrize(("method", "budget"), [("chat.postMessage", NO_STREAMS), ("chat.update", NO_STREAMS), ("*", NO_EDITS)])
async def test_a_lost_answer_of_a_post_or_edit_doubles_nothing(counter: Counter, method: str, budget: SharedBudget, kind: str):
    claimed = await counter.claimed()
    counter.slack.faults.add(method, kind, skip=1 if method == "*" else 0)
    await answer_in(counter.reply(claimed, counter.desk(budget=budget)), counter, first_seen_by="")
    await assert_answered_once(counter, claimed)


async def test_a_call_that_never_arrived_is_left_to_the_next_attempt(counter: Counter):
    inbox_id = await counter.asked()
    counter.slack.faults.add("chat.postMessage", "lost_request")
    with pytest.raises(SlackUnavailable):
        async with counter.reply(await counter.claim(inbox_id)) as reply:
            await reply.finish(ANSWER, blocks=BLOCKS)
    again = await counter.claim(inbox_id)
    async with counter.reply(again) as reply:
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, again)


async def test_a_failed_attempt_leaves_its_message_to_the_next(counter: Counter):
    inbox_id = await counter.asked()
    with pytest.raises(SlackUnavailable):
        async with counter.reply(await counter.claim(inbox_id)) as reply:
            await reply.show_work()
            reply.write("途中まで書いた、消える")
            await shown(counter, "chat.appendStream")
            raise SlackUnavailable("anything that passes")
    again = await counter.claim(inbox_id)
    await answer_in(counter.reply(again), counter, first_seen_by="")
    await assert_answered_once(counter, again)


class CrashingLedger:
    """The inbox of a process that dies at one step."""

    def __init__(self, inbox: Inbox, dies_in: str) -> None:
        self._inbox = inbox
        self._dies_in = dies_in

    def __getattr__(self, name: str) -> Any:
        if name == self._dies_in:
            raise KeyboardInterrupt
        return getattr(self._inbox, name)


@pytest.mark.parametrize("step", ["intend_part", "record_part", "finish"])
@pytest.mark.parametrize("budget", [SharedBudget(), NO_STREAMS, NO_EDITS])
async def test_the_next_worker_finds_what_a_dead_one_posted(counter: Counter, step: str, budget: SharedBudget):
    inbox_id = await counter.asked()
    ledger = CrashingLedger(counter.inbox, step)
    first = counter.reply(await counter.claim(inbox_id), counter.desk(budget=budget, ledger=ledger))
    with pytest.raises(KeyboardInterrupt):
        await first._live.begin()  # without the task, which would take the loop down with it
        await first.finish(ANSWER, blocks=BLOCKS)
    again = await counter.claim(inbox_id)
    await answer_in(counter.reply(again), counter, first_seen_by="")
    await assert_answered_once(counter, again)


async def test_who_posts_after_being_overtaken_takes_it_back(counter: Counter):
    inbox_id = await counter.asked()
    frozen = counter.reply(await counter.claim(inbox_id), counter.desk(pace=CALM))
    original = counter.client.start_stream

    async def overtaken_first(**facts: Any) -> str:
        counter.client.start_stream = original  # type: ignore[method-assign]
        again = await counter.claim(inbox_id)
        await answer_in(counter.reply(again, counter.desk(pace=CALM)), counter)
        return await original(**facts)

    counter.client.start_stream = overtaken_first  # type: ignore[method-assign]  # the freeze stands between fence and call
    with pytest.raises(LostClaim):
        async with frozen:
            await frozen._live.begin()
    (message,) = counter.said(await _any_claim(counter, inbox_id))
    assert markdown_of(message) == ANSWER


async def _any_claim(counter: Counter, inbox_id: int) -> Any:
    async with counter.database.transaction() as session:
        await session.execute("update inbox set done_at = null where id = $1", inbox_id)
    return await counter.claim(inbox_id)


async def test_an_overtaken_worker_stops_asking_the_model(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        await shown(counter, "chat.startStream")
        await counter.claim(claimed.claim.inbox_id)
        reply._placement._ours_until = 0.0
        reply.write("もう誰も読みません。")
        with pytest.raises(LostClaim):
            await reply.until_stopped(asyncio.sleep(3600))


@pytest.mark.parametrize("budget", [SharedBudget(), NO_STREAMS])
async def test_a_message_that_vanished_is_posted_anew(counter: Counter, budget: SharedBudget):
    claimed = await counter.claimed()
    async with counter.reply(claimed, counter.desk(pace=CALM, budget=budget)) as reply:
        await reply.show_work()
        await shown(counter, "chat.startStream" if budget.streams_per_minute else "chat.postMessage")
        await counter.client.delete_message(channel_id=SALES_CHANNEL, ts=counter.said(claimed)[0]["ts"])
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_a_stream_that_slack_ended_goes_on_by_edits(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write(ANSWER[:10])
        await shown(counter, "chat.appendStream")
        counter.slack.clock.advance(301)
        reply.write(ANSWER[10:20])
        await shown(counter, "chat.appendStream", 2)
        reply.write(ANSWER[20:25])
        await shown(counter, "chat.update")
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_a_stream_that_ends_unnoticed_is_completed_by_an_edit(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write(ANSWER[:10])
        await shown(counter, "chat.appendStream")
        counter.slack.clock.advance(301)
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_what_was_void_is_replaced(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write("最初のモデルの、途中で切れた答え")
        await shown(counter, "chat.appendStream")
        reply.start_over()
        reply.write(ANSWER)
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_a_final_text_that_differs_from_the_stream_wins(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write("出典のない数字は 100 です。")
        await shown(counter, "chat.appendStream")
        await reply.finish(ANSWER, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_a_kept_draft_is_offered_and_finished(counter: Counter):
    inbox_id = await counter.asked()
    await counter.keep_draft(await counter.claim(inbox_id), ANSWER)
    again = await counter.claim(inbox_id)
    async with counter.reply(again) as reply:
        assert reply.text_kept == ANSWER
        await reply.finish(reply.text_kept, blocks=BLOCKS)
    await assert_answered_once(counter, again)


async def test_stop_keeps_what_was_said_and_marks_it(counter: Counter):
    claimed = await counter.claimed()
    was_cancelled = asyncio.Event()
    async with counter.reply(claimed) as reply:
        await reply.show_work()

        async def endless() -> str:
            try:
                reply.write("まず理由を")
                await shown(counter, "chat.appendStream")
                assert await counter.stops.stop(claimed.envelope.conversation)
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                was_cancelled.set()
                raise
            return ""

        assert await reply.until_stopped(endless()) is None
    (message,) = counter.said(claimed)
    assert markdown_of(message) == "まず理由を\n\n_（停止のご指示により、ここで終了しました。）_"
    assert was_cancelled.is_set() and await counter.outcome(claimed) == "stopped"


async def test_a_stream_cut_by_the_person_stops_the_work_too(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        reply.write("まず理由を")
        await shown(counter, "chat.appendStream")
        await counter.slack.stop(claimed.envelope.message_ts or "", channel=SALES_CHANNEL)
        reply.write("伺います")
        assert await reply.until_stopped(asyncio.sleep(3600)) is None
    (message,) = counter.said(claimed)
    assert markdown_of(message).startswith("まず理由を伺います\n\n_（停止")
    session = counter.slack.channel(SALES_CHANNEL).sessions[claimed.envelope.message_ts or ""]
    assert session["status"] == "active"


async def test_a_finished_answer_beats_a_late_stop(counter: Counter):
    claimed = await counter.claimed()

    stopped = asyncio.Event()

    class HeardInTheSameMoment:
        def watch(self, conversation: str) -> Any:
            return contextlib.nullcontext(stopped)

    async def work() -> str:
        stopped.set()
        return ANSWER

    async with counter.reply(claimed) as reply:
        reply._stops = HeardInTheSameMoment()
        await reply.show_work()
        text = await reply.until_stopped(work())
        assert text == ANSWER
        await reply.finish(text, blocks=BLOCKS)
    await assert_answered_once(counter, claimed)


async def test_a_failure_of_the_work_comes_out(counter: Counter):
    async def fails() -> str:
        raise ValueError("the model's")

    async with counter.reply(await counter.claimed()) as reply:
        await reply.show_work()
        with pytest.raises(ValueError, match="the model's"):
            await reply.until_stopped(fails())


@pytest.mark.parametrize("code", ["token_revoked", "channel_not_found", "is_archived", "not_in_channel"])
async def test_a_final_refusal_stops_the_work_at_once(counter: Counter, code: str):
    counter.slack.faults.add("chat.startStream", "error", error=code)
    async with counter.reply(await counter.claimed()) as reply:
        await reply.show_work()
        with pytest.raises(SlackRefused) as refused:
            await reply.until_stopped(asyncio.sleep(3600))
    assert refused.value.code == code
    assert counter.calls() == ["chat.startStream"]


async def test_a_long_text_becomes_several_messages_cut_between_sentences(counter: Counter):
    claimed = await counter.claimed()
    text = "値引きの前に理由を確かめます。\n" * 1000
    await answer_in(counter.reply(claimed, counter.desk(pace=CALM)), counter, text)
    messages = counter.said(claimed)
    assert len(messages) == 2 and [block_types(one)[-1] for one in messages] == ["markdown", "context"]
    assert all(markdown_of(one).rstrip().endswith("。") for one in messages)
    assert sum(markdown_of(one).count("値引き") for one in messages) == 1000
    assert [one["metadata"]["event_payload"]["part"] for one in messages] == [0, 1]


async def test_a_long_text_that_broke_off_is_completed_without_repeating(counter: Counter):
    inbox_id = await counter.asked()
    text = "値引きの前に理由を確かめます。\n" * 2000
    counter.slack.faults.add("chat.postMessage", "rate_limit", seconds=60, skip=1)
    with pytest.raises(SlackRateLimited):
        async with counter.reply(await counter.claim(inbox_id)) as reply:
            await reply.show_work()
            await reply.finish(text, blocks=BLOCKS)
    counter.client._paused_until.clear()
    again = await counter.claim(inbox_id)
    updates = counter.calls().count("chat.update")
    async with counter.reply(again) as reply:
        await reply.finish(text, blocks=BLOCKS)
    assert sum(markdown_of(one).count("値引き") for one in counter.said(again)) == 2000
    assert counter.calls().count("chat.update") == updates  # a finished part is not touched again


async def test_a_long_pause_is_left_to_the_job_and_a_short_one_is_waited_out(counter: Counter):
    inbox_id = await counter.asked()
    counter.slack.faults.add("chat.stopStream", "rate_limit", seconds=60)
    with pytest.raises(SlackRateLimited) as limited:
        await answer_in(counter.reply(await counter.claim(inbox_id)), counter)
    assert limited.value.retry_after_seconds == 60
    counter.client._paused_until.clear()
    counter.slack.faults.add("chat.stopStream", "rate_limit", seconds=0)
    again = await counter.claim(inbox_id)
    await answer_in(counter.reply(again), counter, first_seen_by="")
    await assert_answered_once(counter, again)


async def test_refused_blocks_leave_the_text(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.finish(ANSWER, blocks=[{"type": "no such block"}])
    (message,) = counter.said(claimed)
    assert message["text"].replace(JOINER, "") == ANSWER


async def test_leftovers_of_overtaken_workers_are_removed_and_answers_are_not(counter: Counter):
    first, second, third = [await counter.asked() for _ in range(3)]
    for inbox_id in (first, second):
        await counter.claim(inbox_id)
        await answer_in(counter.reply(await counter.claim(inbox_id), counter.desk(pace=CALM)), counter, first_seen_by="")
    await answer_in(counter.reply(await counter.claim(third), counter.desk(pace=CALM)), counter, first_seen_by="")
    threads = {inbox_id: await _thread(counter, inbox_id) for inbox_id in (first, second)}
    metadata = placement.metadata_of(first, 0)
    await counter.client.post_message(channel_id=SALES_CHANNEL, thread_ts=threads[first], text="考えています…", metadata=metadata)
    await counter.client.start_stream(
        channel_id=SALES_CHANNEL, thread_ts=threads[second], recipient_user_id="U0KENTA0001", recipient_team_id="T0DEMO00001"
    )
    await counter.client.post_message(channel_id=SALES_CHANNEL, thread_ts=threads[second], text="関係のない投稿")
    janitor = Janitor(counter.client, counter.inbox, settled_for=timedelta(0))
    assert await janitor() == 2
    assert await janitor() == 0
    place = counter.slack.channel(SALES_CHANNEL)
    texts = [place.messages[ts]["text"] for thread in threads.values() for ts in place.threads[thread]]
    assert texts == [ANSWER, ANSWER, "関係のない投稿"]


async def _thread(counter: Counter, inbox_id: int) -> str:
    async with counter.database.reading() as session:
        ts: str = await session.fetch_value("select message_ts from inbox where id = $1", inbox_id)
    return ts


async def test_a_message_that_never_became_final_is_removed_when_its_event_has_ended(counter: Counter):
    claimed = await counter.claimed()
    async with counter.reply(claimed) as reply:
        await reply.show_work()
        await shown(counter, "chat.startStream")
    await counter.inbox.finish(Claim(claimed.claim.team_id, claimed.claim.inbox_id, claimed.claim.epoch), outcome="dead")
    assert await Janitor(counter.client, counter.inbox, settled_for=timedelta(0))() == 1
    assert counter.said(claimed) == []
