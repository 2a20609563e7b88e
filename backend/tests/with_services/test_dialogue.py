"""What was said stays said: sessions and turns in PostgreSQL, the latest of them in the cache."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.assistant.past_talks import PastTalks
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.core.encryption import Cipher
from app.core.errors import ConfigurationError
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import MOST_TURNS, RecentTurns
from app.dialogue.repository import DialogueRepository, FeedbackRepository, Verdict
from app.dialogue.turn import Exchange, Recorded, Talk, TurnRole
from app.i18n.language import Language
from app.people.person import Actor
from app.storage.database import Database
from tests.with_services.dialogue_builders import CALL, CIPHER, DM, NOW, an_exchange
from tests.with_services.redis_faults import SteppingClock, forward_to


async def record(database: Database, exchange: Exchange) -> Recorded:
    async with database.transaction() as session:
        return await DialogueRepository(session, CIPHER).record(exchange)


async def read(database: Database, conversation: Conversation = DM, turns: int = 10) -> Talk:
    async with database.reading() as session:
        return await DialogueRepository(session, CIPHER).talk(conversation, turns=turns)


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    connection = RedisConnection.open(RedisOptions(redis_url))
    yield Cache(connection)
    await connection.close()


async def test_an_exchange_is_read_back_in_order(database: Database) -> None:
    assert await read(database) == Talk()
    recorded = await record(database, an_exchange())
    again = await record(
        database, an_exchange(inbox_id=2, question="もう少し具体的に", skill="closing", thread_language=Language.ENGLISH)
    )
    talk = await read(database)
    assert [turn.role for turn in talk.turns] == [TurnRole.SPEAKER, TurnRole.COACH] * 2
    assert [turn.text for turn in talk.turns][::2] == ["値引きを求められたら、どう返せばいいですか？", "もう少し具体的に"]
    assert talk.language is Language.JAPANESE, "the thread keeps its first language"
    assert (talk.last_skill, talk.last_turn_id) == ("closing", again.last_turn_id)
    assert (recorded.last_turn_before, again.last_turn_before) == (0, recorded.last_turn_id)
    assert len((await read(database, turns=3)).turns) == 3


async def test_a_thread_without_a_clear_language_takes_that_of_the_first_clear_message(database: Database) -> None:
    assert (await record(database, an_exchange(question="BANT?", thread_language=None))).language is None
    assert (await record(database, an_exchange(inbox_id=2, thread_language=Language.CHINESE))).language is Language.CHINESE
    assert (await record(database, an_exchange(inbox_id=3, thread_language=Language.ENGLISH))).language is Language.CHINESE


async def test_recording_an_event_twice_adds_no_turns(database: Database) -> None:
    first = await record(database, an_exchange(calls=()))
    second = await record(database, an_exchange(answer="another text", calls=()))
    assert second.last_turn_id == first.last_turn_id
    assert [turn.text for turn in (await read(database)).turns][1] == "まず理由を聞きましょう。[1]"


async def test_every_model_call_is_booked(database: Database) -> None:
    failed = replace(CALL, provider="anthropic", outcome="ModelUnavailable", cost_micro_usd=None)
    await record(database, an_exchange(calls=(failed, CALL)))
    async with database.reading() as session:
        rows = await session.fetch("select * from model_usage order by id")
    assert [(row["provider"], row["outcome"], row["cost_micro_usd"]) for row in rows] == [
        ("anthropic", "ModelUnavailable", None),
        ("openai", "ok", 1234),
    ]
    assert (rows[1]["input_tokens"], rows[1]["cached_input_tokens"], rows[1]["output_tokens"]) == (100, 80, 20)
    assert (rows[1]["team_id"], rows[1]["user_id"], rows[1]["inbox_id"]) == ("T1", "U1", 1)


async def test_texts_are_encrypted_and_bound_to_their_row(database: Database) -> None:
    await record(database, an_exchange())
    async with database.reading() as session:
        dump = await session.fetch_value(
            "select string_agg(encode(content, 'escape'), '') from dialogue_messages where content is not null"
        )
        assert "値引き" not in dump
        await session.execute("update dialogue_messages set team_id = 'T2'")
        await session.execute("update dialogue_sessions set team_id = 'T2', conversation = 'T2:D1:1.1'")
    with pytest.raises(ConfigurationError):
        await read(database, replace(DM, team_id="T2"))


async def test_workspaces_with_equal_ids_do_not_meet(database: Database) -> None:
    other = replace(DM, team_id="T2")
    await record(database, an_exchange(question="ひとつめ"))
    await record(database, an_exchange(question="ふたつめ", conversation=other, inbox_id=2))
    assert next(turn.text for turn in (await read(database, other)).turns) == "ふたつめ"
    async with database.reading() as session:
        past = await DialogueRepository(session, CIPHER).recent_sessions(Actor("T2", "U1"), limit=10)
    assert [one.title for one in past] == ["ふたつめ"]


async def test_history_shows_ones_own_talks_and_in_a_channel_only_what_was_said_there(database: Database) -> None:
    in_sales = Conversation("T1", "C1", "2.2", is_direct=False)
    await record(database, an_exchange())
    await record(
        database,
        an_exchange(
            conversation=in_sales, inbox_id=2, question="チャンネルで", asked_at=NOW, answered_at=NOW + timedelta(days=1)
        ),
    )
    await record(
        database, an_exchange(conversation=replace(in_sales, thread_ts="3.3"), inbox_id=3, user_id="U2", question="他の人")
    )

    async def titles(actor: Actor) -> list[str]:
        async with database.reading() as session:
            return [one.title for one in await DialogueRepository(session, CIPHER).recent_sessions(actor, limit=10)]

    assert await titles(Actor("T1", "U1")) == ["チャンネルで", "値引きを求められたら、どう返せばいいですか？"]
    assert await titles(Actor("T1", "U1", is_private=False, channel_id="C1")) == ["チャンネルで"]
    assert await titles(Actor("T1", "U1", is_private=False, channel_id="C2")) == []
    assert await titles(Actor("T1", "U2")) == ["他の人"]


async def test_the_cache_answers_without_postgres_and_postgres_without_the_cache(database: Database, cache: Cache) -> None:
    recent = RecentTurns(database, CIPHER, cache)
    exchange = an_exchange()
    talk = await recent.recall(DM)
    recorded = await record(database, exchange)
    await recent.remember(talk, exchange, recorded)
    from_database = await read(database)
    async with database.reading() as session:
        await session.execute("delete from dialogue_messages")
    assert await recent.recall(DM) == from_database, "from the cache"
    assert await recent.recall(DM) != from_database, "taken: until somebody remembers, PostgreSQL is asked"


async def test_looking_at_a_talk_leaves_it_in_the_cache(database: Database, cache: Cache) -> None:
    recent = RecentTurns(database, CIPHER, cache)
    talks = PastTalks(database, CIPHER, SteppingClock(), recent)
    assert await talks.talk_in(DM) is None
    await remembered(database, recent, an_exchange())
    async with database.reading() as session:
        await session.execute("delete from dialogue_messages")
    seen = await talks.talk_in(DM)
    assert seen is not None and len(seen.turns) == 2
    assert await recent.recall(DM) == seen


async def test_an_answer_that_never_came_leaves_nothing_stale(database: Database, cache: Cache) -> None:
    recent = RecentTurns(database, CIPHER, cache)
    await remembered(database, recent, an_exchange())
    await recent.recall(DM)  # and then the process dies
    await record(database, an_exchange(inbox_id=2))  # elsewhere
    assert len((await recent.recall(DM)).turns) == 4


async def test_redis_away_while_a_turn_is_written_does_not_bring_the_old_talk_back(database: Database, redis_url: str) -> None:
    async with forward_to(redis_url) as wire:
        here = RedisConnection.open(RedisOptions(wire.url))
        there = RedisConnection.open(RedisOptions(redis_url))
        recent, elsewhere = (RecentTurns(database, CIPHER, Cache(connection)) for connection in (here, there))
        await remembered(database, recent, an_exchange())
        wire.is_cut = True
        await remembered(database, recent, an_exchange(inbox_id=2))
        # Another process finds the talk of before. It notices when it writes, and the next question has the whole talk again.
        stale = await elsewhere.recall(DM)
        third = an_exchange(inbox_id=3)
        await elsewhere.remember(stale, third, await record(database, third))
        assert len((await elsewhere.recall(DM)).turns) == 6
        await here.close()
        await there.close()


async def remembered(database: Database, recent: RecentTurns, exchange: Exchange) -> None:
    talk = await recent.recall(exchange.conversation)
    await recent.remember(talk, exchange, await record(database, exchange))


async def test_the_cached_talk_is_sealed_bounded_and_expires(database: Database, redis_url: str) -> None:
    connection = RedisConnection.open(RedisOptions(redis_url))
    recent = RecentTurns(database, CIPHER, Cache(connection), cache_hours=24)
    for number in range(MOST_TURNS):
        await remembered(database, recent, an_exchange(inbox_id=number + 1))
    key = "sales-agent:T1:session:D1:1.1"
    value = await connection.run(lambda client: client.get(key))
    assert "値引き".encode() not in value
    assert 86_000 < await connection.run(lambda client: client.ttl(key)) <= 86_400
    moved = RecentTurns(database, Cipher({"other": b"o" * 32}), Cache(connection))
    with pytest.raises(ConfigurationError):  # the cached value is not readable, and neither is the row: said, not guessed
        await moved.recall(DM)
    assert len((await recent.recall(DM)).turns) == MOST_TURNS
    await connection.close()


async def test_the_last_click_wins_and_keeps_its_reason(database: Database) -> None:
    actor = Actor("T1", "U1")
    place = {"channel_id": "C1", "message_ts": "1.1"}
    async with database.transaction() as session:
        repository = FeedbackRepository(session, CIPHER)
        assert await repository.given(actor, **place) is None
        await repository.give(actor, **place, verdict=Verdict.UNHELPFUL, reason=None, given_at=NOW)
        await repository.give(
            actor, **place, verdict=Verdict.UNHELPFUL, reason="古い情報でした", given_at=NOW + timedelta(seconds=9)
        )
        await repository.give(actor, **place, verdict=Verdict.HELPFUL, reason=None, given_at=NOW + timedelta(seconds=5))
        assert await repository.given(actor, **place) == (Verdict.UNHELPFUL, "古い情報でした")
        await repository.give(actor, **place, verdict=Verdict.HELPFUL, reason=None, given_at=NOW + timedelta(seconds=20))
        assert await repository.given(actor, **place) == (Verdict.HELPFUL, None)
        assert await repository.given(Actor("T2", "U1"), **place) is None
