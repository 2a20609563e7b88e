"""Lets a person stop an answer that any process may be writing."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Self

from app.inbox.repository import InboxRepository
from app.storage.database import Database
from app.storage.listener import Listener

CHANNEL = "inbox_stop"


class StopSignals:
    """The flag in the inbox row is the truth; the announcement only makes it quick."""

    def __init__(self, database: Database, listener: Listener) -> None:
        self._database = database
        self._listener = listener
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._hearing = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        self._hearing.enter_context(self._listener.hearing(CHANNEL, self._hear))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hearing.close()

    async def stop(self, conversation: str) -> bool:
        """Stops what is being answered in this conversation, or waits first in it; false when there is nothing."""
        team_id = _team_of(conversation)
        async with self._database.transaction() as session:
            inbox = InboxRepository(session)
            is_stopped = await inbox.request_stop(team_id, conversation)
            if is_stopped:
                await inbox.notify(CHANNEL, conversation)
        return is_stopped

    @contextlib.asynccontextmanager
    async def watch(self, conversation: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when somebody stops the conversation, also when that happened just before.

        The look at the row runs beside the block, which is not delayed by it.
        """
        stopped = asyncio.Event()
        self._watchers[conversation].add(stopped)
        look = asyncio.create_task(self._look(conversation, stopped), name="stop requested?")
        try:
            yield stopped
        finally:
            look.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await look
            self._watchers[conversation].discard(stopped)
            if not self._watchers[conversation]:
                del self._watchers[conversation]

    async def _look(self, conversation: str, stopped: asyncio.Event) -> None:
        async with self._database.reading() as session:
            if await InboxRepository(session).is_stop_requested(_team_of(conversation), conversation):
                stopped.set()

    def _hear(self, conversation: str) -> None:
        for stopped in self._watchers.get(conversation, ()):
            stopped.set()


def _team_of(conversation: str) -> str:
    return conversation.partition(":")[0]
