"""The three addresses from outside: what Slack signed is taken, everything else is 4xx and leaves no trace."""

import asyncio
import json
import time
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.request import SocketModeRequest

from app.core.errors import StorageUnavailable
from app.playground.demo_workspace import TEAM
from app.slack.routes import COMMANDS, EVENTS, INTERACTIVE
from app.slack.socket_mode import SocketMode
from tests.doubles.product import SECRET, Product
from tests.doubles.slack_requests import as_form, as_json, direct_message, signed_headers

PATHS = (EVENTS, COMMANDS, INTERACTIVE)


async def post(product: Product, path: str, body: bytes, *, secret: str = SECRET, **headers: str) -> tuple[int, str]:
    signed = signed_headers(body, secret=secret, at=int(time.time()))
    address = product.url + path
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=BytesIO(body), headers={**signed, **headers}) as answer,
    ):
        return answer.status, await answer.text()


def event(**more: Any) -> dict[str, Any]:
    return {**direct_message("商談の準備を手伝ってください"), "team_id": TEAM, "api_app_id": "A0COACH0001",
            "authorizations": [{"team_id": TEAM, "user_id": "U0COACH0001"}], **more}  # fmt: skip


async def test_unsigned_requests_are_refused_with_an_empty_answer(product: Product) -> None:
    for body in (b"", b"{}", b"[]", b"\xff\xfe", b"payload=%ff", b"{" * 300_000, b"a=1", as_json(event())):
        for path in PATHS:
            assert await post(product, path, body, secret="of somebody else") == (401, "")
    assert await product.outcomes() == []


async def test_signed_nonsense_is_refused_as_well(product: Product) -> None:
    for body in (b"", b"[]", b"\xff\xfe", b"{" * 300_000, b"payload=[]", b"payload=%5B1%5D", b"a=%ff"):
        for path in PATHS:
            assert await post(product, path, body) == (400, "")


async def test_a_body_over_a_mebibyte_is_refused(product: Product) -> None:
    status, _ = await post(product, EVENTS, b"x" * (1024 * 1024 + 1))
    assert status == 413


async def test_slacks_test_of_the_address_is_answered_when_signed(product: Product) -> None:
    body = as_json({"type": "url_verification", "challenge": "3eZbrw1aB"})
    assert await post(product, EVENTS, body) == (200, '{"challenge":"3eZbrw1aB"}')
    assert (await post(product, EVENTS, body, secret="of somebody else"))[0] == 401


async def test_the_certificate_check_is_answered_only_when_signed(product: Product) -> None:
    for path in (COMMANDS, INTERACTIVE):
        assert await post(product, path, b"ssl_check=1") == (200, "")
        assert (await post(product, path, b"ssl_check=1", secret="of somebody else"))[0] == 401


async def test_what_is_meant_for_others_is_refused(product: Product) -> None:
    for wrong in ({"api_app_id": "A0OTHER"}, {"authorizations": [], "team_id": "T0OTHER"}):
        assert await post(product, EVENTS, as_json(event(**wrong))) == (403, "")
    assert await product.outcomes() == []


async def test_a_replay_is_one_row_and_one_answer(product: Product) -> None:
    asked = await product.slack.dm("商談の準備を手伝ってください")
    body = as_json(asked.deliveries[0].envelope)
    statuses = await asyncio.gather(*(post(product, EVENTS, body) for _ in range(100)))
    assert {status for status, _ in statuses} == {200}
    await product.final(asked)
    assert await product.outcomes() == ["answered"]


async def test_headers_that_bolt_would_obey_are_not_read(product: Product) -> None:
    body = as_form({"command": "/ai_help", "team_id": TEAM, "user_id": "U0KENTA0001", "channel_id": "C0SALES0001",
                    "trigger_id": "1.1", "api_app_id": "A0COACH0001", "text": ""})  # fmt: skip
    status, text = await post(
        product, COMMANDS, body, **{"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "respond"}
    )
    assert status == 200 and "ephemeral" in text


async def test_what_cannot_be_stored_is_sent_again_by_slack(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    store_once, refusals = product.services.inbox.store_once, [StorageUnavailable("scripted")]

    async def refuse_once(envelope):
        if refusals:
            raise refusals.pop()
        return await store_once(envelope)

    monkeypatch.setattr(product.services.inbox, "store_once", refuse_once)
    asked = await product.slack.dm("商談の準備を手伝ってください")
    # Slack's second delivery carries its retry headers, and is the one that counts.
    await product.final(asked)
    assert [answer.status for answer in asked.deliveries[0].answers] == [503, 200]
    assert await product.outcomes() == ["answered"]


class Connection:
    """The sending half of a Socket Mode connection."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send_socket_mode_response(self, response) -> None:
        self.sent.append(json.loads(json.dumps(response.to_dict())))


def socket_mode_of(product: Product) -> SocketMode:
    return SocketMode(
        app_token="xapp-1", web=product.edge.client.web, receiver=product.receiver, door=product.interaction_door,
        workspaces=product.edge.workspaces,
    )  # fmt: skip


async def test_socket_mode_takes_the_same_way(product: Product) -> None:
    connection, socket_mode = Connection(), socket_mode_of(product)
    asked = await product.slack.dm("商談の準備を手伝ってください")
    again = SocketModeRequest(type="events_api", envelope_id="e1", payload=asked.deliveries[0].envelope)
    command = {"command": "/ai_help", "team_id": TEAM, "user_id": "U0KENTA0001", "channel_id": "C0SALES0001", "trigger_id": "9.9",
               "api_app_id": "A0COACH0001", "text": ""}  # fmt: skip
    await socket_mode.handle(connection, again)  # type: ignore[arg-type]
    await socket_mode.handle(connection, SocketModeRequest(type="slash_commands", envelope_id="e2", payload=command))  # type: ignore[arg-type]
    await product.final(asked)

    assert [sent["envelope_id"] for sent in connection.sent] == ["e1", "e2"]
    assert connection.sent[1]["payload"]["response_type"] == "ephemeral"
    assert await product.outcomes() == ["answered"]  # the same event over both ways is one


async def test_socket_mode_leaves_unstored_what_could_not_be_stored(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_envelope):
        raise StorageUnavailable("scripted")

    monkeypatch.setattr(product.services.inbox, "store_once", refuse)
    connection, socket_mode = Connection(), socket_mode_of(product)
    await socket_mode.handle(connection, SocketModeRequest(type="events_api", envelope_id="e1", payload=event()))  # type: ignore[arg-type]
    assert connection.sent == []
