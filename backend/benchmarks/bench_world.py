"""What a bot under measurement lives in: real PostgreSQL and Valkey, a small Slack here, a scripted model beside it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

BACKEND = Path(__file__).parents[1]
sys.path.insert(0, str(BACKEND))

from app.embedded.services import EmbeddedServices  # noqa: E402
from app.embeddings.local import LocalEmbedder  # noqa: E402
from app.embeddings.prepared import PreparedEmbedder  # noqa: E402
from app.knowledge.embedding_queue import EmbeddingQueue  # noqa: E402
from app.knowledge.library import Library  # noqa: E402
from app.knowledge.starter_library import load_starter_library  # noqa: E402
from app.knowledge.tokens import Tokenizer  # noqa: E402
from app.playground.demo_workspace import BOT_TOKEN, TEAM  # noqa: E402
from app.playground.options import Options  # noqa: E402
from app.playground.slack_server import SlackServer  # noqa: E402
from app.playground.small_slack import SmallSlack  # noqa: E402
from app.storage.database import Database  # noqa: E402
from app.storage.migrations import upgrade_to_newest  # noqa: E402

SECRET = "bench-signing-secret"
MODEL_SECONDS = 2.0
FIRST_TOKEN_SECONDS = 0.3
PIECES = 60
# Each is asked once: neither its vector nor its result is known from before.
QUESTION = "{number}社目のお客様に値引きを求められました。どう返せばいいですか？"
_numbers = count(1)
PEOPLE, CHANNELS = 200, 40


@dataclass
class Model:
    """The scripted model's process."""

    url: str
    process: subprocess.Popen[bytes]


@dataclass
class Bot:
    """A bot under measurement. ``processes`` are all it consists of."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *(child for child in parent.children(recursive=True) if "python" in child.name())]

    def cpu_seconds(self) -> float:
        """Processor time of the bot's own processes so far; database and doubles are not counted."""
        return sum(times.user + times.system for times in (member.cpu_times() for member in self.family))

    def megabytes_per_process(self) -> float:
        """Memory of the largest process that serves, in MB, pages shared with others counted by its part (PSS)."""
        servers = self.family[1:] or self.family
        return max(float(member.memory_full_info().pss) for member in servers) / 1e6


@dataclass
class Timing:
    """One answered event, in seconds from the moment the person pressed Enter."""

    sign: float | None = None
    first_words: float | None = None
    last_word: float | None = None
    calls: int = 0
    finals: set[str] = field(default_factory=set)


@contextlib.contextmanager
def services() -> Iterator[EmbeddedServices]:
    """PostgreSQL and Valkey with the settings people's data get (durable commits), and the starter library with its vectors."""
    with tempfile.TemporaryDirectory(prefix="sa-bench-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServices(Path(folder)) as running:
            upgrade_to_newest(running.database_url)
            asyncio.run(fill_library(running.database_url))
            yield running


async def fill_library(database_url: str) -> None:
    database, embedder = await Database.open(database_url), PreparedEmbedder(LocalEmbedder())
    try:
        await load_starter_library(Library(database, Tokenizer()), team_id=TEAM)
        while await EmbeddingQueue(database, embedder).embed_pending():
            pass
    finally:
        await embedder.close()
        await database.close()


async def forget_events(database_url: str) -> None:
    """What an earlier measurement left unanswered shall not be answered in the next one, whose Slack knows nothing of it."""
    database = await Database.open(database_url)
    try:
        async with database.transaction() as session:
            await session.execute("truncate inbox, procrastinate_jobs cascade")
    finally:
        await database.close()


@contextlib.contextmanager
def model(*, seconds: float = MODEL_SECONDS) -> Iterator[Model]:
    port = free_port()
    arguments = ["--port", str(port), "--pieces", str(PIECES), "--seconds", str(seconds)]
    arguments += ["--first-token-seconds", str(FIRST_TOKEN_SECONDS), "--text", "まずお客様の背景を伺いましょう。" * 20]
    with child([sys.executable, "-m", "tests.doubles.model_server", *arguments], {}) as process:
        wait_for_port(port)
        yield Model(f"http://127.0.0.1:{port}/v1", process)


@contextlib.asynccontextmanager
async def slack(bot_port: int, *, has_strict_rates: bool = False) -> AsyncIterator[SmallSlack]:
    """A workspace full of people and channels whose events go to the bot."""
    options = Options(
        signing_secret=SECRET, app_base_url=f"http://127.0.0.1:{bot_port}", has_strict_rates=has_strict_rates, ack_seconds=30.0
    )
    server = SlackServer(options)
    workspace = server.slack.workspace(TEAM)
    for number in range(PEOPLE):
        workspace.add_user(f"U0BENCH{number:04d}", f"担当者{number}")
    for number in range(CHANNELS):
        workspace.add_channel(f"C0BENCH{number:04d}", f"bench-{number}")
    async with server as running:
        yield running


@contextlib.asynccontextmanager
async def our_app(
    port: int, slack_api: str, model_url: str, running: EmbeddedServices, *, is_single: bool = True, **more: str
) -> AsyncIterator[Bot]:
    """The product, everything switched on: one process that serves and works, or gunicorn with two of them."""
    environment = {
        "ENVIRONMENT": "staging", "DATABASE_URL": running.database_url, "REDIS_URL": running.redis_url,
        "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": slack_api, "LLM_BASE_URL": model_url,
        "LLM_MODEL": "bench", "SECRET_KEY": "b" * 40, "LOG_LEVEL": "WARNING", "QUESTIONS_PER_MINUTE": "100000",
        "QUESTIONS_PER_MINUTE_WORKSPACE": "1000000", "WORKER_CONCURRENCY": "400", **more,
    }  # fmt: skip
    shape = ["--single"] if is_single else ["--workers", "2"]
    command = [sys.executable, "-m", "app", "serve", *shape, "--migrate", "--bind", f"127.0.0.1:{port}"]
    async with bot_process(command, environment) as process:
        await asyncio.to_thread(wait_for_port, port, seconds=60)
        yield Bot("product", port, process)


@contextlib.asynccontextmanager
async def yardstick(kind: str, port: int, slack_api: str, model_url: str) -> AsyncIterator[Bot]:
    command = [sys.executable, "benchmarks/yardsticks.py", kind, "--port", str(port), "--slack-api", slack_api]
    command += ["--model", model_url, "--signing-secret", SECRET, "--token", BOT_TOKEN]
    async with bot_process(command, {}) as process:
        await asyncio.to_thread(wait_for_port, port)
        yield Bot(f"yardstick {kind}", port, process)


@contextlib.asynccontextmanager
async def bot_process(command: Sequence[str], environment: dict[str, str]) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A bot's process. It is ended in a thread: while it says goodbye, this process still plays Slack."""
    context = child(command, environment)
    process = context.__enter__()
    try:
        yield process
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


@contextlib.contextmanager
def child(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "OPENAI_", "LLM_", "ANTHROPIC_"))}
    process = subprocess.Popen(command, cwd=BACKEND, env=keep | environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > end:
            raise SystemExit(f"nothing listens on port {port} after {seconds:g} s")
        time.sleep(0.05)


async def send_mentions(world: SmallSlack, *, rate: float, seconds: float, people: int = PEOPLE) -> list[str]:
    """Mentions at a steady rate, each a conversation of its own; returns their thread timestamps."""
    begun, sent = time.monotonic(), []
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        one = await world.mention(
            QUESTION.format(number=next(_numbers)),
            user=f"U0BENCH{number % people:04d}",
            channel=f"C0BENCH{number % CHANNELS:04d}",
            team=TEAM,
            waits=False,
        )
        sent.append(one.ts)
    return sent


async def until_answered(world: SmallSlack, threads: list[str], *, seconds: float) -> dict[str, Timing]:
    """Waits until every thread has its final answer (or the time is over) and reads the times off the record."""
    end = time.monotonic() + seconds
    while True:
        timings = timings_of(world, threads)
        if time.monotonic() > end or all(timing.last_word is not None for timing in timings.values()):
            return timings
        await asyncio.sleep(0.5)


def timings_of(world: SmallSlack, threads: list[str]) -> dict[str, Timing]:
    timings = {ts: Timing() for ts in threads}
    bot = world.workspace(TEAM).bot_user_id
    asked: dict[str, float] = {}
    for entry in world.record.entries:
        thread = entry.get("thread_ts") or entry.get("ts")
        timing = timings.get(thread or "")
        if timing is None:
            continue
        if entry["kind"] == "call" and entry["is_done"]:
            timing.calls += 1
        if entry["kind"] != "visible":
            continue
        if entry["by"] != bot:
            asked.setdefault(thread, entry["at"])
            continue
        since = entry["at"] - asked[thread]
        timing.sign = since if timing.sign is None else timing.sign
        if timing.first_words is None and entry["text"].strip() and entry["change"] != "stream_started":
            timing.first_words = since
        if entry["change"] in {"stream_stopped", "posted", "updated"}:
            timing.last_word = since
            timing.finals.add(entry["ts"])
    return timings


def acks(world: SmallSlack) -> list[float]:
    """Seconds from sending an event to its 200."""
    return sorted(entry["seconds"] for entry in world.record.of("delivery") if entry["status"] == 200)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
