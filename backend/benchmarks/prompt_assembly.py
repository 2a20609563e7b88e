"""How long a prompt takes to put together for somebody who has talked with the coach for years.

    python backend/benchmarks/prompt_assembly.py [--sessions 500] [--turns 10000] [--memories 2000] [--rounds 200]

Own time and queries from a question to its finished prompt (the latest turns, what is remembered, the choice, the prompt; the
search for knowledge is measured by search_speed.py), with the cache warm, with the cache emptied each time, and naively: every
turn and every memory read and opened. Also: reading and writing a session in the cache against PostgreSQL, in the same run.
Times are of this machine; the ratios are what to compare. Texts and vectors are made up, as wide as the local model's.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from marks import Row

from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.cache.keys import memory_key, session_key
from app.coaching.compose_prompt import Prompt, compose_prompt
from app.coaching.memory.choose import choose_memories
from app.coaching.memory.insight import Insight, Kind, Vector
from app.coaching.memory.recollection import Recollection
from app.coaching.memory.remembered import Remembered
from app.coaching.memory.repository import MemoryRepository
from app.coaching.memory.shingles import overlap, shingles_of
from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import Exchange, Talk, Turn, TurnRole
from app.embedded.services import THROW_AWAY, EmbeddedServices
from app.i18n.language import Language
from app.storage.database import Database, Session
from app.storage.migrations import upgrade_to_newest

TEAM, USER = "T1", "U1"
DIMENSIONS = 384
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
QUESTION = "部長が値引きの稟議で黙ってしまいます。次の商談でどう切り出せばいいですか？"
WHO = ("部長", "社長", "購買", "現場", "経理", "代理店", "総務", "技術")
WHAT = ("価格", "納期", "品質", "契約更新", "提案書", "見積", "競合比較", "導入時期")
HOW = (
    "の話で黙ってしまう",
    "を聞かれると詰まる",
    "では事例が役に立った",
    "を先に確かめたい",
    "の返事が来ない",
    "を毎週確認している",
)


class Counting:
    """The database, counting what it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.queries = 0

    @asynccontextmanager
    async def reading(self) -> Any:
        async with self._database.reading() as session:
            yield _CountingSession(session, self)


class _CountingSession:
    def __init__(self, session: Session, count: Counting) -> None:
        self._session = session
        self._count = count

    def __getattr__(self, name: str) -> Any:
        self._count.queries += 1
        return getattr(self._session, name)


class Person:
    """Somebody with a long past, and the parts that remember it."""

    def __init__(self, database: Database, cache: Cache, cipher: Cipher) -> None:
        self.database, self.cache, self.cipher = database, cache, cipher
        self.counting = Counting(database)
        self.recent = RecentTurns(self.counting, cipher, cache)  # type: ignore[arg-type]
        self.recollection = Recollection(self.counting, cipher, cache)  # type: ignore[arg-type]
        self.vector = _unit(Random(1))

    async def live(self, *, sessions: int, turns: int, memories: int) -> None:
        chance = Random(7)
        async with self.database.transaction() as session:
            for number in range(turns // 2):
                await DialogueRepository(session, self.cipher).record(self.exchange(number % sessions, number, chance))
            seal = self.cipher.encrypt
            for number in range(sessions):
                key = self.where(number).key
                await session.execute(
                    "update dialogue_sessions set summary = $3 where team_id = $1 and conversation = $2",
                    TEAM, key, seal("- 値引きと稟議の話をした。" * 6, place=f"{TEAM}|dialogue_sessions|{key}:summary"),
                )  # fmt: skip
            insights = [
                Insight(
                    chance.choice(list(Kind)), f"{chance.choice(WHO)}に{chance.choice(WHAT)}{chance.choice(HOW)}（{number}）",
                    chance.uniform(0.4, 0.9), NOW - timedelta(days=chance.uniform(0, 700)),
                )
                for number in range(memories)
            ]  # fmt: skip
            vectors = [Vector("bench/384", _unit(chance)) for _ in insights]
            await MemoryRepository(session, self.cipher).add(TEAM, USER, insights, vectors)
        async with self.database.reading() as session:
            await session.execute("vacuum analyze")

    def where(self, number: int) -> Conversation:
        return Conversation(TEAM, "D1", f"{number}.1", is_direct=True)

    def exchange(self, number: int, inbox_id: int, chance: Random) -> Exchange:
        said = f"{chance.choice(WHO)}に{chance.choice(WHAT)}{chance.choice(HOW)}。どうすればいいですか？" * 2
        return Exchange(
            conversation=self.where(number), inbox_id=inbox_id, user_id=USER, question=said, answer=said * 5,
            language=Language.JAPANESE, skill="negotiation", sources=(1, 2), asked_at=NOW, answered_at=NOW,
        )  # fmt: skip

    async def assemble(self) -> Prompt:
        """As the use case does it."""
        where = self.where(3)
        talk = await self.recent.recall(where)
        await self.cache.set(session_key(where.key), self.recent._sealed(talk, where), 3600)  # noqa: SLF001 - as `remember`
        shelf = await self.recollection.of(TEAM, USER)
        assert shelf is not None
        memories = choose_memories(shelf, QUESTION, now=NOW, vector=self.vector, model="bench/384")
        return _prompt(talk.turns, Remembered(memories, shelf.talks, talk.summary))

    async def assemble_cold(self) -> Prompt:
        await self.cache.delete(session_key(self.where(3).key), memory_key(TEAM, USER))
        return await self.assemble()

    async def assemble_naively(self) -> Prompt:
        """Everything that was ever said and learnt, compared one by one."""
        async with self.database.reading() as session:
            rows = await session.fetch(
                "select inbox_id, role, content from dialogue_messages where team_id = $1 and user_id = $2 order by id",
                TEAM,
                USER,
            )
            turns = [
                Turn(
                    TurnRole(row["role"]),
                    self.cipher.decrypt(row["content"], place=f"{TEAM}|dialogue_messages|{row['inbox_id']}:{row['role']}"), USER,
                )
                for row in rows
            ]  # fmt: skip
            insights, _ = await MemoryRepository(session, self.cipher).all_of(TEAM, USER)
        asked = shingles_of(QUESTION)
        best = sorted(insights, key=lambda one: -overlap(shingles_of(one.text), asked))[:8]
        shelf = await self.recollection.of(TEAM, USER)
        assert shelf is not None
        assert best
        return _prompt(turns, Remembered(choose_memories(shelf, QUESTION, now=NOW)))


def _prompt(turns: Any, remembered: Remembered) -> Prompt:
    return compose_prompt(
        QUESTION, skill="negotiation", language=Language.JAPANESE, turns=turns, passages=(), remembered=remembered
    )


def _unit(chance: Random) -> Any:
    row = np.random.default_rng(chance.randrange(1 << 30)).standard_normal(DIMENSIONS).astype(np.float32)
    return row / np.linalg.norm(row)


async def milliseconds(call: Callable[[], Awaitable[Any]], rounds: int) -> list[float]:
    for _ in range(3):
        await call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return times


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def compare_assembly(person: Person, rounds: int) -> None:
    naive, rows = await milliseconds(person.assemble_naively, max(5, rounds // 20)), []
    for name, call in (("cache warm", person.assemble), ("cache empty", person.assemble_cold)):
        before = person.counting.queries
        times = await milliseconds(call, rounds)
        queries = (person.counting.queries - before) / (rounds + 3)
        rows.append(Row(f"prompt, {name}, own time, p95", p95(times), 50, 50, "ms"))
        rows.append(Row(f"prompt, {name}, queries", queries, 6, 6))
        print(
            f"prompt, {name:<12} p50 {statistics.median(times):7.2f} ms  p95 {p95(times):7.2f} ms  queries {queries:.1f}"
            f"  naive/ours {statistics.median(naive) / statistics.median(times):.1f}x"
        )
    print(f"prompt, naively      p50 {statistics.median(naive):7.2f} ms  p95 {p95(naive):7.2f} ms")
    began = time.process_time()
    for _ in range(rounds):
        await person.assemble()
    print(f"prompt, cache warm   processor time {(time.process_time() - began) / rounds * 1000:.2f} ms")
    print(*(f"  {row}" for row in rows), sep="\n")


async def compare_sessions(person: Person, rounds: int) -> None:
    """The same talk, out of the cache and out of PostgreSQL; the same turns, into either."""
    where, chance = person.where(5), Random(3)
    await person.recent.peek(where)
    talk = await person.recent._from_database(where)  # noqa: SLF001
    sealed = person.recent._sealed(Talk(talk.language, talk.turns, talk.last_turn_id), where)  # noqa: SLF001
    await person.cache.set(session_key(where.key), sealed, 3600)
    inbox_ids = iter(range(10_000_000, 20_000_000))

    async def write_to_cache() -> None:
        again = person.recent._sealed(talk, where)  # noqa: SLF001
        await person.cache.set(session_key(where.key), again, 3600)

    async def write_to_database() -> None:
        async with person.database.transaction() as session:
            await DialogueRepository(session, person.cipher).record(
                replace(person.exchange(5, next(inbox_ids), chance), conversation=person.where(499))
            )

    async def read_from_database() -> None:
        await person.recent._from_database(where)  # noqa: SLF001

    read = [await milliseconds(call, rounds) for call in (lambda: person.recent.peek(where), read_from_database)]
    write = [await milliseconds(call, rounds) for call in (write_to_cache, write_to_database)]
    for name, (cached, stored) in (("read", read), ("write", write)):
        print(
            f"session, {name:<5} cache p95 {p95(cached):6.2f} ms  PostgreSQL p95 {p95(stored):6.2f} ms"
            f"  PostgreSQL/cache {p95(stored) / p95(cached):.1f}x"
        )


async def run(options: argparse.Namespace, database_url: str, redis_url: str) -> None:
    upgrade_to_newest(database_url)
    database = await Database.open(database_url, max_connections=3, command_timeout_seconds=600)
    redis = RedisConnection.open(RedisOptions(redis_url))
    person = Person(database, Cache(redis), Cipher({"k": bytes(32)}))
    await person.live(sessions=options.sessions, turns=options.turns, memories=options.memories)
    await compare_assembly(person, options.rounds)
    await compare_sessions(person, options.rounds)
    await redis.close()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--memories", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="sa-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServices(Path(folder), THROW_AWAY) as servers:
            asyncio.run(run(options, servers.database_url, servers.redis_url))


if __name__ == "__main__":
    main()
