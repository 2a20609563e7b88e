"""The whole product with its playground, as ``make demo`` builds it, between real PostgreSQL and Valkey and a scripted model."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from app.composition import Services, open_services
from app.core.config import Environment, Settings
from app.i18n.language import Language
from app.jobs.work import working
from app.knowledge.entry import Category, Draft
from app.people.person import Actor, Standing
from app.playground.app import Playground
from app.playground.demo_workspace import BOT_TOKEN, TEAM, YOKO
from app.slack.commands import COMMANDS
from tests.doubles.model_server import ModelServer
from tests.doubles.product import until

SECRET = "browser-signing-secret"
ADMIN_KEY = "browser-administrators-key"
TITLE = "値引きの承認ルール"
BODY = "10%を超える値引きには部長の承認が必要です。申請は前日までに行います。"


@dataclass
class ProductPage:
    url: str
    playground: Playground
    model: ModelServer
    services: Services


@asynccontextmanager
async def open_product_page(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[ProductPage]:
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        model = await stack.enter_async_context(ModelServer())
        commands = {command.name: command.summary_key for command in COMMANDS}
        is_ending = asyncio.Event()
        playground = Playground(
            app_base_url=url, signing_secret=SECRET, data_directory=folder, commands=commands, is_offline=False,
            shortcuts={"make_knowledge": "imports.make.title"},
            is_draining=is_ending.is_set,
        )  # fmt: skip
        await playground.start()
        stack.push_async_callback(playground.close)
        services = await stack.enter_async_context(
            open_services(_settings(database_url, redis_url, folder, playground.api_url, model))
        )
        await services.library.save([_entry()], actor=Actor(TEAM, YOKO, Standing.OWNER))
        pages = [*services.console.routes(), Mount("/playground", playground.page)]
        app = Starlette(routes=[*services.slack_routes, *pages])
        await stack.enter_async_context(_serving(app, listening, is_ending))
        await stack.enter_async_context(working(services))
        yield ProductPage(f"{url}/playground/", playground, model, services)


def _settings(database_url: str, redis_url: str, folder: Path, slack_api_url: str, model: ModelServer) -> Settings:
    return Settings(
        _env_file=None, environment=Environment.TEST, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url),
        data_directory=folder, database_pool_size=10, database_max_overflow=0, slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET), slack_api_url=slack_api_url, llm_base_url=model.openai_url,
        admin_api_keys=(SecretStr(ADMIN_KEY),), llm_api_key=SecretStr(model.key or ""),
        llm_model="double", llm_max_retries=0, embedding_provider="none",
    )  # fmt: skip


def _entry() -> Draft:
    return Draft(
        slug="discount", title=TITLE, body=BODY, category=Category.NEGOTIATION, language=Language.JAPANESE,
        updated_on=date(2026, 4, 1), source="営業規程集",
    )  # fmt: skip


@asynccontextmanager
async def _serving(app: Starlette, listening: socket.socket, is_ending: asyncio.Event) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listening]))

    async def is_started() -> bool:
        return server.started

    await until(is_started)
    yield
    is_ending.set()
    server.should_exit = True
    await task
