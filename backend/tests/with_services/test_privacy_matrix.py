"""Private means private: actor x resource x surface without a crossing (T10, T11); what is erased is nowhere any more (T21)."""

import io
import json
import logging
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis.asyncio as redis
from cryptography.hazmat.primitives.ciphers import Cipher as RawCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes

from app.assistant.memories import Correction
from app.coaching.memory.insight import Insight, Kind
from app.coaching.memory.repository import MemoryRepository
from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.plan.repository import ItemStatus, PlanRepository
from app.coaching.talk.repository import TalkRepository
from app.coaching.talk.state import Known, Point, learn
from app.composition import open_cipher
from app.core.encryption import Cipher, key_from_secret
from app.dialogue.conversation import Conversation
from app.dialogue.repository import DialogueRepository, Verdict
from app.i18n.language import Language
from app.jobs.purge import Purge
from app.knowledge.entry import Category as KnowledgeCategory
from app.knowledge.proposals.draft import EntryDraft
from app.people.person import Actor, Person
from app.people.personal_data import PERSONAL_DATA
from app.playground.demo_workspace import KENTA, TEAM, XIAOMING, YOKO
from tests.doubles.product import Product, open_product
from tests.with_services.dialogue_builders import an_exchange

OTHER_TEAM = "T0OTHER0001"
CANARIES = {
    (TEAM, KENTA): "カナリア壱号QX7", (TEAM, YOKO): "カナリア弐号ZW4", (OTHER_TEAM, KENTA): "カナリア参号VB9",
}  # fmt: skip
NOBODY = (TEAM, XIAOMING)
_numbers = count(900_000)


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path) as opened:
        yield opened


def cipher_of(product: Product) -> Cipher:
    return open_cipher(product.services.settings)


async def plant(product: Product, team_id: str, user_id: str) -> dict[str, int]:
    """The person's canary in every kind of thing they can leave behind; ids of what can be asked for by id."""
    canary, cipher, now = CANARIES[team_id, user_id], cipher_of(product), datetime.now(UTC)
    number = next(_numbers)
    where = Conversation(team_id, f"D{number}", f"{number}.1", is_direct=True)
    exchange = an_exchange(
        conversation=where, inbox_id=number, user_id=user_id, question=f"{canary}の件で困っています", answer=f"{canary}への答え",
        asked_at=now, answered_at=now, calls=(),
    )  # fmt: skip
    async with product.services.database.transaction() as session:
        recorded = await DialogueRepository(session, cipher).record(exchange)
        talks, plans = TalkRepository(session, cipher), PlanRepository(session, cipher)
        talk = await talks.begin(team_id, user_id, recorded.session_id, topic="prospecting", language="ja")
        await talks.save(talk, learn(talk.talk, [Known(Point.PROBLEM, f"{canary}でつまずく", number, now)]))
        action = PlannedAction(f"{canary}に電話", f"{canary}の説明", Priority.HIGH, datetime.now(UTC).date() + timedelta(days=3),
                               Category.CUSTOMER, f"{canary}ができた")  # fmt: skip
        plan_id = await plans.keep(
            team_id, user_id, ActionPlan(f"{canary}の計画", (action,), Rhythm.WEEKLY), talk_id=talk.id, topic="prospecting",
            language="ja", made_by="rules", reminders=(now + timedelta(days=3),),
        )  # fmt: skip
        assert plan_id is not None
        [item] = await plans.items_of_plan(team_id, user_id, plan_id)
        insight = Insight(Kind.CHALLENGE, f"{canary}が苦手", 0.8, now, subject=canary, evidence=f"{canary}が苦手です",
                          session_id=recorded.session_id)  # fmt: skip
        [memory_id] = await MemoryRepository(session, cipher).add(team_id, user_id, [insight], [None])
        await session.execute(
            """
            update dialogue_sessions set summary = $3, digested_at = now(), digested_until = 9000000
            where team_id = $1 and conversation = $2
            """,
            team_id, where.key, cipher.encrypt(f"{canary}の要約", place=f"{team_id}|dialogue_sessions|{where.key}:summary"),
        )  # fmt: skip
    actor = Actor(team_id, user_id)
    await product.edge.give_feedback(
        actor, channel_id=where.channel_id, message_ts="1.1", verdict=Verdict.UNHELPFUL, reason=f"{canary}が違う"
    )
    return {"memory": memory_id, "item": item.id, "plan": plan_id, "inbox": number}


async def plant_everywhere(product: Product) -> dict[tuple[str, str], dict[str, int]]:
    return {key: await plant(product, *key) for key in CANARIES}


def in_words(value: Any) -> str:
    if isinstance(value, list) and value and hasattr(value[0], "content"):
        return "\n".join(_words_in_file(file.content) for file in value)
    return str(value).replace("\u2060", "")


def _words_in_file(content: bytes) -> str:
    if content[:2] != b"PK":
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8-sig") for name in archive.namelist())


Surface = Callable[[Product, Person], Awaitable[Any]]


async def _plans(product: Product, person: Person) -> Any:
    async with product.services.database.reading() as session:
        return await PlanRepository(session, cipher_of(product)).open_items(person.team_id, person.user_id)


async def _talks(product: Product, person: Person) -> Any:
    async with product.services.database.reading() as session:
        return await TalkRepository(session, cipher_of(product)).remembered(
            person.team_id, person.user_id, topic="prospecting", channel_id=None
        )


async def _recollection(product: Product, person: Person) -> Any:
    """Twice: from the database, and from the cache."""
    recollection = product.services.close_sessions._recollection
    shelves = [await recollection.of(person.team_id, person.user_id) for _ in range(2)]
    return [(shelf.texts, shelf.talks) for shelf in shelves if shelf is not None]


SURFACES: dict[str, Surface] = {
    "memory window": lambda product, person: product.edge.memories.list(_actor(person)),
    "latest memories": lambda product, person: product.edge.memories.latest(_actor(person), 10),
    "what enters a prompt": _recollection,
    "plans": _plans,
    "guided talks": _talks,
    "home": lambda product, person: product.edge.show_home(person),
    "history": lambda product, person: product.edge.show_history(person, days=30),
    "past talks": lambda product, person: product.edge.talks.latest_of(_actor(person), days=30),
    "export": lambda product, person: product.edge.export_person(_actor(person)),
}


def _actor(person: Person) -> Actor:
    return Actor(person.team_id, person.user_id, person.standing)


async def test_on_no_surface_does_anybody_see_what_is_somebody_elses(product: Product) -> None:
    await plant_everywhere(product)
    crossings, unseen = [], []
    for actor in (*CANARIES, NOBODY):
        for name, surface in SURFACES.items():
            shown = in_words(await surface(product, Person(*actor)))
            crossings += [(actor, name, owner) for owner, canary in CANARIES.items() if owner != actor and canary in shown]
            unseen += [(actor, name)] if actor in CANARIES and CANARIES[actor] not in shown else []
    assert crossings == []
    assert unseen == []  # a surface that shows nothing at all would prove nothing


async def test_nobody_changes_what_is_somebody_elses(product: Product) -> None:
    ids = await plant_everywhere(product)
    owners = list(CANARIES)
    for owner in owners:
        for intruder in (*(other for other in owners if other != owner), NOBODY):
            actor = Actor(*intruder)
            assert await product.edge.memories.one(actor, ids[owner]["memory"]) is None
            assert not await product.edge.memories.erase(actor, ids[owner]["memory"])
            assert await product.edge.memories.correct(actor, ids[owner]["memory"], "別の内容") is Correction.GONE
            async with product.services.database.transaction() as session:
                plans = PlanRepository(session, cipher_of(product))
                assert await plans.item(*intruder, ids[owner]["item"]) is None
                assert not await plans.settle(*intruder, ids[owner]["item"], ItemStatus.DONE)
                assert await plans.items_of_plan(*intruder, ids[owner]["plan"]) == []
    assert len(await product.rows("select 1 from conversation_insights")) == len(owners)


async def test_growth_is_shown_from_ones_own_evidence_only(product: Product) -> None:
    async with product.services.database.transaction() as session:
        for number in range(50):
            await session.execute(
                """
                insert into skill_evidence (team_id, user_id, skill, kind, source, value)
                values ($1, $2, $3, 'plan_item', $4, 1)
                """,
                TEAM, KENTA, product.edge.show_growth.taxonomy.skills[number % 5].id, f"plan_item:{number}",
            )  # fmt: skip
    shown = {key: len((await product.edge.show_growth(Actor(*key), days=30)).known) for key in (*CANARIES, NOBODY)}
    assert shown.pop((TEAM, KENTA)) == 5
    assert set(shown.values()) == {0}


async def test_in_any_order_of_reading_and_writing_nothing_crosses(product: Product) -> None:
    """The seed is fixed, the ids are anybody's."""
    ids = [one["memory"] for one in (await plant_everywhere(product)).values()]
    chance, memories, people = Random(11), product.edge.memories, [*CANARIES, NOBODY]
    crossings = []
    for _ in range(600):
        owner = chance.choice(people)
        actor, target = Actor(*owner), chance.choice(ids) + chance.randrange(12)
        match chance.randrange(5):
            case 0:
                shown = in_words(await memories.list(actor, chance.randrange(1, 4)))
            case 1:
                shown = in_words(await _recollection(product, Person(*owner)))
            case 2:
                shown = in_words(await memories.one(actor, target))
            case 3:
                mine = CANARIES.get(owner, "名無し")
                shown = str(await memories.correct(actor, target, f"{mine}の{chance.randrange(1000)}"))
            case _:
                shown = str(chance.random() < 0.1 and await memories.erase(actor, target))
        crossings += [(owner, other) for other, canary in CANARIES.items() if other != owner and canary in shown]
    assert crossings == []


async def test_in_slack_the_commands_home_and_windows_show_ones_own(product: Product) -> None:
    await plant_everywhere(product)
    for user in (KENTA, YOKO, XIAOMING):
        await product.slack.open_home(user=user)
        await product.until_quiet()
        shown = json.dumps(product.slack.home_of(user), ensure_ascii=False)
        shown += (await product.slack.command("/ai_history", user=user)).text
        assert (await product.slack.click("memory_open", user=user)).is_ok
        shown += json.dumps(product.slack.modal_of(user), ensure_ascii=False)
        shown = (
            json.dumps(json.loads(f"[{json.dumps(shown)}]"), ensure_ascii=False).encode().decode("unicode_escape", "ignore")
            + shown
        )
        assert {owner for owner, canary in CANARIES.items() if canary in shown} == {
            owner for owner in CANARIES if owner == (TEAM, user)
        }


async def test_no_private_canary_enters_a_prompt_in_a_channel(product: Product) -> None:
    await plant_everywhere(product)
    await product.final(
        await product.slack.mention(f"{CANARIES[TEAM, KENTA][:5]}が苦手です。新規開拓の話し方を教えてください", user=KENTA)
    )
    assert not any(canary in request.text for request in product.model.requests for canary in CANARIES.values())


# Erasing


async def dump_of(product: Product, redis_url: str) -> str:
    """Every value of every table and every key of the cache, opened with our key wherever it belongs."""
    key = key_from_secret((product.services.settings.data_directory / "secret.key").read_text())
    words = []
    for table in [row["tablename"] for row in await product.rows("select tablename from pg_tables where schemaname = 'public'")]:
        for row in await product.rows(f'select * from "{table}"'):
            words += [f"{table}.{name}: {_opened(value, key)}" for name, value in row.items()]
    client = redis.Redis.from_url(redis_url)
    async for name in client.scan_iter():
        value = await client.get(name) if await client.type(name) == b"string" else b""
        words.append(f"cache {name.decode()}: {_opened(value, key)}")
    await client.aclose()
    return "\n".join(words)


def _opened(value: Any, key: bytes) -> str:
    """GCM without its seal is counter mode: the words come out whatever place they are bound to."""
    if not isinstance(value, bytes):
        return json.dumps(value, ensure_ascii=False, default=str)
    if len(value) > 30 and value[0] == 1 and value[2 : 2 + value[1]] == b"secret":
        nonce, sealed = value[8:20], value[20:-16]
        opener = RawCipher(algorithms.AES(key), modes.CTR(nonce + (2).to_bytes(4, "big"))).decryptor()
        return _unescaped(opener.update(sealed).decode("utf-8", "ignore"))
    return value.decode("utf-8", "ignore")


def _unescaped(text: str) -> str:
    """JSON from Slack may spell every character as a number."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text.replace("\n", " ")


async def leave_traces(product: Product) -> None:
    """By every door of Slack: talks in DM and channel, a reason, a proposal, a question for knowledge, a waiting message."""
    for key in ((TEAM, KENTA), (TEAM, YOKO)):
        canary, user, actor = CANARIES[key], key[1], Actor(*key)
        [answer] = await product.final(
            await product.slack.dm(f"{canary}が苦手です。値引きを求められたら、どう返せばいいですか？", user=user)
        )
        await product.final(await product.slack.dm(f"{canary}の新規開拓で苦戦しています", user=user))
        dm = product.slack.workspace().directs[user]
        await product.slack.click("answer_why", ts=answer["ts"], user=user, channel=dm)
        await product.final(await product.slack.mention(f"{canary}の提案を考えています", user=user))
        await product.slack.open_home(user=user)
        await product.slack.command("/ai_history", f"{canary}", user=user)
        await product.slack.command("/ai_knowledge", f"{canary}", user=user)
        await product.edge.propose_knowledge(
            actor, EntryDraft(f"{canary}の手順", f"{canary}を使う。", KnowledgeCategory.NEGOTIATION, Language.JAPANESE)
        )
        await product.until_quiet()
        product.clock.ahead += timedelta(minutes=31)
        await product.services.close_sessions()
        product.clock.ahead -= timedelta(minutes=31)
        await product.edge.memories.latest(actor)
    await product.until_quiet()


async def test_what_is_forgotten_is_nowhere_any_more(product: Product, redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await plant_everywhere(product)
    await leave_traces(product)
    before = await dump_of(product, redis_url)
    mine, theirs, twins = CANARIES.values()
    found_in = {line.split(".")[0] for line in before.splitlines() if mine in line}
    assert {"dialogue_messages", "dialogue_sessions", "conversation_insights", "talk_points", "action_plans", "plan_items",
            "feedback", "inbox", "knowledge_proposals"} <= found_in  # fmt: skip
    assert any(line.startswith("cache") and mine in line for line in before.splitlines())

    forgotten = await product.edge.forget_person(Actor(TEAM, KENTA))

    after = await dump_of(product, redis_url)
    assert [line for line in after.splitlines() if mine in line] == []
    # What is left for a minute are counts of questions, and blocks without content.
    left = [line for line in after.splitlines() if line.startswith("cache") and TEAM in line and KENTA in line]
    assert [line for line in left if ":limit:" not in line and not line.endswith(": \0")] == []
    assert before.count(theirs) == after.count(theirs) and before.count(twins) == after.count(twins)
    assert forgotten.counts["memories"] >= 1 and forgotten.counts["messages"] >= 4
    assert mine not in caplog.text and theirs not in caplog.text
    for data in PERSONAL_DATA:
        if data.table != "inbox":
            left = await product.rows(f"select 1 from {data.table} where team_id = '{TEAM}' and {data.owner} = '{KENTA}'")
            assert left == [], data.name
    assert (await product.edge.forget_person(Actor(TEAM, KENTA))).total == 0


async def test_an_export_holds_everything_of_its_owner_and_nothing_of_others(product: Product) -> None:
    await plant_everywhere(product)
    await leave_traces(product)
    files = await product.edge.export_person(Actor(TEAM, KENTA))
    mine, theirs, twins = CANARIES.values()
    exported = json.loads(files[0].content)["data"]
    assert set(exported) == {data.name for data in PERSONAL_DATA}
    with_canary = {name for name, rows in exported.items() if mine in json.dumps(rows, ensure_ascii=False)}
    assert {"messages", "sessions", "memories", "plans", "plan items", "talk points", "feedback", "received messages",
            "knowledge proposed"} <= with_canary  # fmt: skip
    assert theirs not in in_words(files) and twins not in in_words(files)
    assert mine in _words_in_file(files[1].content)


async def test_a_thread_of_several_keeps_what_the_others_said(product: Product) -> None:
    cipher, database = cipher_of(product), product.services.database
    shared = Conversation(TEAM, "C1", "5.5", is_direct=False)
    for number, user in enumerate((KENTA, YOKO), start=next(_numbers)):
        async with database.transaction() as session:
            exchange = an_exchange(conversation=shared, inbox_id=number, user_id=user, question=CANARIES[TEAM, user], calls=())
            await DialogueRepository(session, cipher).record(replace(exchange, answer="答え"))
    await product.edge.forget_person(Actor(TEAM, KENTA))
    [left] = await product.rows("select user_id, title, summary from dialogue_sessions")
    assert (left["user_id"], left["title"], left["summary"]) == (YOKO, None, None)
    assert {row["user_id"] for row in await product.rows("select user_id from dialogue_messages")} == {YOKO}


async def test_a_talk_that_is_being_learnt_from_while_its_person_is_forgotten_leaves_nothing(product: Product) -> None:
    await product.final(await product.slack.dm(f"{CANARIES[TEAM, KENTA]}の値引きが苦手です"))
    close = product.services.close_sessions
    learn_as_ever = close._learn

    async def forgotten_meanwhile(*given: Any) -> Any:
        learnt = await learn_as_ever(*given)
        await product.edge.forget_person(Actor(TEAM, KENTA))
        return learnt

    close._learn = forgotten_meanwhile  # type: ignore[method-assign]
    product.clock.ahead += timedelta(minutes=31)
    assert await close() == 0
    assert await product.rows("select 1 from conversation_insights") == []


async def test_what_is_too_old_goes_at_night(product: Product) -> None:
    await plant_everywhere(product)
    purge = Purge(product.services.database, product.services.settings, product.clock)
    await purge(product.clock.now())
    assert len(await product.rows("select 1 from conversation_insights")) == 3
    product.clock.ahead += timedelta(days=4000)
    await purge(product.clock.now())
    for table in ("dialogue_messages", "dialogue_sessions", "conversation_insights", "action_plans", "plan_items", "talk_points",
                  "feedback"):  # fmt: skip
        assert await product.rows(f"select 1 from {table}") == [], table
