"""Posting, editing, reading and deleting, as Slack does them and as it refuses them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import KENTA, SALES_CHANNEL
from app.playground.small_slack import SmallSlack, visible_text

Refusal = Callable[[Awaitable[Any]], Awaitable[str]]


async def test_a_reply_is_found_again_by_its_metadata(slack: SmallSlack, client: AsyncWebClient):
    sent = await slack.mention("値引きを求められたら？")
    await client.chat_postMessage(
        channel=sent.channel,
        thread_ts=sent.ts,
        text="考えています",
        metadata={"event_type": "reply", "event_payload": {"id": "7"}},
    )
    without = await client.conversations_replies(channel=sent.channel, ts=sent.ts)
    found = await client.conversations_replies(channel=sent.channel, ts=sent.ts, include_all_metadata=True)
    assert "metadata" not in without["messages"][1]
    assert found["messages"][1]["metadata"]["event_payload"] == {"id": "7"}
    assert found["messages"][0]["reply_count"] == 1


async def test_an_edit_replaces_text_and_blocks_and_is_marked(slack: SmallSlack, client: AsyncWebClient):
    posted = await client.chat_postMessage(channel=SALES_CHANNEL, text="a", blocks=[{"type": "markdown", "text": "**a**"}])
    await client.chat_update(channel=SALES_CHANNEL, ts=posted["ts"], text="b")
    message = slack.channel().messages[posted["ts"]]
    assert visible_text(message) == "b"
    assert "blocks" not in message
    assert message["edited"]["user"] == slack.workspace().bot_user_id


async def test_time_stamps_are_unique_and_increase(client: AsyncWebClient):
    stamps = [(await client.chat_postMessage(channel=SALES_CHANNEL, text="x"))["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    "content, error",
    [
        ({"text": ""}, "no_text"),
        ({"markdown_text": "字" * 12_001}, "msg_too_long"),
        ({"markdown_text": "a", "text": "b"}, "markdown_text_conflict"),
        ({"text": "a", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "字" * 6_700}] * 2}, "msg_blocks_too_long"),
        ({"text": "a", "blocks": "{"}, "invalid_blocks_format"),
        ({"text": "a", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"text": "a", "channel": "C0NOWHERE"}, "channel_not_found"),
        ({"text": "a", "metadata": {"event_payload": {}}}, "invalid_metadata_format"),
    ],
)
async def test_refused_posts(client: AsyncWebClient, refusal: Refusal, content: dict[str, Any], error: str):
    assert await refusal(client.api_call("chat.postMessage", json={"channel": SALES_CHANNEL, **content})) == error


async def test_edits_are_limited_to_4000_characters(client: AsyncWebClient, refusal: Refusal):
    ts = (await client.chat_postMessage(channel=SALES_CHANNEL, text="字" * 4_001))["ts"]
    assert await refusal(client.chat_update(channel=SALES_CHANNEL, ts=ts, text="字" * 4_001)) == "msg_too_long"
    await client.chat_update(channel=SALES_CHANNEL, ts=ts, text="字" * 4_000)


async def test_only_own_messages_can_be_changed(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    sent = await slack.mention("質問")
    assert await refusal(client.chat_update(channel=sent.channel, ts=sent.ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=sent.channel, ts=sent.ts)) == "cant_delete_message"
    assert await refusal(client.chat_update(channel=sent.channel, ts="1.000000", text="x")) == "message_not_found"


async def test_archived_channels_and_revoked_tokens(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    slack.channel().is_archived = True
    assert await refusal(client.chat_postMessage(channel=SALES_CHANNEL, text="x")) == "is_archived"
    slack.workspace().is_revoked = True
    assert await refusal(client.auth_test()) == "token_revoked"
    client.token = "xoxb-unknown"
    assert await refusal(client.auth_test()) == "invalid_auth"
    client.token = None
    assert await refusal(client.auth_test()) == "not_authed"


async def test_a_deleted_root_stays_as_a_tombstone_while_it_has_replies(slack: SmallSlack, client: AsyncWebClient):
    root = await client.chat_postMessage(channel=SALES_CHANNEL, text="root")
    await client.chat_postMessage(channel=SALES_CHANNEL, text="reply", thread_ts=root["ts"])
    await client.chat_delete(channel=SALES_CHANNEL, ts=root["ts"])
    replies = await client.conversations_replies(channel=SALES_CHANNEL, ts=root["ts"])
    assert [message.get("subtype") for message in replies["messages"]] == ["tombstone", None]


async def test_ephemeral_messages_are_for_one_person(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    answer = await client.chat_postEphemeral(channel=SALES_CHANNEL, user=KENTA, text="内緒です")
    assert [message["ts"] for message in slack.ephemerals_for(KENTA)] == [answer["message_ts"]]
    assert (await client.conversations_history(channel=SALES_CHANNEL))["messages"] == []
    assert await refusal(client.chat_update(channel=SALES_CHANNEL, ts=answer["message_ts"], text="x")) == "message_not_found"


async def test_two_workspaces_do_not_see_each_other(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    other = slack.add_workspace("T0OTHER0001", number=2)
    other.add_user("U0OTHER0001", "他社")
    other.add_channel("C0OTHER0001", "other")
    assert await refusal(client.chat_postMessage(channel="C0OTHER0001", text="x")) == "channel_not_found"
    client.token = other.bot_token
    assert (await client.auth_test())["team_id"] == "T0OTHER0001"
    await client.chat_postMessage(channel="C0OTHER0001", text="x")


async def test_locale_is_told_only_when_asked(client: AsyncWebClient):
    assert "locale" not in (await client.users_info(user=KENTA))["user"]
    assert (await client.users_info(user=KENTA, include_locale=True))["user"]["locale"] == "ja-JP"


async def test_reading_goes_page_by_page(client: AsyncWebClient):
    for number in range(5):
        await client.chat_postMessage(channel=SALES_CHANNEL, text=str(number))
    first = await client.conversations_history(channel=SALES_CHANNEL, limit=3)
    rest = await client.conversations_history(channel=SALES_CHANNEL, limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert [m["text"] for m in [*first["messages"], *rest["messages"]]] == ["4", "3", "2", "1", "0"]
    assert first["has_more"] and not rest["has_more"]


async def test_files_are_uploaded_and_shared(slack: SmallSlack, client: AsyncWebClient):
    await client.files_upload_v2(content=b"a,b\n", filename="growth.csv", channel=SALES_CHANNEL, initial_comment="記録です")
    [message] = slack.channel().messages.values()
    assert message["files"][0]["name"] == "growth.csv"
    assert slack.workspace().contents[message["files"][0]["id"]] == b"a,b\n"
