"""One event from its claim to its end, with a real inbox and a dispatcher that does as told."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from app.core.encryption import Cipher
from app.core.errors import (
    AppError,
    LostClaim,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
    SlackRefused,
    SlackUnavailable,
)
from app.inbox.envelope import ClaimedEvent, Envelope
from app.inbox.inbox import Inbox
from app.inbox.stopping import StopSignals
from app.jobs.engine import RetryLater
from app.jobs.handle_event import MOST_CLAIMS, HandleEvent
from app.jobs.tell_places import TellPlaces
from app.storage.database import Database
from app.storage.listener import Listener


class FixedClock:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@dataclass
class ObedientDispatcher:
    """Fails as often as there are failures left, then answers."""

    inbox: Inbox
    failures: list[Exception] = field(default_factory=list)
    apology_failures: list[Exception] = field(default_factory=list)
    dispatched: list[ClaimedEvent] = field(default_factory=list)
    apologies: list[tuple[AppError | None, str]] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    finishes: bool = True

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        self.dispatched.append(claimed)
        if self.failures:
            raise self.failures.pop(0)
        if self.finishes:
            await self.inbox.finish(claimed.claim, outcome="answered")

    async def apologise(self, claimed: ClaimedEvent, error: AppError | None, reference: str) -> None:
        if self.apology_failures:
            raise self.apology_failures.pop(0)
        self.apologies.append((error, reference))

    async def tell_place(self, envelope: Envelope, place: int) -> None:
        self.places.append((envelope.event_id, place))


@dataclass
class Stage:
    """Everything a test needs to play one event."""

    database: Database
    inbox: Inbox
    dispatcher: ObedientDispatcher
    clock: FixedClock
    handle: HandleEvent

    async def store(
        self, event_id: str = "Ev1", *, conversation: str = "T1:C1:1.0", kind: str = "message", ts: str | None = None
    ) -> int:
        await self.inbox.store_once(Envelope("T1", event_id, kind, conversation, "C1", ts or f"{event_id}.0", "U1", b"{}"))
        async with self.database.reading() as session:
            return int(await session.fetch_value("select max(id) from inbox"))

    async def try_until_done(self, inbox_id: int, *, seconds_between: float = 0.0) -> list[float]:
        """Runs the job as the engine would; the pauses it asked for."""
        pauses = []
        for _ in range(60):
            try:
                await self.handle(inbox_id)
            except RetryLater as later:
                pauses.append(later.seconds)
                self.clock.time += timedelta(seconds=later.seconds + seconds_between)
            else:
                return pauses
        raise AssertionError("the event never ends")

    async def end(self, inbox_id: int) -> tuple[str | None, str | None, bool]:
        async with self.database.reading() as session:
            row = await session.fetch_row("select outcome, reference, done_at is not null from inbox where id = $1", inbox_id)
        assert row is not None
        return tuple(row)  # type: ignore[return-value]


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with Inbox(database, Cipher({"k1": b"1" * 32})) as inbox:
        dispatcher, clock = ObedientDispatcher(inbox), FixedClock()
        yield Stage(database, inbox, dispatcher, clock, HandleEvent(inbox, dispatcher, clock, reference=lambda: "E-7K2M9Q"))


async def test_an_event_is_answered_once_however_often_its_job_runs(stage: Stage):
    inbox_id = await stage.store()
    for _ in range(3):
        await stage.handle(inbox_id)
    assert len(stage.dispatcher.dispatched) == 1
    assert await stage.end(inbox_id) == ("answered", None, True)


async def test_an_event_that_nobody_finishes_counts_as_ignored(stage: Stage):
    stage.dispatcher.finishes = False
    inbox_id = await stage.store()
    await stage.handle(inbox_id)
    assert await stage.end(inbox_id) == ("ignored", None, True)


async def test_a_passing_failure_is_tried_again_after_a_pause(stage: Stage):
    stage.dispatcher.failures = [ModelUnavailable("busy"), SlackUnavailable("lost")]
    inbox_id = await stage.store()
    assert await stage.try_until_done(inbox_id) == [1.0, 2.0]
    assert await stage.end(inbox_id) == ("answered", None, True)
    assert stage.dispatcher.apologies == []


async def test_the_other_sides_wish_to_wait_is_heeded(stage: Stage):
    stage.dispatcher.failures = [ModelRateLimited("wait", retry_after_seconds=17.0)]
    assert await stage.try_until_done(await stage.store()) == [17.0]


async def test_a_failure_that_does_not_pass_is_explained_after_two_and_a_half_minutes(stage: Stage):
    error = ModelUnavailable("away")
    stage.dispatcher.failures = [error] * 60
    inbox_id = await stage.store()
    pauses = await stage.try_until_done(inbox_id)
    assert 150 <= sum(pauses) <= 150 + 30
    assert stage.dispatcher.apologies == [(error, "E-7K2M9Q")]
    assert await stage.end(inbox_id) == ("explained", "E-7K2M9Q", True)


async def test_a_permanent_failure_is_explained_at_once(stage: Stage, caplog: pytest.LogCaptureFixture):
    error = ModelMisconfigured("no such model")
    stage.dispatcher.failures = [error]
    inbox_id = await stage.store()
    with caplog.at_level(logging.ERROR):
        assert await stage.try_until_done(inbox_id) == []
    assert stage.dispatcher.apologies == [(error, "E-7K2M9Q")]
    [record] = [record for record in caplog.records if record.message == "event_given_up"]
    assert record.reference == "E-7K2M9Q"  # type: ignore[attr-defined]
    assert record.exc_info or record.exc_text  # the filter of the logs keeps the trace as text


async def test_a_poisonous_event_is_tried_three_times_and_explained_once(stage: Stage):
    stage.dispatcher.failures = [KeyError("poison")] * 60
    inbox_id = await stage.store()
    assert len(await stage.try_until_done(inbox_id)) == 2
    assert len(stage.dispatcher.dispatched) == 3
    assert stage.dispatcher.apologies == [(None, "E-7K2M9Q")]
    assert await stage.end(inbox_id) == ("dead", "E-7K2M9Q", True)
    [letter] = await stage.inbox.dead_letters("T1")
    assert (letter.inbox_id, letter.reference, letter.attempts) == (inbox_id, "E-7K2M9Q", 3)
    assert await stage.inbox.dead_letters("T2") == []


async def test_an_event_that_kills_its_process_is_given_up_in_the_end(stage: Stage):
    inbox_id = await stage.store()
    for _ in range(MOST_CLAIMS):
        await stage.inbox.claim(inbox_id)  # and the process is gone
    await stage.try_until_done(inbox_id)
    assert stage.dispatcher.dispatched == []
    assert await stage.end(inbox_id) == ("dead", "E-7K2M9Q", True)


async def test_an_explanation_that_fails_is_tried_again_without_asking_the_model_again(stage: Stage):
    stage.dispatcher.failures = [ModelMisconfigured("no key")]
    stage.dispatcher.apology_failures = [SlackUnavailable("away"), SlackUnavailable("away")]
    inbox_id = await stage.store()
    await stage.try_until_done(inbox_id)
    assert len(stage.dispatcher.dispatched) == 1
    assert [reference for _, reference in stage.dispatcher.apologies] == ["E-7K2M9Q"]
    assert await stage.end(inbox_id) == ("explained", "E-7K2M9Q", True)


async def test_an_explanation_that_slack_refuses_leaves_a_dead_letter(stage: Stage):
    stage.dispatcher.failures = [SlackRefused(code="is_archived")]
    stage.dispatcher.apology_failures = [SlackRefused(code="is_archived")]
    inbox_id = await stage.store()
    assert await stage.try_until_done(inbox_id) == []
    assert await stage.end(inbox_id) == ("dead", "E-7K2M9Q", True)


async def test_an_explanation_that_never_reaches_slack_ends_too(stage: Stage):
    stage.dispatcher.failures = [ModelMisconfigured("no key")]
    stage.dispatcher.apology_failures = [SlackUnavailable("away") for _ in range(60)]
    inbox_id = await stage.store()
    pauses = await stage.try_until_done(inbox_id)
    assert sum(pauses) < 8 * 60
    assert (await stage.end(inbox_id))[0] == "dead"


async def test_whoever_lost_the_claim_ends_without_a_word(stage: Stage):
    stage.dispatcher.failures = [LostClaim("overtaken")]
    inbox_id = await stage.store()
    assert await stage.try_until_done(inbox_id) == []
    assert stage.dispatcher.apologies == []
    assert await stage.end(inbox_id) == (None, None, False)


async def test_an_answer_that_never_ends_is_explained_within_the_time(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.jobs.handle_event.GIVE_UP_AFTER", timedelta(seconds=0.2))

    async def hang(claimed: ClaimedEvent) -> None:
        stage.clock.time += timedelta(seconds=1)
        await asyncio.Event().wait()

    monkeypatch.setattr(stage.dispatcher, "dispatch", hang)
    inbox_id = await stage.store()
    await stage.try_until_done(inbox_id)
    [(error, _)] = stage.dispatcher.apologies
    assert isinstance(error, ModelUnavailable)


async def test_being_cancelled_leaves_the_event_open(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    started = asyncio.Event()

    async def hang(claimed: ClaimedEvent) -> None:
        started.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(stage.dispatcher, "dispatch", hang)
    inbox_id = await stage.store()
    task = asyncio.create_task(stage.handle(inbox_id))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await stage.end(inbox_id) == (None, None, False)


async def make_old(database: Database) -> None:
    async with database.reading() as session:
        await session.execute("update inbox set received_at = now() - interval '1 minute'")


async def test_whoever_waits_behind_others_is_told_the_place_once(stage: Stage):
    first = await stage.store("Ev1")
    await stage.store("Ev2")
    await stage.store("Ev3")
    await stage.store("Ev4", conversation="T1:C1:2.0")
    tell = TellPlaces(stage.inbox, stage.dispatcher)
    await tell()
    assert stage.dispatcher.places == []
    await make_old(stage.database)
    await stage.inbox.claim(first)
    await asyncio.gather(tell(), tell())
    await tell()
    assert sorted(stage.dispatcher.places) == [("Ev2", 1), ("Ev3", 2), ("Ev4", 3)]


async def test_whoever_waits_behind_nobody_is_not_told_anything(stage: Stage):
    await stage.store("Ev1")
    await make_old(stage.database)
    await TellPlaces(stage.inbox, stage.dispatcher)()
    assert stage.dispatcher.places == []


async def test_old_contents_are_purged_and_redeliveries_still_known(stage: Stage):
    inbox_id = await stage.store()
    await stage.store("Ev2", conversation="T1:C1:2.0")
    await stage.handle(inbox_id)
    assert await stage.inbox.purge() == 0
    async with stage.database.reading() as session:
        await session.execute("update inbox set done_at = now() - interval '31 days' where id = $1", inbox_id)
    assert await stage.inbox.purge() == 1
    async with stage.database.reading() as session:
        contents = [row["envelope"] for row in await session.fetch("select envelope from inbox order by id")]
    assert contents[0] == b"" and contents[1]
    assert not await stage.inbox.store_once(Envelope("T1", "Ev1", "message", "c", "C1", "Ev1.0", "U1", b"{}"))
    assert not await stage.inbox.store_retry(inbox_id, team_id="T1", user_id="U1")
    queue = await stage.inbox.queue()
    assert (queue.undone, queue.workers) == (1, 0) and queue.oldest_seconds > 0
    assert not queue.moves, "nobody works on what waits"


@pytest.fixture
async def signals(database: Database) -> AsyncIterator[StopSignals]:
    async with Listener(database.url) as listener, StopSignals(database, listener) as opened:
        yield opened


async def within_a_moment(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


async def test_a_stop_reaches_the_process_that_answers(stage: Stage, signals: StopSignals, database: Database):
    inbox_id = await stage.store(conversation="T1:C1:1.0")
    await stage.inbox.claim(inbox_id)
    async with (
        Listener(database.url) as elsewhere,
        StopSignals(database, elsewhere) as other_process,
        signals.watch("T1:C1:1.0") as stopped,
        signals.watch("T1:C1:2.0") as untouched,
    ):
        assert not stopped.is_set()
        assert await other_process.stop("T1:C1:1.0")
        await within_a_moment(stopped)
        assert not untouched.is_set()


async def test_a_stop_that_nobody_heard_counts_when_it_is_looked_for(stage: Stage, signals: StopSignals):
    await stage.store(conversation="T1:C1:1.0")
    assert await signals.stop("T1:C1:1.0")
    async with signals.watch("T1:C1:1.0") as stopped:
        await within_a_moment(stopped)


async def test_a_stop_after_the_answer_does_not_stop_the_next_one(stage: Stage, signals: StopSignals):
    inbox_id = await stage.store("Ev1", conversation="T1:C1:1.0")
    await stage.handle(inbox_id)
    assert not await signals.stop("T1:C1:1.0")
    await stage.store("Ev2", conversation="T1:C1:1.0")
    async with signals.watch("T1:C1:1.0") as stopped:
        await asyncio.sleep(0.1)
        assert not stopped.is_set()
