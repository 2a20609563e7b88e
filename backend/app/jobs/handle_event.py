"""Answers one stored event: claim it, hand it to its dispatcher, and see that it ends, well or with an explanation."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from app.core.clock import Clock
from app.core.errors import AppError, LostClaim, ModelUnavailable, SlackRefused, StorageUnavailable
from app.core.metrics import count_error
from app.core.reference import new_reference
from app.inbox.envelope import ClaimedEvent, Envelope, GivenUp
from app.inbox.inbox import Inbox
from app.jobs.engine import RetryLater

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(seconds=150)
"""From the first claim. Until then the conversation waits for this event."""

STOP_EXPLAINING_AFTER = timedelta(minutes=6)
"""When not even the explanation could be shown until then, the event is dead."""

MOST_TRIES_OF_UNKNOWN_FAILURES = 3
MOST_CLAIMS = 20  # an event that takes its process down with it comes back without any error to count
LONGEST_PAUSE_SECONDS = 30.0
PAUSE_WITHOUT_STORAGE_SECONDS = 1.0


class EventDispatcher(Protocol):
    """What the Slack side does with events."""

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        """Deals with the event. One that it leaves unfinished counts as ignored."""

    async def apologise(self, claimed: ClaimedEvent, error: AppError | None, reference: str) -> None:
        """Tells the person that there will be no answer, and why; ``None`` when the reason is of no use to them."""

    async def tell_place(self, envelope: Envelope, place: int) -> None:
        """Tells the person how many events are before theirs."""


class HandleEvent:
    """The handler of the job ``handle_event``."""

    def __init__(
        self, inbox: Inbox, dispatcher: EventDispatcher, clock: Clock, *, reference: Callable[[], str] = new_reference
    ) -> None:
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._clock = clock
        self._reference = reference

    async def __call__(self, inbox_id: int) -> None:
        try:
            claimed = await self._inbox.claim(inbox_id)
        except StorageUnavailable as error:
            logger.warning("event_not_claimed", extra={"inbox_id": inbox_id})
            raise RetryLater(PAUSE_WITHOUT_STORAGE_SECONDS) from error
        if claimed is None:
            return
        try:
            await self._answer(claimed)
        except LostClaim:
            logger.info("claim_lost", extra=_ids(claimed))

    async def _answer(self, claimed: ClaimedEvent) -> None:
        if claimed.given_up is not None:
            return await self._explain(claimed, None, claimed.given_up)
        if claimed.attempts > MOST_CLAIMS:
            return await self._give_up(claimed, None)
        try:
            await self._dispatch(claimed)
            await self._inbox.finish_if_open(claimed.claim, outcome="ignored")
        except LostClaim:
            raise
        except AppError as error:
            await self._after_failure(claimed, error, may_try_again=error.is_retryable and self._is_time_left(claimed))
        except Exception as error:  # noqa: BLE001 - the edge of the work: whatever it is, it is logged and ends
            await self._after_failure(claimed, error, may_try_again=claimed.attempts < MOST_TRIES_OF_UNKNOWN_FAILURES)

    async def _after_failure(self, claimed: ClaimedEvent, error: Exception, *, may_try_again: bool) -> None:
        count_error(error)
        if may_try_again:
            logger.warning("event_failed", extra={**_ids(claimed), "error": type(error).__name__}, exc_info=error)
            raise RetryLater(_pause(claimed.attempts, error))
        await self._give_up(claimed, error)

    async def _give_up(self, claimed: ClaimedEvent, error: Exception | None) -> None:
        """The reference is written down first: the person reads the same one, however often telling them has to be tried."""
        reason = error if isinstance(error, AppError) else None
        end = GivenUp(self._reference(), "explained" if reason is not None else "dead")
        logger.error("event_given_up", extra={**_ids(claimed), "reference": end.reference}, exc_info=error)
        await self._inbox.give_up(claimed.claim, outcome=end.outcome, reference=end.reference)
        await self._explain(claimed, reason, end)

    async def _explain(self, claimed: ClaimedEvent, reason: AppError | None, end: GivenUp) -> None:
        try:
            await self._dispatcher.apologise(claimed, reason, end.reference)
        except LostClaim:
            raise
        except Exception as error:
            count_error(error)
            if not isinstance(error, SlackRefused) and self._age(claimed) < STOP_EXPLAINING_AFTER:
                logger.warning("explanation_failed", extra={**_ids(claimed), "reference": end.reference}, exc_info=error)
                raise RetryLater(_pause(claimed.attempts, error)) from error
            logger.exception("explanation_given_up", extra={**_ids(claimed), "reference": end.reference})
            end = GivenUp(end.reference, "dead")
        await self._inbox.finish_if_open(claimed.claim, outcome=end.outcome, reference=end.reference)

    async def _dispatch(self, claimed: ClaimedEvent) -> None:
        # After a long time without any process, the clock starts anew.
        left = (GIVE_UP_AFTER - self._age(claimed)).total_seconds()
        try:
            async with asyncio.timeout(left if left > 0 else GIVE_UP_AFTER.total_seconds()) as limit:
                await self._dispatcher.dispatch(claimed)
        except TimeoutError as error:
            if limit.expired():
                raise ModelUnavailable("the answer took too long") from error
            raise

    def _is_time_left(self, claimed: ClaimedEvent) -> bool:
        return self._age(claimed) < GIVE_UP_AFTER

    def _age(self, claimed: ClaimedEvent) -> timedelta:
        return self._clock.now() - claimed.first_claimed_at


def _pause(attempts: int, error: Exception) -> float:
    """1, 2, 4 … seconds, or what the other side asks for when that is longer."""
    asked = getattr(error, "retry_after_seconds", None) or 0.0
    return max(min(2.0 ** (attempts - 1), LONGEST_PAUSE_SECONDS), min(float(asked), 60.0))


def _ids(claimed: ClaimedEvent) -> dict[str, object]:
    return {"inbox_id": claimed.claim.inbox_id, "event_id": claimed.envelope.event_id, "attempts": claimed.attempts}
