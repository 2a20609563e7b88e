"""The life of a streamed message."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import KENTA, TEAM
from app.playground.small_slack import SmallSlack, is_streaming, visible_text

Refusal = Callable[[Awaitable[Any]], Awaitable[str]]
TO_KENTA = {"recipient_user_id": KENTA, "recipient_team_id": TEAM}


async def test_text_grows_and_ends_with_blocks(slack: SmallSlack, client: AsyncWebClient):
    sent = await slack.mention("質問")
    ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, markdown_text="まず", **TO_KENTA))["ts"]
    assert not slack.is_settled(sent)
    await client.chat_appendStream(channel=sent.channel, ts=ts, markdown_text="価値を")
    [message] = slack.answers_to(sent)
    assert is_streaming(message) and visible_text(message) == "まず価値を"
    source = {"type": "context", "elements": [{"type": "mrkdwn", "text": "出典: 手引き"}]}
    await client.chat_stopStream(channel=sent.channel, ts=ts, markdown_text="話す。", blocks=[source])
    [message] = await slack.wait_for_final(sent)
    assert visible_text(message) == "まず価値を話す。\n出典: 手引き"
    changes = [entry["change"] for entry in slack.record.of("visible", ts=ts)]
    assert changes == ["stream_started", "streamed", "stream_stopped"]


async def test_the_official_helper_works(slack: SmallSlack, client: AsyncWebClient):
    sent = await slack.dm("質問")
    stream = await client.chat_stream(channel=sent.channel, thread_ts=sent.ts, buffer_size=4, **TO_KENTA)
    for piece in ("ああ", "いい", "うう"):
        await stream.append(markdown_text=piece)
    await stream.stop()
    assert visible_text((await slack.wait_for_final(sent))[0]) == "ああいいうう"


@pytest.mark.parametrize("missing, error", [(0, "missing_recipient_user_id"), (1, "missing_recipient_team_id")])
async def test_channels_want_a_recipient(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, missing: int, error: str):
    sent = await slack.mention("質問")
    recipient = dict(item for number, item in enumerate(TO_KENTA.items()) if number != missing)
    assert await refusal(client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, **recipient)) == error


async def test_an_open_stream_cannot_be_edited_and_a_closed_one_not_continued(
    slack: SmallSlack, client: AsyncWebClient, refusal: Refusal
):
    sent = await slack.dm("質問")
    ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts))["ts"]
    assert await refusal(client.chat_update(channel=sent.channel, ts=ts, text="x")) == "streaming_state_conflict"
    await client.chat_stopStream(channel=sent.channel, ts=ts, markdown_text="終わり")
    append = client.chat_appendStream(channel=sent.channel, ts=ts, markdown_text="x")
    assert await refusal(append) == "message_not_in_streaming_state"
    await client.chat_update(channel=sent.channel, ts=ts, text="直しました")


async def test_a_stream_ends_after_five_minutes(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    sent = await slack.dm("質問")
    ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, markdown_text="途中"))["ts"]
    slack.clock.advance(301)
    stop = client.chat_stopStream(channel=sent.channel, ts=ts, markdown_text="終わり")
    assert await refusal(stop) == "message_not_in_streaming_state"
    await client.chat_update(channel=sent.channel, ts=ts, text="途中から終わりまで")


async def test_the_person_stops_it(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, listening_app: Any):
    sent = await slack.dm("質問")
    ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, markdown_text="途中"))["ts"]
    delivery = await slack.stop(sent.ts, channel=sent.channel)
    assert delivery.envelope["event"]["streaming_message_ts"] == [ts]
    assert await refusal(client.chat_appendStream(channel=sent.channel, ts=ts, markdown_text="x")) == "stopped_by_user"
    assert await refusal(client.chat_stopStream(channel=sent.channel, ts=ts)) == "stopped_by_user"


async def test_length_is_limited_per_call_and_in_sum(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    sent = await slack.dm("質問")
    ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, markdown_text="字" * 7_000))["ts"]
    append = client.chat_appendStream
    assert await refusal(append(channel=sent.channel, ts=ts, markdown_text="字" * 12_001)) == "msg_too_long"
    assert await refusal(append(channel=sent.channel, ts=ts, markdown_text="字" * 6_201)) == "msg_blocks_too_long"
    await append(channel=sent.channel, ts=ts, markdown_text="字" * 6_200)
