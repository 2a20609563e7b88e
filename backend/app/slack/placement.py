"""Puts one message of a reply into Slack, once, whatever happens between Slack, the database and us.

The order is the promise: write down the intent, post, write down the ts. A worker that finds an intent without a ts does not
know whether the message stands, so it looks: our messages carry metadata with the stored event and the part. A stream carries
none until it stops; it is recognized as a message of ours in the thread that is newer than the intent and belongs to no stored
event. Since a conversation is answered by one worker at a time, there is only one such message.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from app.core.errors import LostClaim, SlackError, SlackRateLimited, SlackRefused, SlackUnavailable
from app.inbox.claim import Claim
from app.inbox.envelope import ClaimedEvent, ReplyPart, StoredEvent
from app.slack.client import SlackClient, still_wanted

logger = logging.getLogger(__name__)
Json = dict[str, Any]

EVENT_TYPE: Final = "sales_agent_reply"
CLOCKS_DIFFER: Final = timedelta(seconds=60)
LOOKS_AFTER_A_LOST_ANSWER: Final = (0.3, 1.0)
"""Seconds before each look: the lost call may still be on its way."""


FENCE_HOLDS: Final = 2.0
"""Seconds."""


@dataclass(frozen=True)
class ReplyAddress:
    """Where a reply goes, and to whom."""

    team_id: str
    channel_id: str
    thread_ts: str
    recipient_user_id: str
    recipient_team_id: str
    is_direct: bool


class ReplyLedger(Protocol):
    """What is written down about replies: the inbox."""

    async def still_mine(self, claim: Claim) -> bool: ...

    async def intend_part(self, claim: Claim, *, part: int, channel_id: str, thread_ts: str | None) -> ReplyPart: ...

    async def record_part(self, claim: Claim, *, part: int, ts: str) -> str: ...

    async def forget_part(self, claim: Claim, *, part: int, ts: str) -> None: ...

    async def finish_part(self, claim: Claim, *, part: int) -> None: ...

    async def finish(self, claim: Claim, *, outcome: str, reference: str | None = None, part: int | None = None) -> None: ...

    async def event_of_message(self, team_id: str, channel_id: str, ts: str) -> StoredEvent | None: ...


@dataclass(frozen=True)
class Placed:
    """A message that stands. ``is_new``: posted just now, so that we know what it shows."""

    ts: str
    is_new: bool


def metadata_of(inbox_id: int, part: int) -> Json:
    """What tells our messages apart, also for a worker that has never heard of them."""
    return {"event_type": EVENT_TYPE, "event_payload": {"inbox": inbox_id, "part": part}}


class Placement:
    """The parts of one reply."""

    def __init__(self, client: SlackClient, ledger: ReplyLedger, claimed: ClaimedEvent, address: ReplyAddress) -> None:
        self._client = client
        self._ledger = ledger
        self._claim = claimed.claim
        self._address = address
        self._parts = {part.part: part for part in claimed.parts}
        # Parts that may stand in Slack although we have no ts of them.
        self._unsure = {part.part for part in claimed.parts if part.ts is None}
        self._ours_until = 0.0

    def known(self, part: int) -> ReplyPart | None:
        return self._parts.get(part)

    def is_finished(self, part: int) -> bool:
        known = self._parts.get(part)
        return known is not None and known.is_finished

    async def place(self, part: int, post: Callable[[], Awaitable[str]]) -> Placed:
        """The one message of this part: one that stands already, or what ``post`` posts."""
        earlier = self._parts.get(part)
        if earlier is not None and earlier.ts is not None:
            return Placed(earlier.ts, is_new=False)
        # The statement behind this changes nothing unless the claim is ours: it is the fence before posting as well.
        intended = await self._ledger.intend_part(
            self._claim, part=part, channel_id=self._address.channel_id, thread_ts=self._address.thread_ts
        )
        self._parts[part] = intended
        self._confirm()
        if intended.ts is not None:
            return Placed(intended.ts, is_new=False)
        if part in self._unsure and (found := await self._find(part, intended.intended_at)):
            return Placed(await self._record(part, found), is_new=False)
        return Placed(await self._record(part, await self._post(part, post, intended.intended_at)), is_new=True)

    async def forget(self, part: int) -> None:
        """The message has vanished: the part will be posted anew."""
        known = self._parts.pop(part, None)
        if known is not None and known.ts is not None:
            await self._ledger.forget_part(self._claim, part=part, ts=known.ts)

    async def fence(self) -> None:
        """``LostClaim`` when another worker has taken over. To be asked before every visible step.

        Not asked again within a moment: another worker takes over after 20 s of silence at the earliest, and the clock this goes
        by runs on while the process is frozen.
        """
        if asyncio.get_running_loop().time() < self._ours_until:
            return
        if not await self._ledger.still_mine(self._claim):
            raise LostClaim(f"inbox {self._claim.inbox_id} was taken over from epoch {self._claim.epoch}")
        self._confirm()

    def _confirm(self) -> None:
        self._ours_until = asyncio.get_running_loop().time() + FENCE_HOLDS

    async def _post(self, part: int, post: Callable[[], Awaitable[str]], intended_at: datetime) -> str:
        self._unsure.add(part)
        try:
            ts = await post()
        except (SlackRateLimited, SlackRefused):
            self._unsure.discard(part)
            raise
        except SlackUnavailable as error:
            if error.code == "not_sent":
                self._unsure.discard(part)
                raise
            found = await self._look_for_the_lost(part, intended_at)
            if found is None:
                raise  # The next attempt looks again before it posts.
            ts = found
        self._unsure.discard(part)
        return ts

    async def _look_for_the_lost(self, part: int, intended_at: datetime) -> str | None:
        for pause in LOOKS_AFTER_A_LOST_ANSWER:
            await asyncio.sleep(pause)
            if found := await self._find(part, intended_at):
                return found
        return None

    async def _find(self, part: int, intended_at: datetime) -> str | None:
        """Our message of this part in the thread, if it stands."""
        address = self._address
        oldest = f"{(intended_at - CLOCKS_DIFFER).timestamp():.6f}"
        messages = await self._client.replies_since(
            channel_id=address.channel_id, thread_ts=address.thread_ts, oldest=oldest, team_id=address.team_id
        )
        ours = await self._client.identity()
        streams = []
        for message in messages:
            if message.get("user") != ours.user_id and not (ours.bot_id and message.get("bot_id") == ours.bot_id):
                continue
            if not (metadata := message.get("metadata")):
                streams.append(str(message["ts"]))
            elif is_part_of(metadata, self._claim.inbox_id, part):
                return str(message["ts"])
        return await self._stream_of_nobody(streams) if part == 0 else None

    async def _stream_of_nobody(self, candidates: list[str]) -> str | None:
        for ts in reversed(candidates):
            if await self._ledger.event_of_message(self._address.team_id, self._address.channel_id, ts) is None:
                return ts
        return None

    async def _record(self, part: int, ts: str) -> str:
        """Writes down that ``ts`` is this part, and removes it when another message is it already."""
        try:
            recorded = await self._ledger.record_part(self._claim, part=part, ts=ts)
        except LostClaim:
            await self._remove(ts)
            raise
        if recorded != ts:
            await self._remove(ts)
            self._ours_until = 0.0
            await self.fence()
        self._confirm()
        known = self._parts[part]
        self._parts[part] = ReplyPart(part, known.channel_id, known.thread_ts, recorded, known.intended_at, is_finished=False)
        return recorded

    async def _remove(self, ts: str) -> None:
        still_wanted.set(None)  # tidying up is wanted from whoever made the mess
        address = self._address
        try:
            await self._client.delete_message(channel_id=address.channel_id, ts=ts, team_id=address.team_id)
            # Beginning a stream also began the thread's status, which would say "working" for ever.
            status = {"channel_id": address.channel_id, "thread_ts": address.thread_ts, "status": "active"}
            await self._client.call("agents.sessions.setStatus", json=status, team_id=address.team_id)
        except SlackError as error:
            # The janitor finds it again by its metadata.
            logger.warning("spare_message_left", extra={"inbox_id": self._claim.inbox_id, "code": error.code})


def event_and_part_of(metadata: Json) -> tuple[str, str] | tuple[()]:
    """Which stored event and part a message of ours carries, as texts; nothing when it is no reply."""
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return ()
    return str(payload.get("inbox")), str(payload.get("part"))


def is_part_of(metadata: Json, inbox_id: int, part: int) -> bool:
    return event_and_part_of(metadata) == (str(inbox_id), str(part))
