"""F10: within a conversation one event after the other, in order; a hot conversation does not hold up the others."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from app.core.encryption import Cipher
from app.inbox.envelope import Envelope
from app.inbox.inbox import Inbox
from app.jobs.engine import JobEngine, Pace
from app.storage.database import Database
from app.storage.listener import Listener
from tests.faults.history import overlaps_of

pytestmark = pytest.mark.slow

CONVERSATIONS = 20
EVENTS_EACH = 50


def event(number: int, conversation: str) -> Envelope:
    return Envelope(
        "T1", f"Ev{conversation}-{number}", "message", f"T1:C1:{conversation}", "C1", f"{conversation}.{number:06}", "U1", b"{}"
    )


@asynccontextmanager
async def working(database: Database, handle: Callable[[int], Any], *, processes: int) -> AsyncIterator[None]:
    """Several engines, each with its own connections, as in several processes."""
    async with AsyncExitStack() as stack:
        engines = []
        for _ in range(processes):
            listener = await stack.enter_async_context(Listener(database.url))
            engines.append(JobEngine(database, listener, pace=Pace(grace_seconds=5)))
        async with asyncio.TaskGroup() as group:
            for engine in engines:
                group.create_task(engine.run({"handle_event": handle}))
            yield
            for engine in engines:
                engine.stop()


async def test_no_conversation_overlaps_or_loses_its_order(database: Database):
    spans: list[tuple[str, float, float]] = []
    order: dict[str, list[str]] = defaultdict(list)
    complete = asyncio.Event()

    async with Inbox(database, Cipher({"k1": b"1" * 32})) as inbox:

        async def handle(inbox_id: int) -> None:
            claimed = await inbox.claim(inbox_id)
            assert claimed is not None
            begun = time.monotonic()
            await asyncio.sleep(0.002)
            await inbox.finish(claimed.claim, outcome="answered")
            spans.append((claimed.envelope.conversation, begun, time.monotonic()))
            order[claimed.envelope.conversation].append(claimed.envelope.event_id)
            if len(spans) == CONVERSATIONS * EVENTS_EACH:
                complete.set()

        async with working(database, handle, processes=2):
            for number in range(EVENTS_EACH):
                await asyncio.gather(*(inbox.store_once(event(number, f"{c:03}")) for c in range(CONVERSATIONS)))
            async with asyncio.timeout(90):
                await complete.wait()

    assert overlaps_of(spans) == []
    for conversation, events in order.items():
        assert events == [f"Ev{conversation.rpartition(':')[2]}-{number}" for number in range(EVENTS_EACH)]


async def test_a_conversation_with_thousands_of_waiting_events_leaves_room_for_others(database: Database):
    """Compared with the same load without it; the times are ratios within one run."""
    begun: dict[str, float] = {}
    stored: dict[str, float] = {}

    async with Inbox(database, Cipher({"k1": b"1" * 32})) as inbox:

        async def handle(inbox_id: int) -> None:
            claimed = await inbox.claim(inbox_id)
            if claimed is None:
                return
            begun[claimed.envelope.event_id] = time.monotonic()
            await asyncio.sleep(0.3)
            await inbox.finish(claimed.claim, outcome="answered")

        async def others(name: str) -> float:
            ids = []
            for number in range(40):
                one = event(number, f"{name}{number}")
                stored[one.event_id] = time.monotonic()
                await inbox.store_once(one)
                ids.append(one.event_id)
                await asyncio.sleep(0.05)
            async with asyncio.timeout(60):
                while not all(one in begun for one in ids):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            waits = [begun[one] - stored[one] for one in ids]
            return statistics.quantiles(waits, n=20)[-1]

        async with working(database, handle, processes=1):
            calm = await others("calm")
            await asyncio.gather(*(inbox.store_once(event(number, "hot")) for number in range(5000)))
            await asyncio.sleep(4)  # the planner learns of a backlog within two seconds; until then each job costs 100 ms
            busy = await others("busy")
            async with database.reading() as session:
                await session.execute("delete from procrastinate_jobs where status = 'todo'")
    # What a person waits for is the answer, which takes 0.3 s here and seconds in life.
    assert busy + 0.3 <= 2 * (calm + 0.3)
