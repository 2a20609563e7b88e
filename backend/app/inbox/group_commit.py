"""Stores events that arrive together with one statement and one commit.

While one commit is under way, arriving events wait; the next commit takes them all. Under load many share the cost of a commit,
and an event alone is stored at once.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

import asyncpg

from app.core.errors import StorageUnavailable
from app.inbox.envelope import Envelope
from app.inbox.repository import STORE, columns
from app.storage.database import Record
from app.storage.dedicated import DedicatedConnection

logger = logging.getLogger(__name__)

ANSWER_WITHIN_SECONDS = 2.5  # Slack gives up after 3
STATEMENT_SECONDS = 2.0
MOST_PER_COMMIT = 200
PAUSE_BEFORE_RECONNECT_SECONDS = 0.05
ONE_PLAN = "set plan_cache_mode = force_generic_plan"  # planning the same statement anew takes a tenth of the time to a 200


@dataclass
class _Waiting:
    envelope: Envelope
    sealed: bytes
    is_first: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class GroupCommit:
    """The one writer of inbox rows in a process."""

    def __init__(self, database_url: str) -> None:
        self._connection = DedicatedConnection(database_url, application_name="sales-agent inbox", prepare=ONE_PLAN)
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def store(self, envelope: Envelope, sealed: bytes) -> bool:
        """True when this delivery was the first; ``StorageUnavailable`` when that is not known in time."""
        waiting = _Waiting(envelope, sealed)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="inbox writer")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                return await waiting.is_first
        except TimeoutError as error:
            raise StorageUnavailable("the event could not be stored in time") from error

    async def close(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
        await self._connection.close()

    async def _write(self) -> None:
        """Runs until nobody waits. An event whose caller has given up is not written any more."""
        while batch := self._take():
            try:
                await self._store(batch)
            except StorageUnavailable:
                self._waiting = batch + self._waiting
                await asyncio.sleep(PAUSE_BEFORE_RECONNECT_SECONDS)

    def _take(self) -> list[_Waiting]:
        alive = [waiting for waiting in self._waiting if not waiting.is_first.done()]
        batch, self._waiting = alive[:MOST_PER_COMMIT], alive[MOST_PER_COMMIT:]
        # Slack's ts is the order in which messages were written. One order in all processes also keeps them from waiting for each
        # other's unique keys in a circle.
        return sorted(batch, key=_order)

    async def _store(self, batch: list[_Waiting]) -> None:
        try:
            rows = await self._connection.fetch(STORE, *_arrays(batch), timeout_seconds=STATEMENT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.DataError, ValueError) as error:
            await self._store_separately(batch, error)
        else:
            _tell(batch, rows)

    async def _store_separately(self, batch: list[_Waiting], error: Exception) -> None:
        """Something in the batch is refused: the others shall not suffer from it."""
        if isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
            raise StorageUnavailable("another process was storing the same events") from error
        if len(batch) > 1:
            for waiting in batch:
                await self._store([waiting])
            return
        logger.error("event_not_storable", extra={"event_id": batch[0].envelope.event_id}, exc_info=error)
        if not batch[0].is_first.done():
            batch[0].is_first.set_exception(error)


def _order(waiting: _Waiting) -> tuple[str, str, str, str]:
    envelope = waiting.envelope
    return envelope.team_id, envelope.channel_id or "", envelope.message_ts or "", envelope.event_id


def _arrays(batch: list[_Waiting]) -> list[list[object]]:
    return columns(
        [
            (
                waiting.envelope.team_id, waiting.envelope.event_id, waiting.envelope.kind, waiting.envelope.conversation,
                waiting.envelope.channel_id, waiting.envelope.message_ts, waiting.envelope.user_id, waiting.sealed,
            )
            for waiting in batch
        ]
    )  # fmt: skip


def _tell(batch: list[_Waiting], rows: list[Record]) -> None:
    stored = {(row["team_id"], row["event_id"]) for row in rows}
    for waiting in batch:
        key = waiting.envelope.team_id, waiting.envelope.event_id
        is_first = key in stored
        stored.discard(key)  # the same event twice in one batch: one of them is the first
        if not waiting.is_first.done():
            waiting.is_first.set_result(is_first)
