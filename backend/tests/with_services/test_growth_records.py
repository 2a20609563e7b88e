"""Evidence, history and outcomes on real PostgreSQL: only their owner's, however often they are told."""

from datetime import UTC, datetime, timedelta

import pytest

from app.assistant.change_plan import ChangePlan
from app.assistant.memories import Memories
from app.assistant.note_outcome import NoteOutcome
from app.assistant.past_talks import PastTalks
from app.assistant.show_growth import ShowGrowth
from app.assistant.show_history import ShowHistory
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.growth.levels import Step
from app.coaching.growth.repository import Evidence, EvidenceRepository, Outcome
from app.coaching.growth.taxonomy import own_taxonomy
from app.coaching.memory.recollection import Recollection
from app.core.encryption import Cipher
from app.people.person import Actor, Person
from app.storage.database import Database
from tests.doubles.plans import keep_plan

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
CIPHER = Cipher({"k1": bytes(32)})
ME, OTHER = Actor("T1", "U1"), Actor("T1", "U2")
OTHER_TEAM = Actor("T2", "U1")


class FixedClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class World:
    """The use cases of growth over one database."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self.database, self.clock = database, FixedClock()
        taxonomy = own_taxonomy()
        self.growth = ShowGrowth(database=database, clock=self.clock, taxonomy=taxonomy)
        self.change = ChangePlan(database=database, cipher=CIPHER, clock=self.clock, taxonomy=taxonomy)
        self.note_outcome = NoteOutcome(database=database, taxonomy=taxonomy)
        talks = PastTalks(database, CIPHER, self.clock)
        recollection = Recollection(database, CIPHER, Cache(RedisConnection.open(RedisOptions(redis_url))))
        memories = Memories(database=database, cipher=CIPHER, recollection=recollection, clock=self.clock)
        self.history = ShowHistory(
            database=database, cipher=CIPHER, clock=self.clock, talks=talks, growth=self.growth, memories=memories
        )

    async def plan(self, *titles: str, actor: Actor = ME, topic: str = "prospecting", due_in_days: int = 3) -> list[int]:
        async with self.database.transaction() as session:
            return await keep_plan(
                session, CIPHER, team_id=actor.team_id, user_id=actor.user_id, now=self.clock.now(), titles=titles, topic=topic,
                due_in_days=due_in_days,
            )  # fmt: skip

    async def evidence(self, actor: Actor = ME) -> list[Evidence]:
        async with self.database.reading() as session:
            return await EvidenceRepository(session).of_person(actor.team_id, actor.user_id)


@pytest.fixture
def world(database: Database, redis_url: str) -> World:
    return World(database, redis_url)


async def test_evidence_is_kept_once_per_source_and_the_last_word_holds(database: Database) -> None:
    async with database.transaction() as session:
        evidence = EvidenceRepository(session)
        for value in (0.8, 1.0):
            await evidence.record("T1", "U1", "closing", kind="call", source="call:1", value=value, observed_at=NOW)
        await evidence.record("T1", "U2", "closing", kind="call", source="call:1", value=0.1, observed_at=NOW)
        [kept] = await evidence.of_person("T1", "U1")
        assert kept == Evidence("closing", "call", "call:1", 1.0, 1.0, NOW)
        assert await evidence.of_person("T2", "U1") == []
        assert await evidence.of_person("T1", "U1", until=NOW - timedelta(days=1)) == []
        assert await evidence.withdraw("T1", "U1", "call:1") == 1
        assert await evidence.of_person("T1", "U1") == [] and len(await evidence.of_person("T1", "U2")) == 1


@pytest.mark.parametrize("value, weight", [(-0.1, 1.0), (1.1, 1.0), (0.5, 0.0), (0.5, 1.5)])
async def test_evidence_out_of_bounds_is_a_fault(database: Database, value: float, weight: float) -> None:
    async with database.transaction() as session:
        with pytest.raises(ValueError, match="value"):
            await EvidenceRepository(session).record(
                "T1", "U1", "closing", kind="call", source="call:1", value=value, weight=weight, observed_at=NOW
            )


async def test_actions_that_are_done_make_a_level_and_reopening_takes_it_back(world: World) -> None:
    items = await world.plan("A", "B", "C", topic="negotiation")
    for item in items:
        await world.change.tick(ME, item)
    growth = await world.growth(ME)
    assert [(one.skill.id, one.level.step, one.level.pieces) for one in growth.known] == [("negotiation", Step.TRYING, 3)]
    await world.change.reopen(ME, items[0])
    assert (await world.growth(ME)).known == ()


async def test_how_it_went_counts_and_is_only_for_its_owner(world: World) -> None:
    [item, still_open] = await world.plan("A", "B", topic="closing")
    await world.change.tick(ME, item)
    assert not await world.note_outcome(OTHER, item, Outcome.MISSED)
    assert not await world.note_outcome(OTHER_TEAM, item, Outcome.MISSED)
    assert not await world.note_outcome(ME, still_open, Outcome.REACHED)
    assert [piece.value for piece in await world.evidence()] == [0.8]
    for outcome, value in ((Outcome.MISSED, 0.3), (Outcome.REACHED, 1.0)):
        assert await world.note_outcome(ME, item, outcome)
        assert [piece.value for piece in await world.evidence()] == [value]


async def test_a_topic_without_a_skill_leaves_no_evidence_but_counts_as_done(world: World) -> None:
    [item] = await world.plan("A", topic="general")
    await world.change.tick(ME, item)
    assert await world.evidence() == []
    assert await world.note_outcome(ME, item, Outcome.REACHED)
    history = await world.history(Person("T1", "U1"), days=30)
    assert (history.tally.done, history.tally.reached) == (1, 1)


async def test_history_is_empty_for_somebody_new(world: World) -> None:
    await world.plan("A", actor=OTHER)
    history = await world.history(Person("T1", "U1"), days=30)
    assert history.is_empty and history.unjudged is None
    assert not (await world.history(Person("T1", "U2"), days=30)).is_empty


async def test_history_counts_what_belongs_to_its_days(world: World) -> None:
    done, dropped, overdue, later = await world.plan("A", "B", "C", "D")
    await world.change.tick(ME, done)
    await world.change.drop(ME, dropped)
    world.clock.time = NOW + timedelta(days=5)
    await world.plan("E", due_in_days=9)
    person = Person("T1", "U1")
    history = await world.history(person, days=30)
    tally = history.tally
    assert (tally.done, tally.dropped, tally.open, tally.overdue) == (1, 1, 3, 2)
    assert tally.completion_rate == pytest.approx(1 / 4)
    assert [item.action.title for item in history.open_items] == ["C", "D", "E"]
    assert history.unjudged is not None and history.unjudged.id == done
    assert {overdue, later} == {item.id for item in history.open_items[:2]}
    shorter = await world.history(person, days=2)
    assert (shorter.tally.done, shorter.tally.dropped, shorter.tally.open) == (0, 0, 3)
    assert shorter.unjudged is None


async def test_today_is_the_persons_own_day(world: World) -> None:
    await world.plan("A", due_in_days=0)  # due on 1 April
    world.clock.time = datetime(2026, 4, 1, 16, tzinfo=UTC)  # 2 April in Tokyo, still 1 April in London
    assert (await world.history(Person("T1", "U1", time_zone="Asia/Tokyo"), days=7)).tally.overdue == 1
    assert (await world.history(Person("T1", "U1", time_zone="Europe/London"), days=7)).tally.overdue == 0


async def test_growth_of_somebody_else_is_not_there(world: World) -> None:
    for item in await world.plan("A", "B", "C"):
        await world.change.tick(ME, item)
    assert (await world.growth(ME)).known and not (await world.growth(OTHER)).known
    assert not (await world.growth(OTHER_TEAM)).known
