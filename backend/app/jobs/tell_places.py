"""Tells people who wait behind others where they stand, once."""

import logging
from datetime import timedelta

from app.core.errors import AppError
from app.inbox.inbox import Inbox
from app.jobs.handle_event import EventDispatcher

logger = logging.getLogger(__name__)

WAITING_SILENTLY = timedelta(seconds=2)


class TellPlaces:
    """A side task of the job engine. Somebody who could not be told is not told again: the answer comes all the same."""

    def __init__(self, inbox: Inbox, dispatcher: EventDispatcher) -> None:
        self._inbox = inbox
        self._dispatcher = dispatcher

    async def __call__(self) -> None:
        for waiting in await self._inbox.waiting_long(WAITING_SILENTLY):
            try:
                await self._dispatcher.tell_place(waiting.envelope, waiting.place)
            except AppError as error:
                extra = {"event_id": waiting.envelope.event_id, "error": type(error).__name__}
                logger.warning("place_not_told", extra=extra)
