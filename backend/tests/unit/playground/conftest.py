"""A small Slack on a port, an application that records what it is sent, and the official client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.playground.demo_workspace import BOT_TOKEN
from app.playground.options import Options
from app.playground.slack_server import SlackServer
from app.playground.small_slack import SmallSlack


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingApp:
    """Answers 200 unless told otherwise."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Awaitable[web.Response]] | None = None

    async def serve(self, request: web.Request) -> web.Response:
        one = Received(request.path, dict(request.headers), await request.read())
        self.received.append(one)
        return await self.answer(one) if self.answer else web.Response()


@pytest.fixture
async def listening_app() -> AsyncIterator[RecordingApp]:
    app = RecordingApp()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", app.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield app
    await runner.cleanup()


@pytest.fixture
async def slack(listening_app: RecordingApp) -> AsyncIterator[SmallSlack]:
    async with SlackServer(Options(app_base_url=listening_app.url, retry_delays=(0.0, 0.01, 0.02)), with_control=True) as small:
        yield small


@pytest.fixture
async def client(slack: SmallSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield AsyncWebClient(BOT_TOKEN, base_url=f"{slack.api.base_url}/api/", session=session, retry_handlers=[])


@pytest.fixture
def refusal() -> Callable[[Awaitable[Any]], Awaitable[str]]:
    async def name_of(call: Awaitable[Any]) -> str:
        with pytest.raises(SlackApiError) as caught:
            await call
        return str(caught.value.response["error"])

    return name_of
