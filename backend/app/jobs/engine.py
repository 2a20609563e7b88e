"""Runs jobs out of PostgreSQL, inside the server's event loop or alone, and brings back what dead processes left behind.

procrastinate takes and ends jobs. Around it: a pulse (sign of life, rescue of other processes' jobs), the re-creation of lost
jobs, and a restart of whatever fails while the process lives.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import App, JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from app.core.errors import StorageUnavailable
from app.core.metrics import count_error
from app.jobs.connector import PoolConnector, running_job
from app.jobs.repository import LOCK_CLASS, JobRepository
from app.storage.database import Database
from app.storage.listener import Listener

logger = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]

ANSWERS = "answer"  # the queue of long jobs
QUICK = "quick"  # the queue of everything that shall not wait behind them
NOTABLE_BACKLOG = 200  # waiting jobs


@dataclass(frozen=True)
class Periodic:
    """A job at set times (cron, in UTC: 06:00 in Tokyo is ``0 21 * * *``).

    One process runs it per tick; a tick missed by up to twelve hours is made up for. The handler takes the tick and is idempotent
    for it, since a job may run again after a crash.
    """

    name: str
    cron: str
    handler: Callable[[datetime], Awaitable[None]]


@dataclass(frozen=True)
class SideTask:
    """Something every process does every so often, beside the jobs. A failure is logged and the next turn comes all the same."""

    name: str
    every_seconds: float
    call: Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Pace:
    """How quickly the engine notices things. Tests use shorter times."""

    stalled_after_seconds: float = 20.0  # without heartbeat; shorter than an outage of PostgreSQL would re-run living jobs
    gone_after_seconds: float = 2.0  # without the lock that a process holds as long as it lives
    pulse_seconds: float = 1.0
    heartbeat_seconds: float = 5.0
    poll_seconds: float = 0.5  # for what is not announced: retries that have become due
    recreate_after_seconds: float = 30.0
    grace_seconds: float = 25.0
    restart_pause_seconds: float = 1.0


class RetryLater(Exception):
    """Raised by a handler: the same job again, after a pause."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.1f} s")
        self.seconds = seconds


class JobEngine:
    """The engine of one process."""

    def __init__(
        self, database: Database, listener: Listener, *, concurrency: int = 300, quick_concurrency: int = 50, pace: Pace = Pace()
    ) -> None:
        self._database = database
        self._listener = listener
        self._concurrency = {ANSWERS: concurrency, QUICK: quick_concurrency}
        self._pace = pace
        self._stopping = asyncio.Event()
        self._connectors: dict[str, PoolConnector] = {}
        self._beaten_at = 0.0
        self._beating_since = 0.0
        self._known_backlog = NOTABLE_BACKLOG
        self._gone = _Suspects(pace.gone_after_seconds)
        self._dropped = _Suspects(pace.gone_after_seconds)

    async def run(
        self, handlers: Mapping[str, Handler], *, periodic: Sequence[Periodic] = (), side: Sequence[SideTask] = ()
    ) -> None:
        """Works until :meth:`stop` is called, then lets running jobs end within the grace time and hands the others back."""
        _quieten_the_library()
        side_tasks = [
            SideTask("pulse", self._pace.pulse_seconds, self._pulse),
            SideTask("recreate", self._pace.recreate_after_seconds / 2, self._recreate),
            SideTask("backlog", 2, self._look_at_backlog),
            SideTask("tidy", 3600, self._tidy),
            *side,
        ]
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._repeat(task), name=task.name) for task in side_tasks]
            workers = [
                group.create_task(self._keep_working(queue, handlers, periodic), name=queue) for queue in self._concurrency
            ]
            await asyncio.wait(workers)
            for task in beside:
                task.cancel()

    def stop(self) -> None:
        """Takes no more jobs; :meth:`run` returns when the running ones have ended or the grace time is over."""
        self._stopping.set()

    @property
    def seconds_since_pulse(self) -> float:
        """For the liveness check: how long PostgreSQL has not heard of us."""
        return time.monotonic() - self._beaten_at

    async def _keep_working(self, queue: str, handlers: Mapping[str, Handler], periodic: Sequence[Periodic]) -> None:
        """One worker after the other: procrastinate's ends when something beside it fails."""
        while not self._stopping.is_set():
            connector = self._connectors[queue] = PoolConnector(self._database, self._listener)
            try:
                await self._work(queue, connector, _app(connector, handlers, periodic if queue == QUICK else ()))
            except Exception as error:
                count_error(error)
                logger.exception("worker_failed", extra={"queue": queue})
            finally:
                del self._connectors[queue]
                if connector.worker_id is not None:
                    self._listener.release((LOCK_CLASS, connector.worker_id))
            await self._sleep(self._pace.restart_pause_seconds)

    async def _work(self, queue: str, connector: PoolConnector, app: App) -> None:
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[queue],
                    name=queue,
                    concurrency=self._concurrency[queue],
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    fetch_job_polling_interval=self._pace.poll_seconds,
                    abort_job_polling_interval=3600,  # nobody aborts jobs this way
                    update_heartbeat_interval=3600,  # the pulse does it, also while the worker is shutting down
                    stalled_worker_timeout=24 * 3600,  # a living worker is never pruned for an outage
                    shutdown_graceful_timeout=self._pace.grace_seconds,
                ),
                name=f"{queue} worker",
            )
            stopping = asyncio.create_task(self._stopping.wait(), name="stop?")
            try:
                await asyncio.wait([worker, stopping], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                if not worker.done():
                    worker.cancel()
                giving_up = asyncio.get_running_loop().call_later(self._pace.grace_seconds, _give_up, connector)
                with contextlib.suppress(asyncio.CancelledError):
                    await worker
                giving_up.cancel()

    async def _pulse(self) -> None:
        """Says that we live, and takes over from those who do not say it any more."""
        now = time.monotonic()
        if now - self._beaten_at >= self._pace.heartbeat_seconds - self._pace.pulse_seconds / 2:
            await self._beat(now)
        # After an outage everybody's heartbeat is old; after a freeze our own view is. Both mend within a moment.
        if now - self._beating_since < self._pace.gone_after_seconds:
            return
        own, held = self._own_workers(), [job for connector in self._connectors.values() for job in connector.held]
        async with self._database.reading() as session:
            jobs = JobRepository(session)
            gone = self._gone.lasting(await jobs.workers_without_lock() - set(own), now)
            dropped = self._dropped.lasting(await jobs.not_held(own, held), now)
            rescued = await jobs.rescue(timedelta(seconds=self._pace.stalled_after_seconds), gone, dropped)
        if rescued:
            logger.warning("jobs_rescued", extra={"jobs": len(rescued), "workers_gone": gone, "jobs_dropped": len(dropped)})
            self._wake()

    async def _beat(self, now: float) -> None:
        previous, own = self._beaten_at, self._own_workers()
        async with self._database.reading() as session:
            await JobRepository(session).beat(own)
        self._beaten_at = time.monotonic()
        if now - previous > 2 * self._pace.heartbeat_seconds:
            self._beating_since = self._beaten_at
            self._gone.forget()
            self._dropped.forget()

    def _own_workers(self) -> list[int]:
        return [connector.worker_id for connector in self._connectors.values() if connector.worker_id is not None]

    async def _recreate(self) -> None:
        async with self._database.transaction() as session:
            recreated = await JobRepository(session).recreate(timedelta(seconds=self._pace.recreate_after_seconds))
        if recreated:
            logger.warning("jobs_recreated", extra={"jobs": recreated})

    async def _look_at_backlog(self) -> None:
        async with self._database.reading() as session:
            jobs = JobRepository(session)
            waiting = max(await jobs.count_waiting(), NOTABLE_BACKLOG)
            if not self._known_backlog / 2 <= waiting <= self._known_backlog * 2:
                await jobs.refresh_statistics()
                self._known_backlog = waiting

    async def _tidy(self) -> None:
        async with self._database.reading() as session:
            jobs = JobRepository(session)
            await jobs.forget_workers(timedelta(hours=1))
            await jobs.remove_ended(timedelta(days=7))

    async def _repeat(self, task: SideTask) -> None:
        is_storage_away = False
        while True:
            try:
                await task.call()
                is_storage_away = False
            except StorageUnavailable:
                if not is_storage_away:
                    logger.warning("side_task_waits_for_storage", extra={"task": task.name})
                is_storage_away = True
            except Exception as error:
                count_error(error)
                logger.exception("side_task_failed", extra={"task": task.name})
            await asyncio.sleep(task.every_seconds)

    def _wake(self) -> None:
        for connector in self._connectors.values():
            connector.wake()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


class _Suspects:
    """What looks wrong now and may mend itself: a reconnection takes a moment, and so does the answer to a question for work."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._since: dict[int, float] = {}

    def lasting(self, seen: set[int], now: float) -> list[int]:
        """Those that have been seen every time for long enough."""
        self._since = {suspect: self._since.get(suspect, now) for suspect in seen}
        return [suspect for suspect, since in self._since.items() if now - since >= self._patience_seconds]

    def forget(self) -> None:
        self._since.clear()


class _Retry(BaseRetryStrategy):
    """Every job that fails comes back: handlers decide when to give up. Being stopped in the middle brings it back at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, RetryLater):
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=exception.seconds))
        if isinstance(exception, Exception):
            logger.error("job_failed", extra={"job_id": job.id, "task": job.task_name}, exc_info=exception)
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=min(2.0**job.attempts, 600.0)))
        return RetryDecision(retry_at=datetime.now(UTC))


def _app(connector: PoolConnector, handlers: Mapping[str, Handler], periodic: Sequence[Periodic]) -> App:
    app = App(connector=connector, periodic_defaults={"max_delay": 12 * 3600})
    for name, handler in handlers.items():
        app.task(name=name, retry=_Retry(), pass_context=True)(_fenced(handler))
    for entry in periodic:
        task = app.task(name=entry.name, queue=QUICK, retry=_Retry(), pass_context=True)(_fenced(_ticking(entry)))
        app.periodic(cron=entry.cron, periodic_id=entry.name)(task)
    return app


def _fenced(handler: Handler) -> Callable[..., Coroutine[Any, Any, None]]:
    async def run(context: JobContext, **arguments: Any) -> None:
        # Read again when the end of the job is written, which happens in a task made from this context.
        running_job.set((context.job.worker_id or 0, context.job.attempts))
        await handler(**arguments)

    return run


def _ticking(entry: Periodic) -> Handler:
    async def run(timestamp: int) -> None:
        await entry.handler(datetime.fromtimestamp(timestamp, UTC))

    return run


def _give_up(connector: PoolConnector) -> None:
    connector.is_giving_up = True


def _quieten_the_library() -> None:
    """Two lines per job at INFO say nothing that ours do not."""
    library = logging.getLogger("procrastinate")
    if library.level == logging.NOTSET:
        library.setLevel(logging.WARNING)
