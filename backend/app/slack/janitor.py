"""Removes what workers may have left in Slack that froze, were overtaken, and died before they could tidy up after themselves."""

import logging
from datetime import timedelta
from itertools import groupby
from typing import Any, Final, Protocol

from app.core.clock import Clock, SystemClock
from app.core.errors import SlackError, SlackRateLimited
from app.inbox.envelope import DoubtfulPart, StoredEvent
from app.slack.client import BotIdentity, SlackClient
from app.slack.placement import CLOCKS_DIFFER, event_and_part_of

logger = logging.getLogger(__name__)
Json = dict[str, Any]

DONE_WITHIN: Final = timedelta(hours=3)
SETTLED_FOR: Final = timedelta(minutes=10)
"""An overtaken worker that thaws may still be tidying up itself."""


class JanitorLedger(Protocol):
    """What the janitor asks the inbox."""

    async def doubtful_parts(self, *, done_within: timedelta, settled_for: timedelta, limit: int = 200) -> list[DoubtfulPart]: ...

    async def event_of_message(self, team_id: str, channel_id: str, ts: str) -> StoredEvent | None: ...


class Janitor:
    """Called every hour by every process; doing it twice does no harm. Returns how many messages it removed.

    Looks only into threads of events that were claimed more than once or whose reply never became final.
    """

    def __init__(
        self, client: SlackClient, ledger: JanitorLedger, *, done_within: timedelta = DONE_WITHIN,
        settled_for: timedelta = SETTLED_FOR, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._client = client
        self._ledger = ledger
        self._done_within = done_within
        self._settled_for = settled_for
        self._clock = clock or SystemClock()

    async def __call__(self) -> int:
        removed = 0
        doubtful = await self._ledger.doubtful_parts(done_within=self._done_within, settled_for=self._settled_for)
        for inbox_id, parts in groupby(doubtful, key=lambda one: one.inbox_id):
            try:
                removed += await self._tidy(list(parts))
            except SlackRateLimited:
                break  # The next hour goes on.
            except SlackError as error:
                logger.info("thread_not_tidied", extra={"inbox_id": inbox_id, "code": error.code})
        return removed

    async def _tidy(self, parts: list[DoubtfulPart]) -> int:
        first = parts[0]
        where = first.part
        if where.thread_ts is None:
            return 0
        ours = await self._client.identity()
        oldest = min(one.part.intended_at for one in parts) - CLOCKS_DIFFER
        messages = await self._client.replies_since(
            channel_id=where.channel_id, thread_ts=where.thread_ts, oldest=f"{oldest.timestamp():.6f}", team_id=first.team_id
        )
        spare = [str(one["ts"]) for one in messages if _is_from(ours, one) and await self._is_spare(one, parts)]
        for ts in spare:
            await self._client.delete_message(channel_id=where.channel_id, ts=ts, team_id=first.team_id)
            logger.warning("spare_message_removed", extra={"inbox_id": first.inbox_id, "ts": ts})
        return len(spare)

    async def _is_spare(self, message: Json, parts: list[DoubtfulPart]) -> bool:
        ts = str(message["ts"])
        recorded = {one.part.ts: one.part for one in parts}
        if ts in recorded:
            return not recorded[ts].is_finished
        if (metadata := message.get("metadata")) is not None:
            return event_and_part_of(metadata)[:1] == (str(parts[0].inbox_id),)
        # A stream that was only begun says nothing, not even whose it is; a young one may be written down in a moment.
        if str(message.get("text") or "").strip() or not self._is_settled(ts):
            return False
        return await self._ledger.event_of_message(parts[0].team_id, parts[0].part.channel_id, ts) is None

    def _is_settled(self, ts: str) -> bool:
        return float(ts) < (self._clock.now() - self._settled_for).timestamp()


def _is_from(ours: BotIdentity, message: Json) -> bool:
    return message.get("user") == ours.user_id or bool(ours.bot_id and message.get("bot_id") == ours.bot_id)
