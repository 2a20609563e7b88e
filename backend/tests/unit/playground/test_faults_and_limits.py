"""Faults on request, Slack's rates, the record for checkers, and the life over a restart."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.control import RemoteSlack
from app.playground.demo_workspace import BOT_TOKEN, KENTA, SALES_CHANNEL, TEAM
from app.playground.journal import Journal
from app.playground.options import Options
from app.playground.slack_server import SlackServer
from app.playground.small_slack import SmallSlack, visible_text

from .conftest import RecordingApp

Refusal = Callable[[Awaitable[Any]], Awaitable[str]]


async def post(client: AsyncWebClient) -> Any:
    return await client.chat_postMessage(channel=SALES_CHANNEL, text="x")


async def test_a_lost_response_is_a_message_that_stands(slack: SmallSlack, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", "lost_response")
    with pytest.raises(aiohttp.ClientError):
        await post(client)
    assert len(slack.channel().messages) == 1
    assert slack.record.of("call", method="chat.postMessage")[0]["is_done"]


async def test_a_lost_request_is_none(slack: SmallSlack, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", "lost_request", skip=1)
    await post(client)
    with pytest.raises(aiohttp.ClientError):
        await post(client)
    assert len(slack.channel().messages) == 1


async def test_429_says_how_long_to_wait(slack: SmallSlack, client: AsyncWebClient):
    slack.faults.add("*", "rate_limit", seconds=7)
    with pytest.raises(SlackApiError) as caught:
        await post(client)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    await post(client)


async def test_500_is_a_page(slack: SmallSlack, client: AsyncWebClient):
    slack.faults.add("chat.postMessage", "server_error_after")
    with pytest.raises(SlackApiError) as caught:
        await post(client)
    assert caught.value.response.status_code == 500
    assert len(slack.channel().messages) == 1


async def test_errors_on_request(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    slack.faults.add("chat.postMessage", "error", error="token_revoked")
    assert await refusal(post(client)) == "token_revoked"


async def test_strict_rates_are_per_method_and_workspace(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    slack.rates.is_strict = True
    sent = await slack.dm("質問")
    for _ in range(20):
        await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts)
    assert await refusal(client.chat_startStream(channel=sent.channel, thread_ts=sent.ts)) == "ratelimited"
    await client.users_info(user=KENTA)
    slack.clock.advance(61)
    await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts)


async def test_the_record_holds_every_visible_version(slack: SmallSlack, client: AsyncWebClient):
    ts = (await post(client))["ts"]
    await client.chat_update(channel=SALES_CHANNEL, ts=ts, text="y")
    await client.chat_delete(channel=SALES_CHANNEL, ts=ts)
    seen = [(entry["change"], entry["text"]) for entry in slack.record.of("visible", ts=ts)]
    assert seen == [("posted", "x"), ("updated", "y"), ("deleted", "y")]
    assert slack.record.calls_per_method == {"chat.postMessage": 1, "chat.update": 1, "chat.delete": 1}


async def test_another_process_can_drive_it(slack: SmallSlack, client: AsyncWebClient):
    async with aiohttp.ClientSession() as session:
        remote = RemoteSlack(session, f"{slack.api.base_url}/api/")
        sent = await remote.do("mention", text="質問")
        await client.chat_postMessage(channel=sent["channel"], thread_ts=sent["ts"], text="答え")
        answers = await remote.do("wait_for_final", sent=sent)
        assert [answer["text"] for answer in answers] == ["答え"]
        await remote.do("add_fault", method="auth.test", kind="error", error="account_inactive")
        made = await remote.do("add_workspace", team_id="T0BENCH0001", number=2, people=3)
        assert len(made["users"]) == 4
        assert (await remote.do("counts"))["calls"] == {"chat.postMessage": 1}
        with pytest.raises(RuntimeError, match="no control named"):
            await remote.do("nothing")


async def test_everything_is_still_there_after_a_restart(tmp_path: Path, listening_app: RecordingApp):
    journal = tmp_path / "slack.jsonl"
    options = Options(app_base_url=listening_app.url)
    first = SlackServer(options, journal=Journal(journal))
    await first.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(BOT_TOKEN, base_url=first.api_url, session=session)
        sent = await first.slack.dm("質問", user=KENTA)
        ts = (await client.chat_startStream(channel=sent.channel, thread_ts=sent.ts, markdown_text="途中"))["ts"]
        await client.views_publish(user_id=KENTA, view={"type": "home", "blocks": [{"type": "divider"}]})
        gone = await client.chat_postMessage(channel=SALES_CHANNEL, text="消える")
        await client.chat_delete(channel=SALES_CHANNEL, ts=gone["ts"])
    await first._runner.cleanup()  # no goodbye to the journal, as with kill -9
    with journal.open("a") as file:
        file.write('{"kind": "mess')

    second = SlackServer(options, journal=Journal(journal))
    await second.start()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(BOT_TOKEN, base_url=second.api_url, session=session)
        await client.chat_stopStream(channel=sent.channel, ts=ts, markdown_text="から終わりまで")
    assert [visible_text(message) for message in second.slack.answers_to(sent)] == ["途中から終わりまで"]
    assert second.slack.home_of(KENTA)["blocks"][0]["type"] == "divider"
    assert second.slack.channel().messages == {}
    await second.close()
    await first.close()


async def test_an_event_nobody_accepted_is_sent_again_after_a_restart(tmp_path: Path, listening_app: RecordingApp):
    journal = tmp_path / "slack.jsonl"
    nobody = Options(app_base_url="http://127.0.0.1:1", retry_delays=(60.0,))
    async with SlackServer(nobody, journal=Journal(journal)) as slack:
        sent = await slack.dm("質問", user=KENTA)
    async with SlackServer(Options(app_base_url=listening_app.url, retry_delays=(0.0,)), journal=Journal(journal)) as slack:
        await slack.deliveries.sent[sent.event_id].first_answer.wait()
    assert listening_app.received[0].headers["X-Slack-Retry-Num"] == "1"
    assert TEAM.encode() in listening_app.received[0].body
