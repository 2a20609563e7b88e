"""Runs procrastinate on our own PostgreSQL pool, through the connector interface it offers.

Three things differ from the connectors it ships:

- While PostgreSQL is away, taking jobs finds none, heartbeats are skipped, and ending a job is tried until it succeeds. (A job
  whose end could not be written would stay "doing" for ever, and its conversation locked.)
- Ending a job is fenced: whoever was overtaken cannot end the run of another worker.
- When the end of a job lets the next one of its conversation start, this process hears of it at once. (``NOTIFY`` tells of new
  jobs only.)
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import asyncpg
from procrastinate import exceptions, sql
from procrastinate.connector import BaseAsyncConnector, Notify

from app.core.errors import StorageUnavailable
from app.jobs.repository import FINISH_JOB, LOCK_CLASS, RETRY_JOB
from app.storage.database import Database, Record
from app.storage.listener import Listener

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 1.0

running_job: ContextVar[tuple[int, int] | None] = ContextVar("running_job", default=None)
"""Worker and attempt of the job this task runs: the fence for its end."""

_NO_JOB = {"id": None}


class PoolConnector(BaseAsyncConnector):
    """The connector of one worker."""

    def __init__(self, database: Database, listener: Listener) -> None:
        self._database = database
        self._listener = listener
        self._wake: Callable[[], None] | None = None
        self._news = 0
        self._expected: int | None = None  # jobs announced and not yet asked for; None: any number may wait
        self._is_going_on = False  # the last question for a job found one
        self._is_storage_away = False
        self.worker_id: int | None = None
        self._held: set[tuple[int, int]] = set()
        self.is_giving_up = False

    async def open_async(self, pool: Any | None = None) -> None:
        """The pool is opened by whoever made this."""

    async def close_async(self) -> None:
        """The pool is closed by whoever made this."""

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        if query == sql.queries["finish_job"]:
            await self._end(FINISH_JOB, arguments["job_id"], arguments["status"], arguments["delete_job"])
        elif query == sql.queries["retry_job"]:
            await self._end(RETRY_JOB, arguments["job_id"], arguments["retry_at"])
        elif query == sql.queries["update_heartbeat"]:
            await self._heartbeat(query, arguments)
        else:
            await self._run(query, arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        if query == sql.queries["fetch_job"]:
            return await self._take(query, arguments)
        rows = await self._run(query, arguments)
        if not rows:
            raise exceptions.NoResult
        if query == sql.queries["register_worker"]:
            self.worker_id = rows[0]["worker_id"]
            self._listener.hold((LOCK_CLASS, rows[0]["worker_id"]))
        return rows[0]

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        return await self._run(query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Never returns. One wake-up stands for any number of announcements that come while the loop is busy."""
        news = asyncio.Event()
        self._wake = news.set
        try:
            with self._listener.hearing(next(iter(channels)), self._hear):
                while True:
                    await news.wait()
                    news.clear()
                    await on_notification(channel="", payload='{"type": "job_inserted", "job_id": 0}')
        finally:
            self._wake = None

    def wake(self, *, jobs: int | None = None) -> None:
        """Has the worker look for ``jobs`` new jobs, or for as many as there are."""
        self._news += 1
        self._expected = None if jobs is None or self._expected is None else self._expected + jobs
        if self._wake is not None:
            self._wake()

    def _hear(self, announcement: str) -> None:
        """One job each; an empty one after a reconnection, when nobody knows how many were missed."""
        self.wake(jobs=1 if announcement else None)

    @property
    def held(self) -> set[int]:
        """Ids of the jobs this worker knows to be its own."""
        return {job_id for job_id, _ in self._held}

    async def _run(self, query: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        statement, names = _numbered(query)
        try:
            async with self._database.reading() as session:
                return [dict(row) for row in await session.fetch(statement, *(arguments[name] for name in names))]
        except asyncpg.UniqueViolationError as error:
            raise exceptions.UniqueViolation(constraint_name=error.constraint_name, queueing_lock=None) from error
        except (asyncpg.PostgresError, StorageUnavailable) as error:
            raise exceptions.ConnectorException(type(error).__name__) from error

    async def _take(self, query: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """What is announced while we look is looked for again: the worker forgets announcements after each look.

        After each job the worker asks for the next; PostgreSQL is not troubled with that when no other was announced.
        """
        if self._is_going_on and self._expected == 0:
            self._is_going_on = False
            return _NO_JOB
        while True:
            known = self._news
            try:
                [row] = await self._run(query, arguments)
            except exceptions.ConnectorException as error:
                if not isinstance(error.__cause__, StorageUnavailable):
                    raise
                self._note_outage(is_over=False)
                return _NO_JOB
            self._note_outage(is_over=True)
            self._is_going_on = row["id"] is not None
            if self._is_going_on:
                # One that nobody announced, such as a retry that is due, may have company.
                self._expected = self._expected - 1 if self._expected else None
                self._held.add((row["id"], row["attempts"]))
                return row
            if known == self._news:
                self._expected = 0
                return _NO_JOB

    def _note_outage(self, *, is_over: bool) -> None:
        """Two lines per outage, however often we ask in between."""
        if is_over == self._is_storage_away:
            self._is_storage_away = not is_over
            logger.warning("jobs_wait_for_storage" if not is_over else "jobs_go_on", extra={"worker_id": self.worker_id})

    async def _heartbeat(self, query: str, arguments: dict[str, Any]) -> None:
        try:
            await self._run(query, arguments)
        except exceptions.ConnectorException:
            logger.warning("heartbeat_missed", extra={"worker_id": arguments["worker_id"]})

    async def _end(self, statement: str, job_id: int, *how: Any) -> None:
        worker_id, attempt = running_job.get() or (None, None)
        try:
            row = await self._persistently(statement, job_id, worker_id, attempt, *how)
        finally:
            self._held.discard((job_id, attempt or 0))
        if row is None:
            logger.info("job_was_taken_over", extra={"job_id": job_id})
        elif row["has_successor"]:
            self.wake(jobs=1)

    async def _persistently(self, statement: str, *arguments: Any) -> Record | None:
        pause = 0.05
        while True:
            try:
                async with self._database.reading() as session:
                    return await session.fetch_row(statement, *arguments)
            except StorageUnavailable:
                if self.is_giving_up:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


@lru_cache(maxsize=64)
def _numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Turns ``%(name)s`` into ``$1`` …, with the names in order."""
    names = tuple(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
    return re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", query), names
