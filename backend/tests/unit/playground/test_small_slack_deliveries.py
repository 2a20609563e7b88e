"""What the application receives: signatures, envelopes, retries, commands and interactions."""

import asyncio
import json
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import KENTA, SALES_CHANNEL, TEAM
from app.playground.small_slack import SmallSlack

from .conftest import Received, RecordingApp

BUTTON = {"type": "button", "action_id": "retry", "text": {"type": "plain_text", "text": "もう一度"}, "value": "42"}


async def test_a_mention_arrives_signed(slack: SmallSlack, listening_app: RecordingApp):
    sent = await slack.mention("値引き")
    [one] = listening_app.received
    verifier = SignatureVerifier(slack.options.signing_secret)
    assert verifier.is_valid(one.body, one.headers["X-Slack-Request-Timestamp"], one.headers["X-Slack-Signature"])
    envelope = json.loads(one.body)
    assert envelope["event_id"] == sent.event_id and envelope["team_id"] == TEAM and envelope["type"] == "event_callback"
    assert envelope["event"]["type"] == "app_mention" and envelope["event"]["ts"] == sent.ts
    bot = envelope["authorizations"][0]["user_id"]
    assert envelope["event"]["text"] == f"<@{bot}> 値引き"
    [section] = envelope["event"]["blocks"][0]["elements"]
    assert section["elements"] == [{"type": "user", "user_id": bot}, {"type": "text", "text": " 値引き"}]


async def test_a_mention_can_have_a_twin(slack: SmallSlack, listening_app: RecordingApp):
    slack.options.subscriptions |= {"message.channels"}
    sent = await slack.mention("値引き")
    events = [json.loads(one.body)["event"] for one in listening_app.received]
    assert sorted(event["type"] for event in events) == ["app_mention", "message"]
    assert len({delivery.event_id for delivery in sent.deliveries}) == 2


async def test_events_that_are_not_accepted_come_again(slack: SmallSlack, listening_app: RecordingApp):
    async def refuse_twice(_: Received) -> web.Response:
        return web.Response(status=503 if len(listening_app.received) < 3 else 200)

    listening_app.answer = refuse_twice
    sent = await slack.dm("こんにちは")
    await asyncio.wait_for(sent.deliveries[0].task, 5)
    numbers = [one.headers.get("X-Slack-Retry-Num") for one in listening_app.received]
    assert numbers == [None, "1", "2"]
    assert listening_app.received[1].headers["X-Slack-Retry-Reason"] == "http_error"
    assert sent.is_accepted


async def test_a_slow_answer_counts_as_none(slack: SmallSlack, listening_app: RecordingApp):
    released = asyncio.Event()

    async def first_is_slow(_: Received) -> web.Response:
        if len(listening_app.received) == 1:
            await released.wait()
        return web.Response()

    listening_app.answer = first_is_slow
    slack.options.ack_seconds = 0.05
    sent = await slack.dm("こんにちは")
    await asyncio.wait_for(sent.deliveries[0].task, 5)
    released.set()
    assert listening_app.received[1].headers["X-Slack-Retry-Reason"] == "http_timeout"


async def test_no_retry_is_respected(slack: SmallSlack, listening_app: RecordingApp):
    async def never_again(_: Received) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    listening_app.answer = never_again
    sent = await slack.dm("こんにちは")
    await asyncio.wait_for(sent.deliveries[0].task, 5)
    assert len(listening_app.received) == 1


async def test_a_command_carries_a_trigger_and_shows_its_answer_to_one_person(slack: SmallSlack, listening_app: RecordingApp):
    async def answer(_: Received) -> web.Response:
        return web.json_response({"text": "できること"})

    listening_app.answer = answer
    await slack.command("/ai_help", "payload", user=KENTA)
    fields = parse_qs(listening_app.received[0].body.decode())
    assert fields["command"] == ["/ai_help"] and fields["text"] == ["payload"] and fields["trigger_id"]
    assert [message["text"] for message in slack.ephemerals_for(KENTA)] == ["できること"]


async def test_a_failing_command_is_told_to_the_person(slack: SmallSlack, listening_app: RecordingApp):
    async def fail(_: Received) -> web.Response:
        return web.Response(status=500)

    listening_app.answer = fail
    await slack.command("/ai_help", user=KENTA)
    assert "dispatch_failed" in slack.ephemerals_for(KENTA)[0]["text"]


async def test_a_button_press_names_the_message_and_its_thread(
    slack: SmallSlack, client: AsyncWebClient, listening_app: RecordingApp
):
    sent = await slack.dm("質問")
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    posted = await client.chat_postMessage(channel=sent.channel, thread_ts=sent.ts, text="x", blocks=blocks)
    await slack.click("retry", ts=posted["ts"], channel=sent.channel)
    payload = json.loads(parse_qs(listening_app.received[-1].body.decode())["payload"][0])
    assert payload["type"] == "block_actions" and payload["actions"][0]["value"] == "42"
    assert payload["container"] == {
        "type": "message", "message_ts": posted["ts"], "channel_id": sent.channel, "is_ephemeral": False, "thread_ts": sent.ts,
    }  # fmt: skip


async def test_a_response_url_works_five_times(slack: SmallSlack, client: AsyncWebClient, listening_app: RecordingApp):
    await slack.command("/ai_knowledge", "値引き", user=KENTA)
    url = parse_qs(listening_app.received[0].body.decode())["response_url"][0]
    async with aiohttp.ClientSession() as session:
        statuses = []
        for number in range(6):
            async with session.post(url, json={"text": str(number)}) as response:
                statuses.append(response.status)
    assert statuses == [200] * 5 + [404]
    assert [message["text"] for message in slack.ephemerals_for(KENTA)] == list("01234")


async def test_socket_mode_delivers_and_waits_for_the_acknowledgement(slack: SmallSlack, client: AsyncWebClient):
    slack.options.uses_socket_mode = True
    seen = []
    socket = SocketModeClient(app_token="xapp-1", web_client=client, auto_reconnect_enabled=False)

    async def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        seen.append((request.type, request.payload))
        payload = {"text": "できること"} if request.type == "slash_commands" else None
        await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))

    socket.socket_mode_request_listeners.append(listen)
    await socket.connect()
    sent = await slack.mention("値引き")
    await slack.command("/ai_help", user=KENTA)
    await socket.close()
    assert sent.is_accepted and [kind for kind, _ in seen] == ["events_api", "slash_commands"]
    assert slack.ephemerals_for(KENTA)[0]["text"] == "できること"


async def test_edits_and_deletions_of_direct_messages_are_told(slack: SmallSlack, listening_app: RecordingApp):
    sent = await slack.dm("質もん")
    await slack.edit(sent.ts, "質問", channel=sent.channel)
    await slack.delete(sent.ts, channel=sent.channel)
    subtypes = [json.loads(one.body)["event"].get("subtype") for one in listening_app.received]
    assert subtypes == [None, "message_changed", "message_deleted"]


async def test_a_file_without_words(slack: SmallSlack, listening_app: RecordingApp):
    file = slack.new_file("議事録.txt", "内容".encode())
    await slack.dm("", files=[file])
    event = json.loads(listening_app.received[0].body)["event"]
    assert event["subtype"] == "file_share" and event["files"][0]["name"] == "議事録.txt" and event["text"] == ""


async def test_the_same_event_can_be_delivered_again(slack: SmallSlack, listening_app: RecordingApp):
    sent = await slack.mention("値引き", channel=SALES_CHANNEL)
    await slack.redeliver(sent.event_id, times=3, retry=1)
    assert len({json.loads(one.body)["event_id"] for one in listening_app.received}) == 1
    assert len(listening_app.received) == 4
