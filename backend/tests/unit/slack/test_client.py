"""The wall to Slack's Web API: what is waited out, what is repeated, what comes out as which error."""

import ast
import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import app.slack
from app.core.errors import SlackRateLimited, SlackRefused, SlackUnavailable
from app.core.transaction_guard import transaction_open
from app.playground.demo_workspace import BOT_TOKEN, KENTA, SALES_CHANNEL
from app.playground.slack_server import SlackServer
from app.playground.small_slack import SmallSlack
from app.slack.client import SlackClient


@pytest.fixture
async def slack() -> AsyncIterator[SmallSlack]:
    async with SlackServer() as opened:
        yield opened


@pytest.fixture
async def client(slack: SmallSlack) -> AsyncIterator[SlackClient]:
    async with SlackClient.open(BOT_TOKEN, base_url=f"{slack.api.base_url}/api/") as opened:
        yield opened


async def post(client: SlackClient, **facts: Any) -> str:
    return await client.post_message(channel_id=SALES_CHANNEL, thread_ts=None, text="こんにちは", **facts)


async def test_a_short_pause_is_waited_out(slack: SmallSlack, client: SlackClient):
    slack.faults.add("chat.postMessage", "rate_limit", seconds=0, times=2)
    ts = await post(client)
    assert slack.channel(SALES_CHANNEL).messages[ts]["text"] == "こんにちは"


async def test_a_long_pause_comes_out_and_the_next_call_does_not_even_ask(slack: SmallSlack, client: SlackClient):
    slack.faults.add("chat.postMessage", "rate_limit", seconds=300)
    for _ in range(2):
        with pytest.raises(SlackRateLimited) as limited:
            await post(client)
        assert 299 < limited.value.retry_after_seconds <= 300
    assert slack.record.calls_per_method["chat.postMessage"] == 1
    await client.post_ephemeral(channel_id=SALES_CHANNEL, user_id=KENTA, text="他の方法は別です")


@pytest.mark.parametrize("kind", ["lost_response", "lost_request", "server_error", "server_error_after"])
async def test_a_post_whose_fate_is_unknown_is_never_sent_again(slack: SmallSlack, client: SlackClient, kind: str):
    slack.faults.add("chat.postMessage", kind)
    with pytest.raises(SlackUnavailable):
        await post(client)
    assert slack.record.calls_per_method["chat.postMessage"] == 1


async def test_what_changes_nothing_when_done_twice_is_repeated(slack: SmallSlack, client: SlackClient):
    ts = await post(client)
    slack.faults.add("chat.update", "lost_response", times=2)
    await client.update_message(channel_id=SALES_CHANNEL, ts=ts, text="新しい文")
    assert slack.channel(SALES_CHANNEL).messages[ts]["text"] == "新しい文"


async def test_a_refusal_carries_slacks_code(slack: SmallSlack, client: SlackClient):
    with pytest.raises(SlackRefused) as refused:
        await client.post_message(channel_id="C0NOWHERE01", thread_ts=None, text="x")
    assert refused.value.code == "channel_not_found"


async def test_a_passing_code_may_be_tried_again(slack: SmallSlack, client: SlackClient):
    slack.faults.add("chat.postMessage", "error", error="internal_error")
    with pytest.raises(SlackUnavailable) as error:
        await post(client)
    assert error.value.is_retryable


async def test_nobody_listening_is_known_to_have_had_no_effect():
    async with SlackClient.open("xoxb-x", base_url="http://127.0.0.1:1/api/") as client:
        with pytest.raises(SlackUnavailable) as error:
            await post(client)
    assert error.value.code == "not_sent"


async def test_slack_is_not_called_inside_a_transaction(client: SlackClient):
    with transaction_open(), pytest.raises(RuntimeError, match="transaction"):
        await post(client)


async def test_deleting_what_has_gone_is_no_error(client: SlackClient):
    ts = await post(client)
    for _ in range(2):
        await client.delete_message(channel_id=SALES_CHANNEL, ts=ts)


async def test_a_thread_is_read_to_its_end(slack: SmallSlack, client: SlackClient):
    root = await post(client)
    for number in range(120):
        await client.post_message(channel_id=SALES_CHANNEL, thread_ts=root, text=str(number))
    messages = await client.replies_since(channel_id=SALES_CHANNEL, thread_ts=root, oldest="0")
    assert [one["text"] for one in messages[1:]] == [str(number) for number in range(120)]
    assert await client.replies_since(channel_id=SALES_CHANNEL, thread_ts="1.000000", oldest="0") == []


def test_no_post_lets_slack_preview_links():
    """T6: every function that posts a message says so."""
    posting = []
    for file in Path(inspect.getfile(app.slack)).parent.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_source_segment(source, node) or ""
                if "chat.postMessage" in text or "chat_postMessage" in text or ".send(" in text:
                    posting.append(f"{file.name}:{node.name}")
                    for name in ("unfurl_links", "unfurl_media"):
                        assert f'"{name}": False' in text or f"{name}=False" in text, f"{file.name}:{node.name}"
    assert "client.py:post_message" in posting
