"""What the page's routes refuse: they act for whoever they are told, so they take nothing from other sites or other people."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.playground.app import MOST_FILE_BYTES, Playground
from app.playground.demo_workspace import GUEST, KENTA, RANDOM_CHANNEL, SALES_CHANNEL, YOKO

from .conftest import RecordingApp

Json = dict[str, Any]


@pytest.fixture
async def playground(listening_app: RecordingApp, tmp_path: Path) -> AsyncIterator[Playground]:
    playground = Playground(app_base_url=listening_app.url, signing_secret="s", data_directory=tmp_path)
    await playground.start()
    yield playground
    await playground.close()


async def ask(
    playground: Playground, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """One request straight into the page's ASGI application."""
    sent: list[Json] = []
    path, _, query = path.partition("?")
    given = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip

    bodies = [body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""]

    async def receive() -> Json:
        if not bodies:
            await asyncio.Event().wait()  # the caller stays on the line
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await playground.page(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(content) if answered["content-type"] == "application/json" else content, answered


def act(what: str, user: str = KENTA, **given: Any) -> Json:
    return {"user": user, "do": what, "with": given}


async def test_the_page_may_load_nothing_from_elsewhere(playground: Playground):
    for path in ("/", "/static/app.js", "/world"):
        status, _, headers = await ask(playground, "GET", path)
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


async def test_people_see_only_their_channels(playground: Playground):
    _, world, _ = await ask(playground, "GET", f"/world?user={GUEST}")
    assert [channel["id"] for channel in world["channels"] if not channel["is_direct"]] == [RANDOM_CHANNEL]
    status, _, _ = await ask(playground, "GET", "/world?user=U0NOBODY")
    assert status == 404


@pytest.mark.parametrize(
    "headers, status", [({"content_type": "text/plain"}, 415), ({"sec_fetch_site": "cross-site"}, 403), ({}, 200)]
)
async def test_other_sites_cannot_act(playground: Playground, headers: dict[str, str], status: int):
    body = act("say", channel=RANDOM_CHANNEL, text="こんにちは")
    assert (await ask(playground, "POST", "/act", body, **headers))[0] == status


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda ts: act("say", GUEST, channel=SALES_CHANNEL, text="x"), "not_in_channel"),
        (lambda ts: act("edit", channel=SALES_CHANNEL, sent_ts=ts, text="x"), "not_your_message"),
        (lambda ts: act("delete", channel=SALES_CHANNEL, sent_ts=ts), "not_your_message"),
        (lambda ts: act("start"), "unknown_action"),
        (lambda ts: act("say", "U0NOBODY", channel=SALES_CHANNEL, text="x"), "user_not_found"),
        (lambda ts: act("say", channel="C0NOWHERE", text="x"), "KeyError"),
        (lambda ts: {"user": KENTA}, "KeyError"),
        (lambda ts: ["x"], "TypeError"),
    ],
)
async def test_what_people_may_not_do(playground: Playground, make: Callable[[str], Any], error: str):
    sent = await playground.slack.say("陽子の発言", user=YOKO)
    before = list(playground.slack.channel().messages)
    _, answer, _ = await ask(playground, "POST", "/act", make(sent.ts))
    assert answer["error"] == error
    assert list(playground.slack.channel().messages) == before


async def upload(playground: Playground, name: str, content: bytes, *, user: str = KENTA, **headers: str) -> tuple[int, Any]:
    given = {"content_type": "application/octet-stream", **headers}
    query = urlencode({"user": user, "name": name})
    status, answer, _ = await ask(playground, "POST", f"/upload?{query}", content, **given)
    return status, answer


async def test_a_file_is_handed_over_and_shared_by_the_message_that_names_it(playground: Playground) -> None:
    status, file = await upload(playground, "価格FAQ.docx", b"PK content")
    assert (status, file["name"]) == (200, "価格FAQ.docx")
    direct = playground.slack.workspace().direct(KENTA)
    said = act("say", text="", channel=direct.id, files=[file["id"]])
    status, answer, _ = await ask(playground, "POST", "/act", said)
    assert status == 200 and answer["ok"]
    assert direct.messages[answer["ts"]]["files"][0]["id"] == file["id"]
    assert playground.slack.workspace().contents[file["id"]] == b"PK content"


async def test_nobody_shares_a_file_of_somebody_else(playground: Playground) -> None:
    _, file = await upload(playground, "a.txt", b"a", user=YOKO)
    said = act("say", text="", channel=SALES_CHANNEL, files=[file["id"]])
    assert (await ask(playground, "POST", "/act", said))[:2] == (409, {"error": "file_not_found"})


async def test_files_come_from_the_page_only_and_are_not_endless(playground: Playground) -> None:
    assert (await upload(playground, "a.txt", b"a", sec_fetch_site="cross-site"))[0] == 403
    assert (await upload(playground, "a.txt", b"a", content_type="text/plain"))[0] == 415
    assert (await upload(playground, "../a.txt", b"a"))[0] == 400
    assert (await upload(playground, "a.txt", b"a", user="U0NOBODY0001"))[0] == 400
    assert (await upload(playground, "a.txt", b"a" * (MOST_FILE_BYTES + 1)))[0] == 413
