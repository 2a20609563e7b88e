"""The playground page in a real Chromium."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright
from uvicorn import Config, Server

from app.playground.app import Playground

from .echo_bot import EchoBot

SECRET = "browser-tests"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium to run the browser tests")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def bot() -> AsyncIterator[EchoBot]:
    bot = EchoBot(SECRET)
    await bot.start()
    yield bot
    await bot.close()


@pytest.fixture
async def playground(bot: EchoBot, tmp_path: Path) -> AsyncIterator[Playground]:
    playground = Playground(
        app_base_url=bot.url, signing_secret=SECRET, data_directory=tmp_path, commands={"/ai_help": "commands.ai_help.summary"}
    )
    await playground.start()
    bot.connect(playground.api_url)
    yield playground
    await playground.close()


@pytest.fixture
async def page_url(playground: Playground) -> AsyncIterator[str]:
    server = Server(Config(playground.page, port=0, lifespan="off", log_level="warning", timeout_graceful_shutdown=1))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    playground._is_closing = True
    await server.shutdown()


@pytest.fixture
async def page(browser: Browser, page_url: str) -> AsyncIterator[Page]:
    async with watched_page(browser, page_url) as page:
        yield page


@asynccontextmanager
async def watched_page(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page whose errors fail the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    await page.locator("#composer textarea").wait_for()
    yield page
    await context.close()
    assert problems == []
