"""What a process does beside serving: it answers events and keeps the house."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.composition import Services
from app.jobs.engine import JobEngine, Periodic, SideTask
from app.jobs.handle_event import HandleEvent
from app.jobs.knowledge_gaps import ON_MONDAYS, TellGaps
from app.jobs.purge import NIGHTLY, Purge
from app.jobs.remind import EVERY_MINUTE, Remind
from app.jobs.stale_entries import ON_TUESDAYS, AskForReviews
from app.jobs.tell_places import TellPlaces

logger = logging.getLogger(__name__)

TELL_PLACES_SECONDS = 1.0
EMBED_SECONDS = 2.0
NOTICES_SECONDS = 1.0
CLEAN_SECONDS = 3600.0
LOOK_AT_QUEUE_SECONDS = 15.0
CLOSE_SESSIONS_SECONDS = 20.0


@asynccontextmanager
async def working(services: Services, *, by_the_clock: bool = True) -> AsyncIterator[JobEngine]:
    """Works as long as the block lasts; at its end running answers are finished or handed back.

    ``by_the_clock``: also the jobs that are due at set times, such as reminders.
    """
    engine = JobEngine(services.database, services.listener, concurrency=services.settings.worker_concurrency)
    handle_event = HandleEvent(services.inbox, services.dispatcher, services.clock)
    async with AsyncExitStack() as opened:
        if services.socket_mode is not None:
            await opened.enter_async_context(services.socket_mode)
        async with asyncio.TaskGroup() as group:
            handlers = {"handle_event": handle_event}
            periodic = _periodic(services) if by_the_clock else []
            group.create_task(engine.run(handlers, periodic=periodic, side=_side_tasks(services)), name="jobs")
            try:
                yield engine
            finally:
                engine.stop()


def _periodic(services: Services) -> list[Periodic]:
    return [
        Periodic("remind", EVERY_MINUTE, Remind(services.send_reminders)),
        Periodic("knowledge_gaps", ON_MONDAYS, TellGaps(services.knowledge_gaps)),
        Periodic("stale_entries", ON_TUESDAYS, AskForReviews(services.review_stale)),
        Periodic("purge", NIGHTLY, Purge(services.database, services.settings, services.clock)),
    ]


def _side_tasks(services: Services) -> list[SideTask]:
    tasks = [
        SideTask("tell_places", TELL_PLACES_SECONDS, TellPlaces(services.inbox, services.dispatcher)),
        SideTask("janitor", CLEAN_SECONDS, services.janitor),
        SideTask("purge", CLEAN_SECONDS, services.inbox.purge),
        SideTask("queue", LOOK_AT_QUEUE_SECONDS, services.inbox.queue),
    ]
    tasks.append(SideTask("close_sessions", CLOSE_SESSIONS_SECONDS, services.close_sessions))
    tasks.append(SideTask("notices", NOTICES_SECONDS, services.deliver_notices))
    if services.embedding_queue is not None:
        tasks.append(SideTask("embed", EMBED_SECONDS, services.embedding_queue.embed_pending))
    return tasks
