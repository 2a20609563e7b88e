"""The first message of a reply while it is being written: as a stream, by edits, or not shown before it is finished.

Slack allows about 20 stream starts and 50 edits a minute and workspace; all processes share these budgets. A stream is the
best to read; when its budget is spent a placeholder is edited; when that one is spent too, the answer is posted once, whole.

Calls here never wait for a limit to pass: what cannot be shown now is shown with the next piece, or at the end.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from app.cache.keys import limit_key
from app.core.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnavailable
from app.core.metrics import streams_open
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack import limits
from app.slack.client import SlackClient
from app.slack.markdown import plain_text_fallback
from app.slack.placement import Placement, ReplyAddress, metadata_of

logger = logging.getLogger(__name__)
Json = dict[str, Any]

# Refusals after which no way of showing the answer in this place is left.
HOPELESS: Final = frozenset({
    "account_inactive", "channel_not_found", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth", "is_archived",
    "missing_scope", "not_allowed_token_type", "not_authed", "not_in_channel", "org_login_required", "restricted_action",
    "restricted_action_read_only_channel", "restricted_action_thread_locked", "team_access_not_granted", "thread_not_found",
    "token_expired", "token_revoked", "cannot_reply_to_message", "messages_tab_disabled", "user_not_in_channel",
})  # fmt: skip
OVER: Final = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
VANISHED: Final = frozenset({"message_not_found"})
BLOCKS_REFUSED: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many"})


class _Taken(Protocol):
    @property
    def is_allowed(self) -> bool: ...


class SharedLimits(Protocol):
    """Counts over all processes."""

    async def take(self, key: str, *, limit: int, seconds: int, cost: int = 1) -> _Taken: ...


@dataclass(frozen=True)
class Pace:
    """Seconds between what is shown. The words of a short answer come in two steps: its first words at once, and all of it."""

    after_first_words: float = limits.SECOND_APPEND_AFTER
    between_appends: float = limits.QUIET_APPEND_INTERVAL
    between_appends_of_all: float = limits.APPEND_INTERVAL_OF_ALL
    between_edits: float = limits.EDIT_INTERVAL
    stream_life: float = limits.STREAM_LIFE


class Mode(StrEnum):
    """How the message shows its text now."""

    STREAM = "stream"
    EDIT = "edit"
    WHOLE = "whole"
    FOUND = "found"  # an earlier attempt's message: it may show anything, so only the whole text makes it right


@dataclass
class OpenStreams:
    """How many streams of this process are open: the fuller it is, the slower each one goes."""

    count: int = 0

    def interval(self, pace: Pace) -> float:
        return max(pace.between_appends, self.count * pace.between_appends_of_all)


class LiveMessage:
    """One message that grows. One task at a time uses it."""

    def __init__(
        self, client: SlackClient, placement: Placement, address: ReplyAddress, *, inbox_id: int, language: Language,
        shared: SharedLimits, budget: limits.SharedBudget, open_streams: OpenStreams, pace: Pace,
    ) -> None:  # fmt: skip
        self._client = client
        self._placement = placement
        self._address = address
        self._metadata = metadata_of(inbox_id, 0)
        self._language = language
        self._shared = shared
        self._budget = budget
        self._open_streams = open_streams
        self._pace = pace
        self.mode: Mode | None = None
        self.ts: str | None = None
        self.was_stopped_by_person = False
        self._shown = ""
        self._is_shown_known = True
        self._is_counted = False
        self._started_at = 0.0
        self._due_at = 0.0
        self._appends = 0

    @property
    def has_words(self) -> bool:
        return bool(self._shown)

    @property
    def shows_growth(self) -> bool:
        """Whether more text before the end makes sense."""
        return self.ts is not None and self.mode in {Mode.STREAM, Mode.EDIT} and self._is_shown_known

    def seconds_until_due(self) -> float:
        return max(0.0, self._due_at - _now())

    async def begin(self) -> None:
        """The sign of work."""
        if (known := self._placement.known(0)) is not None and known.ts is not None:
            self._take_over(known.ts)
        elif await self._may(self._budget.streams_per_minute, "stream"):
            await self._begin_stream()
        else:
            await self._begin_quietly()

    async def grow(self, text: str) -> None:
        """Shows ``text``, all of it so far, as far as Slack allows it now."""
        text = text[: limits.PART_CHARACTERS]
        if not self.shows_growth or text == self._shown:
            return
        try:
            if self.mode is Mode.STREAM and self._is_old():
                await self._leave_stream()
            elif self.mode is Mode.STREAM:
                await self._append(text)
            else:
                await self._edit(text)
        except SlackRateLimited as error:
            self._due_at = _now() + error.retry_after_seconds
        except SlackUnavailable:
            # The text may stand there or not: appending more could say it twice.
            self._is_shown_known = self.mode is Mode.EDIT
            self._due_at = _now() + self._pace.between_edits
        except SlackRefused as error:
            self._after_refusal(error)

    async def end(self, text: str, blocks: Sequence[Json]) -> None:
        """Makes the message what it shall be. Its errors come out; doing it again does no harm."""
        try:
            await self._end(text, blocks)
        except SlackRefused as error:
            if error.code not in VANISHED:
                raise
            await self._placement.forget(0)
            self._give_up_message()
            await self._end(text, blocks)
        finally:
            self._uncount()

    async def clear_session(self) -> None:
        """The person's stop leaves it to us to say that work has ended."""
        params = {"channel_id": self._address.channel_id, "thread_ts": self._address.thread_ts, "status": "active"}
        await self._try_call("agents.sessions.setStatus", params)

    def abandon(self) -> None:
        """Nothing more will be shown by this attempt."""
        self._uncount()

    # Beginnings

    def _take_over(self, ts: str) -> None:
        self.mode, self.ts, self._is_shown_known = Mode.FOUND, ts, False

    async def _begin_stream(self) -> None:
        address = self._address

        async def start() -> str:
            return await self._client.start_stream(
                channel_id=address.channel_id, thread_ts=address.thread_ts, team_id=address.team_id,
                recipient_user_id=address.recipient_user_id, recipient_team_id=address.recipient_team_id,
            )  # fmt: skip

        try:
            placed = await self._placement.place(0, start)
        except SlackRateLimited:
            return await self._begin_quietly()
        except SlackRefused as error:
            if error.code in HOPELESS:
                raise
            logger.warning("stream_not_possible", extra={"code": error.code})
            return await self._begin_quietly()
        if placed.is_new:
            self._count(placed.ts)
        else:
            self._take_over(placed.ts)
        return None

    def _count(self, ts: str) -> None:
        self.mode, self.ts, self._started_at = Mode.STREAM, ts, _now()
        self._open_streams.count += 1
        self._is_counted = True
        streams_open.inc()

    async def _begin_quietly(self) -> None:
        # The placeholder's last edit is bought beforehand, so that it never waits.
        if not await self._may(self._budget.edits_per_minute, "edit", cost=2):
            self.mode = Mode.WHOLE
            status = message("reply.status", self._language)
            params = {"channel_id": self._address.channel_id, "thread_ts": self._address.thread_ts, "status": status}
            return await self._try_call("assistant.threads.setStatus", params)
        try:
            placed = await self._placement.place(0, lambda: self._post(message("reply.working", self._language), (), wait=0.0))
        except SlackRateLimited:
            self.mode = Mode.WHOLE
            return None
        if not placed.is_new:
            return self._take_over(placed.ts)
        self.mode, self.ts = Mode.EDIT, placed.ts
        return None

    # Growing

    async def _append(self, text: str) -> None:
        if not text.startswith(self._shown):
            return
        # The first words of all streams together are bounded by the number of streams; what follows asks.
        if self._appends and not await self._may(self._budget.appends_per_minute, "append"):
            self._due_at = _now() + self._open_streams.interval(self._pace)
            return
        await self._placement.fence()
        added = text[len(self._shown) :]
        await self._client.append_stream(
            channel_id=self._address.channel_id, ts=self._ts, markdown_text=added, team_id=self._address.team_id
        )
        self._shown = text
        self._appends += 1
        interval = self._open_streams.interval(self._pace)
        self._due_at = _now() + (max(interval, self._pace.after_first_words) if self._appends == 1 else interval)

    async def _edit(self, text: str) -> None:
        self._due_at = _now() + self._pace.between_edits
        if not await self._may(self._budget.edits_per_minute, "edit"):
            return
        await self._placement.fence()
        await self._update(text, (), wait=0.0)
        self._shown = text

    async def _leave_stream(self) -> None:
        """Slack would end the stream soon and refuse the rest: from here on the message is edited."""
        await self._placement.fence()
        await self._stop_ignoring_its_end()
        self._go_on_by_edits()

    def _after_refusal(self, error: SlackRefused) -> None:
        if error.code in OVER:
            self.was_stopped_by_person = error.code == "stopped_by_user"
            self._go_on_by_edits()
        elif error.code in VANISHED:
            self._is_shown_known = False
        elif error.code in HOPELESS:
            raise error
        else:
            logger.warning("growth_refused", extra={"code": error.code})
            self._is_shown_known = False

    def _go_on_by_edits(self) -> None:
        self._uncount()
        self.mode = Mode.EDIT
        self._due_at = _now() + self._pace.between_edits

    # The end

    async def _end(self, text: str, blocks: Sequence[Json]) -> None:
        if self.ts is None:
            placed = await self._placement.place(0, lambda: self._post(text, blocks))
            self.ts = placed.ts
            if placed.is_new:
                return None
            self._take_over(placed.ts)
        await self._placement.fence()
        if self.mode is Mode.STREAM and self._is_shown_known and text.startswith(self._shown):
            return await self._end_stream(text, blocks)
        if self.mode in {Mode.STREAM, Mode.FOUND}:
            await self._stop_ignoring_its_end()
        return await self._update(text, blocks)

    async def _end_stream(self, text: str, blocks: Sequence[Json]) -> None:
        try:
            await self._client.stop_stream(
                channel_id=self._address.channel_id, ts=self._ts, markdown_text=text[len(self._shown) :], blocks=blocks,
                metadata=self._metadata, team_id=self._address.team_id,
            )  # fmt: skip
        except SlackUnavailable:
            # It may have ended with all its text, or not at all.
            await self._stop_ignoring_its_end()
            await self._update(text, blocks)
        except SlackRefused as error:
            if error.code in HOPELESS | VANISHED:
                raise
            if error.code not in OVER:
                logger.warning("stream_end_refused", extra={"code": error.code})
                await self._stop_ignoring_its_end()
            await self._update(text, blocks)

    async def _stop_ignoring_its_end(self) -> None:
        """A stream must be closed before it can be edited; that it was closed already is no error."""
        for tries_left in (1, 0):
            try:
                return await self._client.stop_stream(
                    channel_id=self._address.channel_id, ts=self._ts, metadata=self._metadata, team_id=self._address.team_id
                )
            except SlackUnavailable:
                if not tries_left:
                    raise
            except SlackRefused as error:
                if error.code in HOPELESS | VANISHED:
                    raise
                return None
        return None

    async def _update(self, text: str, blocks: Sequence[Json], *, wait: float = limits.LONGEST_WAIT) -> None:
        try:
            await self._update_once(fallback_of(text), [markdown_block(text), *blocks], wait)
        except SlackRefused as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            await self._update_once(plain_text_of(text), (), wait)

    async def _update_once(self, text: str, blocks: Sequence[Json], wait: float) -> None:
        await self._client.update_message(
            channel_id=self._address.channel_id, ts=self._ts, text=text, blocks=blocks, metadata=self._metadata,
            team_id=self._address.team_id, longest_wait=wait,
        )  # fmt: skip

    async def _post(self, text: str, blocks: Sequence[Json], *, wait: float = limits.LONGEST_WAIT) -> str:
        return await post(self._client, self._address, text, blocks, metadata=self._metadata, longest_wait=wait)

    # Small things

    @property
    def _ts(self) -> str:
        assert self.ts is not None
        return self.ts

    def _is_old(self) -> bool:
        return _now() - self._started_at > self._pace.stream_life

    def _give_up_message(self) -> None:
        self.ts, self.mode, self._shown = None, Mode.WHOLE, ""

    def _uncount(self) -> None:
        if self._is_counted:
            self._open_streams.count -= 1
            self._is_counted = False
            streams_open.dec()

    async def _may(self, limit: int, what: str, *, cost: int = 1) -> bool:
        taken = await self._shared.take(limit_key(self._address.team_id, what), limit=limit, seconds=60, cost=cost)
        return taken.is_allowed

    async def _try_call(self, method: str, params: Json) -> None:
        """For signs that are nice to have."""
        try:
            await self._client.call(method, json=params, team_id=self._address.team_id, longest_wait=0.0)
        except SlackError as error:
            logger.info("sign_not_shown", extra={"method": method, "code": error.code})


async def post(
    client: SlackClient, address: ReplyAddress, text: str, blocks: Sequence[Json], *, metadata: Json,
    longest_wait: float = limits.LONGEST_WAIT,
) -> str:  # fmt: skip
    """A message with its whole text at once; without blocks when Slack does not take them."""

    async def once(shown: str, under: Sequence[Json]) -> str:
        return await client.post_message(
            channel_id=address.channel_id, thread_ts=address.thread_ts, text=shown, blocks=under, metadata=metadata,
            team_id=address.team_id, longest_wait=longest_wait,
        )  # fmt: skip

    try:
        return await once(fallback_of(text), [markdown_block(text), *blocks])
    except SlackRefused as error:
        if error.code not in BLOCKS_REFUSED:
            raise
    return await once(plain_text_of(text), ())


def markdown_block(text: str) -> Json:
    """Sanitized Markdown as Slack shows it best."""
    return {"type": "markdown", "text": text}


def fallback_of(text: str) -> str:
    """What notifications show of it."""
    return plain_text_fallback(text, limits.FALLBACK_CHARACTERS)


def plain_text_of(text: str) -> str:
    return plain_text_fallback(text, limits.UPDATE_TEXT_CHARACTERS)


def _now() -> float:
    return asyncio.get_running_loop().time()
