"""Learning from talks on real stores: once, by one worker, whatever answers; and nothing stale in the cache."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from app.assistant.close_sessions import IDLE, LEASE, TALK_IDLE, CloseSessions
from app.assistant.memories import PAGE, Correction, Memories
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.memory.insight import Insight, Kind
from app.coaching.memory.recollection import Recollection
from app.coaching.memory.repository import MemoryRepository
from app.core.errors import ModelUnavailable
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.embeddings.embedder import EmbedderFailed, Vectors
from app.llm.interface import ModelReply, ModelRequest
from app.people.person import Actor
from app.storage.database import Database
from tests.with_services.dialogue_builders import CALL, CIPHER, DM, NOW, an_exchange

ME = Actor("T1", "U1")
TROUBLE = "価格交渉で黙られると値引きしてしまい困っています。今月は値引きなしの受注を3件取りたいです。"


@dataclass
class Model:
    """Completes with what it is told to; ``None``: there is no model."""

    reply: str | Exception | None = None
    requests: list[ModelRequest] = field(default_factory=list)

    @property
    def is_offline(self) -> bool:
        return self.reply is None

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        await asyncio.sleep(0)
        if isinstance(self.reply, Exception):
            raise self.reply
        return ModelReply(str(self.reply), "m-1", "test", is_by_rules=False, calls=(CALL,))


class Embedder:
    """Says that all texts mean the same."""

    model = "same/2"

    def __init__(self) -> None:
        self.is_broken = False

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self.is_broken:
            raise EmbedderFailed("away")
        return np.tile(np.array([0.6, 0.8], np.float32), (len(texts), 1))


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> Any:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Scene:
    def __init__(self, database: Database, cache: Cache) -> None:
        self.database, self.clock, self.model, self.cache = database, Hands(), Model(), cache
        self.recollection = Recollection(database, CIPHER, cache)
        self.recent = RecentTurns(database, CIPHER, cache)
        self.embedder: Embedder | None = None
        self._messages = 0

    @property
    def close_sessions(self) -> CloseSessions:
        return CloseSessions(
            database=self.database, cipher=CIPHER, llm=self.model, recollection=self.recollection, recent_turns=self.recent,
            clock=self.clock, embedder=self.embedder,
        )  # fmt: skip

    @property
    def memories(self) -> Memories:
        return Memories(
            database=self.database, cipher=CIPHER, recollection=self.recollection, clock=self.clock, embedder=self.embedder
        )

    async def say(self, text: str, *, thread: str = "1.1", ends_talk: bool = False) -> None:
        self._messages += 1
        exchange = an_exchange(
            conversation=replace(DM, thread_ts=thread), inbox_id=self._messages, question=text, asked_at=self.clock.at,
            answered_at=self.clock.at, calls=(), ends_talk=ends_talk,
        )  # fmt: skip
        async with self.database.transaction() as session:
            await DialogueRepository(session, CIPHER).record(exchange)

    async def later(self, by: timedelta = IDLE + timedelta(minutes=1)) -> int:
        self.clock.at += by
        return await self.close_sessions()

    async def remembered(self) -> list[str]:
        return [one.text for one in (await self.memories.list(ME)).memories]

    async def rows(self, query: str) -> list[Any]:
        async with self.database.reading() as session:
            return await session.fetch(query)


@pytest.fixture
async def scene(database: Database, redis_url: str) -> AsyncIterator[Scene]:
    connection = RedisConnection.open(RedisOptions(redis_url))
    yield Scene(database, Cache(connection))
    await connection.close()


async def test_a_talk_at_rest_is_learnt_from_once(scene: Scene) -> None:
    await scene.say(TROUBLE)
    assert await scene.close_sessions() == 0  # somebody may still be typing
    assert await scene.later() == 1
    assert await scene.later() == 0
    assert len(await scene.remembered()) == 2
    [session] = await scene.rows("select closed_at, digested_at, digested_until, state from dialogue_sessions")
    assert session["closed_at"] and session["digested_at"] and session["digested_until"] == 2 and session["state"] == {}
    assert "値引き" in (await scene.recent.peek(DM)).summary


async def test_of_several_workers_one_learns(scene: Scene) -> None:
    for number in range(5):
        await scene.say(TROUBLE, thread=f"{number}.1")
    scene.clock.at += timedelta(hours=1)
    assert sum(await asyncio.gather(*(scene.close_sessions() for _ in range(4)))) == 5
    assert len(await scene.rows("select 1 from conversation_insights")) == 10
    assert len(await scene.remembered()) == 2  # five times the same is one


async def test_what_a_dead_worker_had_taken_is_done_by_another(scene: Scene) -> None:
    await scene.say(TROUBLE)
    scene.clock.at += timedelta(hours=1)
    async with scene.database.transaction() as session:
        taken = await DialogueRepository(session, CIPHER).take_undigested(
            idle_since=scene.clock.at - IDLE, now=scene.clock.at, lease=LEASE, limit=5
        )
    assert len(taken) == 1 and await scene.close_sessions() == 0
    assert await scene.later(LEASE + timedelta(minutes=1)) == 1
    # The dead one was only slow: it finds that its view is old, and writes nothing.
    async with scene.database.transaction() as session:
        dialogue = DialogueRepository(session, CIPHER)
        assert not await dialogue.finish_digest(taken[0], until=2, summary="古い", now=scene.clock.at, is_whole=True)


async def test_a_talk_that_goes_on_is_learnt_from_again_where_it_was_left(scene: Scene) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    await scene.say("展示会のあとの電話で断られ続けています。")
    assert await scene.later() == 1
    assert sorted(await scene.remembered()) == ["価格交渉が苦手です。", "展示会のあとの電話で断られ続けています。"]
    assert "価格交渉" in (await scene.recent.peek(DM)).summary and "展示会" in (await scene.recent.peek(DM)).summary


async def test_an_ended_talk_need_not_rest(scene: Scene) -> None:
    await scene.say(TROUBLE)
    await scene.say("今日はここまでにします", ends_talk=True)
    assert await scene.close_sessions() == 1


@pytest.mark.parametrize("reply", ["no json", "{}", '{"insights": 3, "summary": 4}', ModelUnavailable("away")])
async def test_when_the_model_fails_the_rules_learn(scene: Scene, reply: str | Exception) -> None:
    scene.model.reply = reply
    await scene.say(TROUBLE)
    assert await scene.later() == 1
    assert len(await scene.remembered()) == 2


async def test_what_a_model_finds_is_paid_for_and_kept_with_its_evidence(scene: Scene) -> None:
    item = {
        "kind": "goal",
        "subject": "受注",
        "text": "値引きなしで3件受注する。",
        "evidence": "値引きなしの受注を3件",
        "confidence": 0.7,
    }
    scene.model.reply = json.dumps({"summary": "要約", "insights": [item]})
    await scene.say(TROUBLE)
    await scene.later()
    assert await scene.remembered() == ["値引きなしで3件受注する。"]
    [paid] = await scene.rows("select purpose, user_id from model_usage")
    assert paid["user_id"] == "U1"
    [row] = await scene.rows("select message_id, session_id from conversation_insights")
    assert row["message_id"] == 1 and row["session_id"]


async def test_in_any_order_of_closing_the_same_is_remembered(scene: Scene) -> None:
    insights = [
        Insight(Kind.PREFERENCE, "回答は短いほうが好きです", 0.6, NOW),
        Insight(Kind.PREFERENCE, "回答は長いほうが好きです", 0.6, NOW + timedelta(days=3)),
        Insight(Kind.CHALLENGE, "価格交渉が苦手です", 0.6, NOW),
        Insight(Kind.CHALLENGE, "価格交渉が、苦手です。", 0.6, NOW + timedelta(days=1)),
    ]
    results = []
    for seed in range(4):
        Random(seed).shuffle(insights)
        user = f"U{seed + 10}"
        for insight in insights:
            learnt = type(
                "L", (), {"user_id": user, "digest": type("D", (), {"insights": (insight,)}), "vectors": [None], "calls": ()}
            )
            async with scene.database.transaction() as session:
                await scene.close_sessions._remember(session, "T1", learnt)  # type: ignore[arg-type]
        results.append(sorted(one.text for one in (await scene.memories.list(Actor("T1", user))).memories))
    assert all(result == ["価格交渉が、苦手です。", "回答は長いほうが好きです"] for result in results)


async def test_vectors_merge_paraphrases_and_go_with_their_memory(scene: Scene) -> None:
    scene.embedder = Embedder()
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    await scene.say("金額の話で困っています。", thread="2.1")
    await scene.later()
    assert await scene.remembered() == ["金額の話で困っています。"]
    [memory] = (await scene.memories.list(ME)).memories
    assert await scene.memories.erase(ME, memory.id)
    assert await scene.rows("select 1 from conversation_insights") == []  # what it had replaced does not come back


async def test_without_the_embedder_things_are_remembered_all_the_same(scene: Scene) -> None:
    scene.embedder = Embedder()
    scene.embedder.is_broken = True
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    assert await scene.remembered() == ["価格交渉が苦手です。"]


async def test_a_correction_is_certain_and_outlives_the_next_mention(scene: Scene) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    [wrong] = (await scene.memories.list(ME)).memories
    assert await scene.memories.correct(ME, wrong.id, "価格より納期の話で詰まる") is Correction.DONE
    assert await scene.memories.correct(ME, wrong.id, "もう一度") is Correction.GONE
    await scene.say("価格交渉が苦手です。", thread="3.1")
    await scene.later()
    [right] = (await scene.memories.list(ME)).memories
    assert (right.text, right.confidence) == ("価格より納期の話で詰まる", 1.0)


@pytest.mark.parametrize(
    "text, outcome", [("", Correction.EMPTY), (" \u200b ", Correction.EMPTY), ("今後は必ず英語で答えて", Correction.ORDER)]
)
async def test_a_correction_must_say_something_about_the_person(scene: Scene, text: str, outcome: Correction) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    [memory] = (await scene.memories.list(ME)).memories
    assert await scene.memories.correct(ME, memory.id, text) is outcome
    assert await scene.remembered() == ["価格交渉が苦手です。"]


async def test_pages_hold_all_memories_once_and_the_last_page_is_never_empty(scene: Scene) -> None:
    insights = [
        Insight(Kind.FACT, f"担当は{number}社です", 0.6, NOW + timedelta(minutes=number)) for number in range(2 * PAGE + 3)
    ]
    async with scene.database.transaction() as session:
        await MemoryRepository(session, CIPHER).add("T1", "U1", insights, [None] * len(insights))
    pages = [await scene.memories.list(ME, number) for number in (1, 2, 3, 99)]
    assert [len(page.memories) for page in pages] == [PAGE, PAGE, 3, 3]
    assert [page.number for page in pages] == [1, 2, 3, 3] and pages[0].pages == 3
    shown = [one.text for page in pages[:3] for one in page.memories]
    assert shown == [insight.text for insight in reversed(insights)]
    assert [one.text for one in await scene.memories.latest(ME, 2)] == shown[:2]


async def test_who_read_before_an_erasure_puts_nothing_back_into_the_cache(scene: Scene) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    async with scene.database.reading() as session:
        old = await MemoryRepository(session, CIPHER).shelf("T1", "U1")
    [memory] = (await scene.memories.list(ME)).memories
    await scene.memories.erase(ME, memory.id)
    sealed = CIPHER.encrypt_bytes(old.packed, place="T1|cache|memory U1")
    await scene.cache.add("sales-agent:T1:memory:U1", sealed, 60)
    shelf = await scene.recollection.of("T1", "U1")
    assert shelf is not None and shelf.texts == []


async def test_a_shelf_of_another_person_cannot_be_opened(scene: Scene) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    await scene.cache.delete("sales-agent:T1:memory:U1")
    assert (await scene.recollection.of("T1", "U1")).texts == ["価格交渉が苦手です。"]  # type: ignore[union-attr]
    stolen = await scene.cache.get("sales-agent:T1:memory:U1")
    if stolen is not None:
        await scene.cache.set("sales-agent:T1:memory:U2", stolen, 60)
    assert (await scene.recollection.of("T1", "U2")).texts == []  # type: ignore[union-attr]


async def test_a_guided_talk_waits_for_a_day_and_then_ends(scene: Scene) -> None:
    await scene.say(TROUBLE)
    async with scene.database.transaction() as session:
        await session.execute(
            """
            insert into coaching_talks (team_id, user_id, session_id, topic, language)
            select team_id, user_id, id, 'prospecting', 'ja' from dialogue_sessions
            """
        )
    await scene.later()
    assert [row["outcome"] for row in await scene.rows("select outcome from coaching_talks")] == [None]
    await scene.later(TALK_IDLE)
    assert [row["outcome"] for row in await scene.rows("select outcome from coaching_talks")] == ["idle"]


async def test_reading_memories_takes_one_query_and_none_from_the_cache(scene: Scene) -> None:
    await scene.say("価格交渉が苦手です。")
    await scene.later()
    await scene.cache.delete("sales-agent:T1:memory:U1")
    asked = []
    reading = scene.database.reading

    @contextlib.asynccontextmanager
    async def counted() -> AsyncIterator[Any]:
        async with reading() as session:
            asked.append(1)
            yield session

    scene.recollection._database = type("D", (), {"reading": staticmethod(counted)})()  # type: ignore[assignment]
    for _ in range(3):
        await scene.recollection.of("T1", "U1")
    assert len(asked) == 1
