"""The whole product as ``composition`` builds it, on real PostgreSQL and Valkey, between a small Slack and a scripted model."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

from app.assistant.question import Answer, AnswerSink, Question
from app.composition import Services, open_services
from app.core.clock import SystemClock
from app.core.config import Environment, Settings
from app.i18n.language import Language
from app.jobs.work import working
from app.knowledge.entry import Category, Draft
from app.people.person import Actor, Standing
from app.playground.demo_workspace import BOT_TOKEN, TEAM, YOKO
from app.playground.options import MENTIONS_AND_DIRECT, Options
from app.playground.slack_server import SlackServer
from app.playground.small_slack import Sent, SmallSlack
from app.slack.bolt_app import BoltDoor
from app.slack.edge import AnswersQuestions, SlackEdge
from app.slack.interaction import InteractionDoor
from app.slack.receiver import EventReceiver
from tests.doubles.model_server import ModelServer

Json = dict[str, Any]
SECRET = "scenario-signing-secret"
SUBSCRIPTIONS = MENTIONS_AND_DIRECT | {"message.channels", "message.groups", "tokens_revoked", "app_uninstalled"}


@dataclass
class Door:
    """Before the real use case: remembers what it is asked, and holds questions back while the door is shut."""

    use_case: AnswersQuestions
    asked: list[Question] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    async def __call__(self, question: Question, sink: AnswerSink) -> Answer:
        self.asked.append(question)
        if self.failures:
            raise self.failures.pop(0)
        await self.opened.wait()
        return await self.use_case(question, sink)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.use_case, name)

    @property
    def texts(self) -> list[str]:
        return [question.text for question in self.asked]


class MovableClock(SystemClock):
    """The product's clock, which stories move on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


@dataclass
class Product:
    """What a scenario works with."""

    slack: SmallSlack
    model: ModelServer
    door: Door
    services: Services
    edge: SlackEdge
    url: str
    clock: MovableClock

    def advance(self, **by: float) -> None:
        """Moves the product's clock and Slack's on together: ``days=1, hours=3``."""
        self.clock.ahead += timedelta(**by)
        self.slack.clock.advance(timedelta(**by).total_seconds())

    def advance_to(self, moment: datetime) -> None:
        self.advance(seconds=(moment - self.clock.now()).total_seconds())

    async def knows(self, title: str, body: str, **more: Any) -> None:
        """Puts an entry into the company's knowledge."""
        draft = Draft(
            slug=title, title=title, body=body, category=Category.NEGOTIATION, language=Language.JAPANESE,
            updated_on=date(2026, 4, 1), source="営業規程集", **more,
        )  # fmt: skip
        await self.services.library.save([draft], actor=Actor(TEAM, YOKO, Standing.OWNER))

    async def outcomes(self) -> list[str | None]:
        return [row["outcome"] for row in await self.rows("select outcome from inbox order by id")]

    async def rows(self, query: str) -> list[Any]:
        async with self.services.database.reading() as session:
            return await session.fetch(query)

    async def until_quiet(self) -> None:
        """Every stored event has come to its end."""
        await until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        return not await self.rows("select 1 from inbox where done_at is null")

    @property
    def receiver(self) -> EventReceiver:
        return EventReceiver(inbox=self.services.inbox, workspaces=self.edge.workspaces)

    @property
    def interaction_door(self) -> InteractionDoor:
        bolt = BoltDoor(self.edge, bot_token=BOT_TOKEN)
        return InteractionDoor(bolt=bolt, limits=self.edge.limits, fallback_language=Language.JAPANESE)

    async def final(self, sent: Sent) -> list[Json]:
        """The answers to a message once nothing about it is under way any more."""
        await self.slack.wait_for_final(sent)
        await self.until_quiet()
        return self.slack.answers_to(sent)

    async def let_threads_reply(self, mode: str) -> None:
        workspace = await self.edge.people.workspace(TEAM)
        await self.edge.people.save_workspace(replace(workspace, thread_replies=mode))
        await self.edge.workspaces.refresh()

    async def until_asked(self, count: int) -> None:
        async def are_asked() -> bool:
            return len(self.door.asked) >= count

        await until(are_asked)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """The limit is generous, since it only matters when a test fails."""
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110 - what is waited for happens in other processes' tables as well
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_product(database_url: str, redis_url: str, folder: Path, **settings: Any) -> AsyncIterator[Product]:
    """``settings`` are those of the product; the small Slack has every event subscribed."""
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        model = await stack.enter_async_context(ModelServer())
        server = SlackServer(
            Options(signing_secret=SECRET, app_base_url=url, retry_delays=(0.05, 0.1, 0.2), subscriptions=SUBSCRIPTIONS)
        )
        slack = await stack.enter_async_context(server)
        effective = _settings(
            database_url=database_url, redis_url=redis_url, folder=folder, slack_api_url=server.api_url, model=model, **settings
        )
        clock = MovableClock()
        services = await stack.enter_async_context(open_services(effective, clock=clock))
        edge = services.dispatcher._edge
        door = Door(edge.answer_question)
        object.__setattr__(edge, "answer_question", door)
        await stack.enter_async_context(_serving(Starlette(routes=services.slack_routes), listening))
        # The wall clock's full minute would do in the middle of a test what the test does itself.
        await stack.enter_async_context(working(services, by_the_clock=False))
        yield Product(slack, model, door, services, edge, url, clock)


def _settings(
    *, database_url: str, redis_url: str, folder: Path, slack_api_url: str, model: ModelServer, **more: Any
) -> Settings:
    given: dict[str, Any] = {
        "environment": Environment.TEST, "database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url),
        "data_directory": folder, "database_pool_size": 10, "database_max_overflow": 0,
        "slack_bot_token": SecretStr(BOT_TOKEN), "slack_signing_secret": SecretStr(SECRET), "slack_api_url": slack_api_url,
        "llm_base_url": model.openai_url, "llm_api_key": SecretStr(model.key or ""), "llm_model": "double", "llm_max_retries": 0,
        "embedding_provider": "none", "questions_per_minute": 100,
    }  # fmt: skip
    return Settings(_env_file=None, **(given | more))


@asynccontextmanager
async def _serving(app: Starlette, listening: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listening]))

    async def is_started() -> bool:
        return bool(server.started)

    await until(is_started)
    try:
        yield
    finally:  # also after a failed test: the next one may get the same file descriptor
        server.should_exit = True
        await task
