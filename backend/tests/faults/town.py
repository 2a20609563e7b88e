"""Everything a fault test needs: a small Slack, a scripted model, application processes, and proxies between them."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg

from app.playground.demo_workspace import BOT_TOKEN
from app.playground.options import MENTIONS_AND_DIRECT, Options
from app.playground.slack_server import SlackServer
from app.playground.small_slack import Sent, SmallSlack, visible_text
from app.storage.database import driver_url
from tests.doubles.model_server import ModelServer, Script
from tests.faults.history import Asked, changed_after_the_end, violations_of
from tests.faults.proxy import Proxy, Upstream, free_port

BACKEND = Path(__file__).parents[2]
START_SECONDS = 90.0
SECRET = "fault-tests-signing-secret"


@dataclass
class Process:
    """One application process; can be killed and started again at the same port."""

    port: int
    environment: dict[str, str]
    orders: Path
    log: Path
    child: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.app_process", "--port", str(self.port), "--orders", str(self.orders)],
                cwd=BACKEND, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    async def until_ready(self) -> None:
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while True:
                if not self.is_running:
                    raise AssertionError(f"the application did not start:\n{self.log.read_text()[-3000:]}")
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/api/v1/health/ready") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)

    async def until_ended(self) -> int:
        assert self.child is not None
        return await asyncio.to_thread(self.child.wait, 60)

    def end(self) -> None:
        if self.is_running:
            self.signal(signal.SIGKILL)
            assert self.child is not None
            self.child.wait()


@dataclass
class Question:
    number: int
    sent: Sent

    @property
    def marks(self) -> tuple[str, str]:
        return f"始{self.number:05d}", f"終{self.number:05d}"


def answering(pieces: int = 6, piece_seconds: float = 0.05) -> Callable[[dict[str, Any]], Script]:
    """A model that repeats the last question's number at the beginning and at the end of its answer."""

    def respond(body: dict[str, Any]) -> Script:
        number = re.findall(r"番号(\d{5})", json.dumps(body["messages"][-1], ensure_ascii=False))[-1]
        words = [f"始{number}。", *("お客様の課題を伺いましょう。" for _ in range(pieces)), f"終{number}。"]
        return Script(pieces=tuple(words), piece_seconds=piece_seconds, first_token_seconds=piece_seconds)

    return respond


@dataclass
class Town:
    """Opened with ``async with``."""

    database_url: str
    redis_url: str
    folder: Path
    processes_wanted: int = 2
    settings: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    respond: Callable[[dict[str, Any]], Script] = field(default_factory=answering)
    processes: list[Process] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    slack: SmallSlack = field(init=False)
    model: ModelServer = field(init=False)
    door: Proxy = field(init=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        try:
            return await self._open()
        except BaseException:
            await self._close()
            raise

    async def _open(self) -> Self:
        ports = [free_port() for _ in range(self.processes_wanted)]
        self.door = await self._stack.enter_async_context(Proxy([Upstream(port) for port in ports]))
        options = Options(
            signing_secret=SECRET, app_base_url=f"http://127.0.0.1:{self.door.port}",
            **{"retry_delays": (0.2, 1.0, 2.0, 4.0, 8.0, 8.0), "subscriptions": MENTIONS_AND_DIRECT, **self.options},
        )  # fmt: skip
        server = SlackServer(options)
        self.slack = await self._stack.enter_async_context(server)
        self.model = await self._stack.enter_async_context(ModelServer(self.respond))
        self.orders.mkdir(parents=True, exist_ok=True)
        environment = self._environment(server.api_url)
        self.processes = [
            Process(port, environment, self.orders, self.folder / f"process{number}.log") for number, port in enumerate(ports)
        ]
        for process in self.processes:
            process.start()
        for process in self.processes:
            await process.until_ready()
        return self

    def _environment(self, slack_api_url: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "ENVIRONMENT": "test", "LOG_LEVEL": "INFO",
            "DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "SECRET_KEY": "fault-tests-secret-key-of-32-bytes!",
            "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": slack_api_url,
            "SLACK_STREAM_STARTS_PER_MINUTE": "100000", "SLACK_EDITS_PER_MINUTE": "100000",
            "LLM_BASE_URL": self.model.openai_url, "LLM_API_KEY": "test-key", "LLM_MODEL": "double", "LLM_REQUEST_TIMEOUT": "5",
            "DATA_DIRECTORY": str(self.folder / "data"), "QUESTIONS_PER_MINUTE": "100000",
            "QUESTIONS_PER_MINUTE_WORKSPACE": "100000", "DATABASE_POOL_SIZE": "10", "DATABASE_MAX_OVERFLOW": "5",
            "PYTHONPATH": os.pathsep.join([str(BACKEND), *filter(None, [os.environ.get("PYTHONPATH")])]), **self.settings,
        }  # fmt: skip

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        for process in self.processes:
            process.end()
        await self._stack.aclose()

    @property
    def orders(self) -> Path:
        return self.folder / "orders"

    # Doing

    def order(self, point: str, what: str) -> None:
        """The next process that reaches the point dies (``KILL``) or freezes (``STOP``) there."""
        (self.orders / f"{point}.{what}").touch()

    async def until_taken(self, point: str, what: str) -> Process:
        """The process that carried the order out."""
        taken: list[Path] = []

        def is_taken() -> bool:
            taken[:] = self.orders.glob(f"{point}.{what}.*.taken")
            return bool(taken)

        await eventually(is_taken, seconds=40)
        pid = int(taken[0].name.split(".")[2])
        taken[0].unlink()
        return next(process for process in self.processes if process.child is not None and process.child.pid == pid)

    async def ask(self, *, thread: Question | None = None, waits: bool = False) -> Question:
        number = len(self.questions)
        sent = await self.slack.mention(
            f"質問番号{number:05d} 値引きを求められたらどうしますか。", waits=waits, thread_ts=thread.sent.ts if thread else None
        )
        self.questions.append(Question(number, sent))
        return self.questions[-1]

    async def until_answered(self, *questions: Question, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            for question in questions or self.questions:
                await self.slack.wait_for_final(question.sent, timeout_seconds=seconds)

    async def until_done(self, *, seconds: float = 90.0) -> None:
        """No stored event is left open, and no delivery is under way."""
        deliveries = self.slack.deliveries.sent.values()
        await eventually(lambda: all(one.task is None or one.task.done() for one in deliveries), seconds=seconds)
        async with asyncio.timeout(seconds):
            while await self.query("select count(*) from inbox where done_at is null"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def query(self, sql: str) -> Any:
        connection = await asyncpg.connect(driver_url(self.database_url))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    # Judging

    async def violations(self, *, other_ends: tuple[str, ...] = ()) -> list[str]:
        """All broken promises."""
        return violations_of(self._asked(other_ends)) + self._strangers() + await self._late_changes()

    def _asked(self, other_ends: tuple[str, ...]) -> list[Asked]:
        questions = [question.sent.ts for question in self.questions]
        return [
            Asked(
                question=f"question {question.number}", ts=question.sent.ts,
                is_accepted=question.sent.is_accepted,
                answers=[visible_text(message) for message in self._answers_to(question, questions)],
                is_settled=self.slack.is_settled(question.sent), marks=question.marks,
                other_ends=other_ends,
            )
            for question in self.questions
        ]  # fmt: skip

    def _answers_to(self, question: Question, all_questions: list[str]) -> list[dict[str, Any]]:
        """The messages after it and before the next question of its thread."""
        later = [
            one.sent.ts
            for one in self.questions
            if one.sent.thread_ts == question.sent.thread_ts and one.sent.ts > question.sent.ts
        ]
        if not later:
            return self.slack.answers_to(question.sent)
        # Several questions of one thread may be written before the first answer: answers are told apart by their marks.
        first = question.marks[0]
        return [message for message in self.slack.answers_to(question.sent) if first in visible_text(message)]

    def _strangers(self) -> list[str]:
        """Messages of the application in threads where nobody asked."""
        asked = {question.sent.thread_ts for question in self.questions}
        channel = self.slack.channel(self.questions[0].sent.channel) if self.questions else None
        bot = self.slack.workspace().bot_user_id
        messages = channel.messages.values() if channel else []
        return [f"stranger at {one['ts']}" for one in messages if one.get("user") == bot and one.get("thread_ts") not in asked]

    async def _late_changes(self) -> list[str]:
        connection = await asyncpg.connect(driver_url(self.database_url))
        rows = await connection.fetch(
            """
            select p.channel_id, p.ts, i.done_at from reply_parts p join inbox i on i.id = p.inbox_id
            where i.done_at is not null
            """
        )
        await connection.close()
        done = {(row["channel_id"], row["ts"]): row["done_at"].timestamp() for row in rows}
        return changed_after_the_end(self.slack.record.of("visible"), done)


async def eventually(is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Waits until it is so. The limit only matters when a test fails."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.02)
