"""Modals and the Home tab."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import KENTA
from app.playground.small_slack import SmallSlack

from .conftest import Received, RecordingApp

Refusal = Callable[[Awaitable[Any]], Awaitable[str]]
LABEL = {"type": "plain_text", "text": "内容"}
INPUT = {"type": "input", "block_id": "what", "label": LABEL, "element": {"type": "plain_text_input", "action_id": "text"}}
MODAL = {"type": "modal", "callback_id": "note", "title": LABEL, "submit": LABEL, "blocks": [INPUT]}


async def trigger(slack: SmallSlack, app: RecordingApp) -> str:
    await slack.command("/ai_help", user=KENTA)
    return parse_qs(app.received[-1].body.decode())["trigger_id"][0]


async def test_a_trigger_opens_one_modal(
    slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, listening_app: RecordingApp
):
    trigger_id = await trigger(slack, listening_app)
    await client.views_open(trigger_id=trigger_id, view=MODAL)
    assert slack.modal_of(KENTA)["callback_id"] == "note"
    assert await refusal(client.views_open(trigger_id=trigger_id, view=MODAL)) == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds(
    slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, listening_app: RecordingApp
):
    trigger_id = await trigger(slack, listening_app)
    slack.clock.advance(3.1)
    assert await refusal(client.views_open(trigger_id=trigger_id, view=MODAL)) == "expired_trigger_id"


async def test_submitting_sends_the_values_and_closes(slack: SmallSlack, client: AsyncWebClient, listening_app: RecordingApp):
    await client.views_open(trigger_id=await trigger(slack, listening_app), view=MODAL)
    await slack.submit({"what": {"text": {"type": "plain_text_input", "value": "商談"}}}, user=KENTA)
    payload = json.loads(parse_qs(listening_app.received[-1].body.decode())["payload"][0])
    assert payload["view"]["state"]["values"]["what"]["text"]["value"] == "商談"
    assert slack.modal_of(KENTA) is None


async def test_validation_errors_keep_it_open(slack: SmallSlack, client: AsyncWebClient, listening_app: RecordingApp):
    await client.views_open(trigger_id=await trigger(slack, listening_app), view=MODAL)

    async def refuse(_: Received) -> web.Response:
        return web.json_response({"response_action": "errors", "errors": {"what": "必須です"}})

    listening_app.answer = refuse
    told: list[dict[str, Any]] = []
    slack.world.watchers.append(told.append)
    await slack.submit({}, user=KENTA)
    assert slack.modal_of(KENTA) is not None
    assert [change["errors"] for change in told if change["type"] == "modal_errors"] == [{"what": "必須です"}]


async def test_a_stale_hash_is_a_conflict(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal):
    home = {"type": "home", "blocks": [{"type": "header", "text": LABEL}]}
    first = (await client.views_publish(user_id=KENTA, view=home))["view"]["hash"]
    await client.views_publish(user_id=KENTA, view=home, hash=first)
    assert await refusal(client.views_publish(user_id=KENTA, view=home, hash=first)) == "hash_conflict"
    assert slack.home_of(KENTA)["blocks"][0]["type"] == "header"


@pytest.mark.parametrize(
    "change, error",
    [
        ({"submit": None}, "invalid_arguments"),
        ({"title": {"type": "plain_text", "text": "あ" * 25}}, "invalid_arguments"),
        ({"blocks": [{"type": "divider"}] * 101}, "invalid_arguments"),
        ({"blocks": [{"type": "markdown", "text": "x"}]}, "invalid_blocks"),
        ({"private_metadata": "x" * 3_001}, "invalid_arguments"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "字" * 3_000}}] * 31}, "view_too_large"),
    ],
)
async def test_refused_views(  # noqa: PLR0917
    slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, listening_app: RecordingApp, change: dict[str, Any], error: str
):
    trigger_id = await trigger(slack, listening_app)
    assert await refusal(client.views_open(trigger_id=trigger_id, view={**MODAL, **change})) == error


async def test_modals_stack_three_high(slack: SmallSlack, client: AsyncWebClient, refusal: Refusal, listening_app: RecordingApp):
    await client.views_open(trigger_id=await trigger(slack, listening_app), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=await trigger(slack, listening_app), view=MODAL)
    trigger_id = await trigger(slack, listening_app)
    assert await refusal(client.views_push(trigger_id=trigger_id, view=MODAL)) == "push_limit_reached"
