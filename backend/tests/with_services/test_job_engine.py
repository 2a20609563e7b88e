"""The job engine on a real PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from app.core.encryption import Cipher
from app.inbox.envelope import Envelope
from app.inbox.inbox import Inbox
from app.jobs.engine import JobEngine, Pace, Periodic, RetryLater, SideTask
from app.jobs.repository import LOCK_CLASS, JobRepository
from app.storage.database import Database, driver_url
from app.storage.listener import Listener

QUICKLY = Pace(
    stalled_after_seconds=2.0, gone_after_seconds=0.2, pulse_seconds=0.05, heartbeat_seconds=0.2, poll_seconds=0.05,
    grace_seconds=5.0, restart_pause_seconds=0.05,
)  # fmt: skip


def message(number: int, *, conversation: str = "T1:C1:1.0", kind: str = "message") -> Envelope:
    return Envelope("T1", f"Ev{number}", kind, conversation, "C1", f"{number}.0", "U1", b"{}")


@pytest.fixture
async def inbox(database: Database) -> AsyncIterator[Inbox]:
    async with Inbox(database, Cipher({"k1": b"1" * 32})) as opened:
        yield opened


@asynccontextmanager
async def running(
    database: Database, handler: Callable[[int], Any], *, pace: Pace = QUICKLY, **options: Any
) -> AsyncIterator[JobEngine]:
    async with Listener(database.url) as listener:
        engine = JobEngine(database, listener, pace=pace)
        run = asyncio.create_task(engine.run({"handle_event": handler}, **options))
        try:
            yield engine
        finally:
            engine.stop()
            await run


async def nothing(inbox_id: int) -> None: ...


async def eventually(is_so: Callable[[], Any]) -> None:
    """Waits until it is so; the limit is generous, since it only matters when a test fails."""
    async with asyncio.timeout(20):
        while True:
            answer = is_so()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.02)


async def jobs(database: Database) -> list[tuple[str, int]]:
    async with database.reading() as session:
        return [
            (row["status"], row["attempts"])
            for row in await session.fetch("select status, attempts from procrastinate_jobs order by id")
        ]


async def test_a_stored_event_is_handled_and_its_job_goes(inbox: Inbox, database: Database):
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        handled.append(inbox_id)

    async with running(database, handle):
        await inbox.store_once(message(1))
        await eventually(lambda: handled)
        await eventually(lambda: _none(jobs(database)))
    assert handled == [1]


async def test_the_library_notes_only_how_a_job_ended(inbox: Inbox, database: Database):
    notes = "select type::text from procrastinate_events"

    async with running(database, nothing):
        await inbox.store_once(message(1))
        await eventually(lambda: _none(jobs(database)))
    await inbox.store_once(message(2))
    async with database.reading() as session:
        assert await session.fetch(notes) == []
        await session.execute("update procrastinate_jobs set status = 'doing'")
        await session.execute("update procrastinate_jobs set status = 'failed'")
        assert [row["type"] for row in await session.fetch(notes)] == ["failed"]


async def _none(rows: Any) -> bool:
    return not await rows


async def test_one_conversation_is_handled_in_order_and_never_twice_at_once(inbox: Inbox, database: Database):
    order: dict[str, list[int]] = defaultdict(list)
    at_work: set[str] = set()
    overlaps: list[str] = []
    most_at_once = 0

    async def handle(inbox_id: int) -> None:
        nonlocal most_at_once
        conversation = await _conversation_of(database, inbox_id)
        if conversation in at_work:
            overlaps.append(conversation)
        at_work.add(conversation)
        most_at_once = max(most_at_once, len(at_work))
        await asyncio.sleep(0.005)
        order[conversation].append(inbox_id)
        at_work.discard(conversation)

    async with running(database, handle), running(database, handle):
        for number in range(15):
            for conversation in ("a", "b", "c"):
                await inbox.store_once(message(100 * ord(conversation) + number, conversation=conversation))
        await eventually(lambda: sum(map(len, order.values())) == 45)
    assert overlaps == []
    assert all(ids == sorted(ids) for ids in order.values())
    assert most_at_once > 1


async def _conversation_of(database: Database, inbox_id: int) -> str:
    async with database.reading() as session:
        return str(await session.fetch_value("select conversation from inbox where id = $1", inbox_id))


async def test_the_next_of_a_conversation_starts_without_waiting_for_the_clock(inbox: Inbox, database: Database):
    """With polling once an hour, only the wake-ups can bring these to an end."""
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        await asyncio.sleep(0.002)
        handled.append(inbox_id)

    for number in range(30):
        await inbox.store_once(message(number))
    async with running(database, handle, pace=Pace(poll_seconds=3600, grace_seconds=5)):
        await eventually(lambda: len(handled) == 30)
    assert handled == sorted(handled)


async def test_a_stop_overtakes_the_answer_it_shall_stop(inbox: Inbox, database: Database):
    handled: list[int] = []
    stopped = asyncio.Event()

    async def handle(inbox_id: int) -> None:
        if inbox_id == 1:
            await stopped.wait()
        else:
            stopped.set()
        handled.append(inbox_id)

    async with running(database, handle):
        await inbox.store_once(message(1))
        await inbox.store_once(message(2, kind="stop"))
        await eventually(lambda: len(handled) == 2)


async def test_a_job_that_fails_or_asks_for_it_comes_again(inbox: Inbox, database: Database):
    tries: list[int] = []

    async def handle(inbox_id: int) -> None:
        tries.append(inbox_id)
        if len(tries) == 1:
            raise RetryLater(0.01)
        if len(tries) == 2:
            raise KeyError("unexpected")

    async with running(database, handle):
        await inbox.store_once(message(1))
        await eventually(lambda: _none(jobs(database)))
    assert tries == [1, 1, 1]


@asynccontextmanager
async def other_worker(database: Database, *, holds_lock: bool) -> AsyncIterator[int]:
    """A worker of another process that has taken the oldest job and says nothing more."""
    connection = await asyncpg.connect(driver_url(database.url))
    worker = await connection.fetchval("select procrastinate_register_worker_v1()")
    if holds_lock:
        await connection.execute("select pg_advisory_lock_shared($1, $2::int)", LOCK_CLASS, worker)
    await connection.execute("select procrastinate_fetch_job_v2(array['answer'], $1)", worker)
    try:
        yield worker
    finally:
        await connection.close()


async def test_the_job_of_a_process_that_died_is_taken_over(inbox: Inbox, database: Database):
    handled = asyncio.Event()

    async def handle(inbox_id: int) -> None:
        handled.set()

    await inbox.store_once(message(1))
    patient = Pace(
        stalled_after_seconds=3600, gone_after_seconds=0.2, pulse_seconds=0.05, heartbeat_seconds=0.2, poll_seconds=0.05
    )
    async with other_worker(database, holds_lock=False), running(database, handle, pace=patient):
        await eventually(handled.is_set)


async def test_the_job_of_a_process_that_is_frozen_is_taken_over_later(inbox: Inbox, database: Database):
    handled = asyncio.Event()

    async def handle(inbox_id: int) -> None:
        handled.set()

    await inbox.store_once(message(1))
    async with other_worker(database, holds_lock=True), running(database, handle):
        await eventually(handled.is_set)


async def test_the_job_of_a_living_process_is_left_alone(inbox: Inbox, database: Database):
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        handled.append(inbox_id)

    patient = Pace(
        stalled_after_seconds=3600, gone_after_seconds=0.2, pulse_seconds=0.02, heartbeat_seconds=0.2, poll_seconds=0.02
    )
    await inbox.store_once(message(1))
    async with other_worker(database, holds_lock=True):
        await inbox.store_once(message(2, conversation="other"))
        async with running(database, handle, pace=patient) as engine:
            await eventually(lambda: 2 in handled)
            await asyncio.sleep(0.6)
            assert engine.seconds_since_pulse < 60
        assert handled == [2]


async def test_an_overtaken_run_cannot_end_the_run_of_another_worker(inbox: Inbox, database: Database):
    started, may_end = asyncio.Event(), asyncio.Event()

    async def handle(inbox_id: int) -> None:
        started.set()
        await may_end.wait()

    async with other_worker(database, holds_lock=True) as worker:
        async with running(database, handle, pace=Pace(grace_seconds=5)):
            await inbox.store_once(message(1))
            await eventually(started.is_set)
            async with database.reading() as session:
                await session.execute("update procrastinate_jobs set worker_id = $1, attempts = attempts + 1", worker)
            may_end.set()
        assert await jobs(database) == [("doing", 1)]


async def test_a_job_that_was_taken_without_our_knowing_comes_back(inbox: Inbox, database: Database):
    """The connection broke after PostgreSQL had given the job out and before we heard of it."""
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        handled.append(inbox_id)

    async def workers() -> list[int]:
        async with database.reading() as session:
            return [row["id"] for row in await session.fetch("select id from procrastinate_workers")]

    patient = Pace(stalled_after_seconds=3600, gone_after_seconds=0.2, pulse_seconds=0.05, heartbeat_seconds=0.2)
    async with running(database, handle, pace=patient):
        await eventually(workers)
        [worker, *_] = await workers()
        async with database.transaction() as session:
            await session.execute(
                """
                insert into procrastinate_jobs (queue_name, task_name, args, status, worker_id)
                values ('answer', 'handle_event', $1, 'doing', $2)
                """,
                {"inbox_id": 7},
                worker,
            )
        await eventually(lambda: handled == [7])


async def test_stopping_lets_running_jobs_end_and_takes_no_more(inbox: Inbox, database: Database):
    started, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(inbox_id: int) -> None:
        started.set()
        await may_end.wait()
        ended.set()

    await inbox.store_once(message(1))
    async with running(database, handle) as engine:
        await eventually(started.is_set)
        engine.stop()
        await asyncio.sleep(0.3)  # a question for work may be under way
        await inbox.store_once(message(2, conversation="other"))
        may_end.set()
    assert ended.is_set()
    assert await jobs(database) == [("todo", 0)]


async def test_what_does_not_end_within_the_grace_time_is_handed_back(inbox: Inbox, database: Database):
    started = asyncio.Event()

    async def handle(inbox_id: int) -> None:
        started.set()
        await asyncio.Event().wait()

    await inbox.store_once(message(1))
    async with running(database, handle, pace=Pace(grace_seconds=0.1)):
        await eventually(started.is_set)
    assert await jobs(database) == [("todo", 1)]


async def test_an_event_whose_job_vanished_gets_a_new_one(inbox: Inbox, database: Database):
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        claimed = await inbox.claim(inbox_id)
        assert claimed is not None
        await inbox.finish(claimed.claim, outcome="answered")
        handled.append(inbox_id)

    await inbox.store_once(message(1))
    await inbox.store_once(message(2, conversation="other"))
    async with database.reading() as session:
        await session.execute("delete from procrastinate_jobs where id = (select min(id) from procrastinate_jobs)")
        await session.execute("update procrastinate_jobs set status = 'failed'")
    soon = Pace(recreate_after_seconds=0.2, poll_seconds=0.05)
    async with running(database, handle, pace=soon), running(database, handle, pace=soon):
        await eventually(lambda: len(handled) == 2)
    assert sorted(handled) == [1, 2]


async def test_losing_every_connection_loses_no_event(inbox: Inbox, database: Database, database_url: str):
    handled: set[int] = set()
    started = asyncio.Event()
    may_end = asyncio.Event()

    async def handle(inbox_id: int) -> None:
        started.set()
        await may_end.wait()
        handled.add(inbox_id)

    await inbox.store_once(message(1))
    async with running(database, handle):
        await eventually(started.is_set)
        administrator = await asyncpg.connect(driver_url(database_url))
        await administrator.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """
        )
        await administrator.close()
        may_end.set()
        await inbox.store_once(message(2))
        await eventually(lambda: handled == {1, 2})
        await eventually(lambda: _none(jobs(database)))


async def test_jobs_that_nobody_announced_are_all_found_by_one_look(inbox: Inbox, database: Database):
    handled: list[int] = []

    async def handle(inbox_id: int) -> None:
        handled.append(inbox_id)

    async with running(database, handle, pace=replace(QUICKLY, poll_seconds=1.0)):
        await inbox.store_once(message(1))
        await eventually(lambda: handled)
        async with database.transaction() as session:
            await session.execute("set local session_replication_role = replica")  # no trigger, no announcement
            await session.execute(
                "insert into procrastinate_jobs (queue_name, task_name, args) "
                "select 'answer', 'handle_event', jsonb_build_object('inbox_id', n) from generate_series(1, 20) n"
            )
        await eventually(lambda: len(handled) == 21)  # one a second would take longer than this waits


async def test_two_processes_run_a_periodic_job_once_per_tick(database: Database):
    ticks: list[datetime] = []

    async def remember(tick: datetime) -> None:
        ticks.append(tick)

    # Whoever starts makes up for the last tick, when it is less than twelve hours old.
    periodic = [Periodic("hourly", "0 * * * *", remember)]
    async with running(database, nothing, periodic=periodic), running(database, nothing, periodic=periodic):
        await eventually(lambda: ticks)
        await eventually(lambda: _none(jobs(database)))
    assert len(ticks) == len(set(ticks))
    assert all(tick.minute == 0 for tick in ticks)


async def test_a_side_task_that_fails_comes_again(database: Database):
    turns: list[int] = []

    async def fail() -> None:
        turns.append(1)
        raise RuntimeError("broken")

    async with running(database, nothing, side=[SideTask("failing", 0.01, fail)]):
        await eventually(lambda: len(turns) > 2)


async def test_ended_jobs_and_silent_workers_are_cleared_away(inbox: Inbox, database: Database):
    await inbox.store_once(message(1))
    async with database.reading() as session:
        await session.execute("update procrastinate_jobs set status = 'failed'")
        await session.execute("update procrastinate_events set at = now() - interval '8 days'")
        await session.execute("insert into procrastinate_workers (last_heartbeat) values (now() - interval '2 hours'), (now())")

    async def only_the_living() -> bool:
        async with database.reading() as session:
            return (
                await session.fetch_value(
                    "select count(*) from procrastinate_workers where last_heartbeat < now() - interval '1 hour'"
                )
                == 0
            )

    async with running(database, nothing):
        await eventually(lambda: _none(jobs(database)))
        await eventually(only_the_living)


async def test_the_planner_is_told_of_a_backlog(database: Database):
    async with database.reading() as session:
        await JobRepository(session).refresh_statistics()
        assert await JobRepository(session).count_waiting() == 0


async def test_the_library_still_has_the_functions_we_call(database: Database):
    async with database.reading() as session:
        names = {row["proname"] for row in await session.fetch("select proname from pg_proc where proname like 'procrastinate%'")}
    assert names >= {
        "procrastinate_finish_job_v1",
        "procrastinate_retry_job_v2",
        "procrastinate_fetch_job_v2",
    }
