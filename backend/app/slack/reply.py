"""A reply: the answer that appears exactly once, however often its event is worked on.

``show_work`` begins the message while the model is asked; ``write`` collects what the model says, and one task shows it at
Slack's pace; ``finish`` makes every message of the reply final and the event done. What happens in between (a crash, a lost
answer, another worker taking over, a person pressing stop) is dealt with here and in ``placement`` and ``streaming``.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from app.core.clock import Clock, SystemClock
from app.core.errors import LostClaim, SlackRefused
from app.core.metrics import answer_seconds, first_sign_seconds, first_words_seconds
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import ClaimedEvent
from app.slack import limits
from app.slack.client import SlackClient, still_wanted
from app.slack.markdown import LinkPolicy, StreamSanitizer, sanitize, split_for_slack
from app.slack.placement import Placement, ReplyAddress, ReplyLedger, metadata_of
from app.slack.streaming import LiveMessage, OpenStreams, Pace, SharedLimits, post

__all__ = ["Reply", "ReplyAddress", "ReplyDesk"]

logger = logging.getLogger(__name__)
Json = dict[str, Any]
T = TypeVar("T")


class Stops(Protocol):
    """Hears when a person stops a conversation."""

    def watch(self, conversation: str) -> contextlib.AbstractAsyncContextManager[asyncio.Event]: ...


class ReplyDesk:
    """Opens replies. One per process, so that it knows how many of them are streaming."""

    def __init__(
        self, client: SlackClient, ledger: ReplyLedger, stops: Stops, shared: SharedLimits, *,
        link_hosts: frozenset[str] = frozenset(), clock: Clock | None = None, budget: limits.SharedBudget | None = None,
        pace: Pace | None = None,
    ) -> None:  # fmt: skip
        self._client = client
        self._ledger = ledger
        self._stops = stops
        self._shared = shared
        self._link_hosts = link_hosts
        self._clock = clock or SystemClock()
        self._budget = budget or limits.SharedBudget()
        self._pace = pace or Pace()
        self._open_streams = OpenStreams()

    def open(self, claimed: ClaimedEvent, address: ReplyAddress, language: Language) -> "Reply":
        """To be used as an async context manager. Leaving it without ``finish`` leaves the rest to the next attempt."""
        placement = Placement(self._client, self._ledger, claimed, address)
        live = LiveMessage(
            self._client, placement, address, inbox_id=claimed.claim.inbox_id, language=language, shared=self._shared,
            budget=self._budget, open_streams=self._open_streams, pace=self._pace,
        )  # fmt: skip
        links = LinkPolicy(self._link_hosts, message("reply.link_removed", language))
        return Reply(
            claimed, address, language, client=self._client, ledger=self._ledger, stops=self._stops, placement=placement,
            live=live, links=links, clock=self._clock,
        )  # fmt: skip


class Reply:
    """The sink of one answer, and its end. Made by :class:`ReplyDesk`."""

    def __init__(
        self, claimed: ClaimedEvent, address: ReplyAddress, language: Language, *, client: SlackClient, ledger: ReplyLedger,
        stops: Stops, placement: Placement, live: LiveMessage, links: LinkPolicy, clock: Clock,
    ) -> None:  # fmt: skip
        self.text_kept = claimed.draft
        self._claimed = claimed
        self._address = address
        self._language = language
        self._client = client
        self._ledger = ledger
        self._stops = stops
        self._placement = placement
        self._live = live
        self._links = links
        self._clock = clock
        self._new: list[str] = []
        self._written: list[str] = []
        self._sanitizer = StreamSanitizer(links)
        self._safe = ""
        self._has_shown_words = False
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._before: Token[Callable[[], Awaitable[None]] | None]

    async def __aenter__(self) -> Self:
        self._before = still_wanted.set(self._placement.fence)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        still_wanted.reset(self._before)
        if self._writer is not None and not self._writer.done():
            if isinstance(error, Exception):
                # A message that is just being begun is written down first: the apology that follows takes it over.
                self._closing.set()
                self._changed.set()
                await asyncio.wait([self._writer])
            self._writer.cancel()
        if self._writer is not None:
            await asyncio.wait([self._writer])
            # Its failure was raised by `finish` or `until_stopped`; whoever leaves without them has an error of their own.
            _ = self._writer.cancelled() or self._writer.exception()
        self._live.abandon()

    @property
    def text_written(self) -> str:
        """What the model has said so far, in its own words."""
        return "".join(self._written)

    async def show_work(self) -> None:
        """Begins the message in a task of the reply's own: nothing waits for Slack here."""
        if self._writer is None:
            self._writer = asyncio.create_task(self._show(), name=f"reply {self._claimed.claim.inbox_id}")

    def write(self, text: str) -> None:
        self._new.append(text)
        self._changed.set()

    def start_over(self) -> None:
        self._new.clear()
        self._written.clear()
        self._sanitizer = StreamSanitizer(self._links)
        self._safe = ""

    async def until_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of ``work``; ``None`` when the person pressed stop: the reply is finished then, with what was written.

        When it becomes certain that this worker will not show anything (the claim is lost, Slack refuses for good), the work is
        cancelled and the reason raised.
        """
        async with self._stops.watch(self._claimed.envelope.conversation) as stopped:
            working = asyncio.ensure_future(work)
            try:
                await self._wait_for_any(working, stopped)
            except BaseException:
                await _cancel(working)
                raise
            if working.done():
                return working.result()
            await _cancel(working)
        await self._finish_stopped()
        return None

    async def finish(self, text: str, *, blocks: Sequence[Json], outcome: str = "answered", reference: str | None = None) -> None:
        """Makes ``text`` the whole reply, with ``blocks`` under its end, and the event done."""
        await self._let_writer_end()
        parts = split_for_slack(self._final(text), limits.PART_CHARACTERS)
        last = len(parts) - 1
        for number, part in enumerate(parts):
            if not self._placement.is_finished(number):
                await self._show_part(number, part, blocks if number == last else ())
                if number < last:
                    await self._ledger.finish_part(self._claimed.claim, part=number)
        await self._ledger.finish(self._claimed.claim, outcome=outcome, reference=reference, part=last)
        answer_seconds.observe(self._age())

    # While the answer is being written

    async def _show(self) -> None:
        """The one task that shows anything before the end."""
        await self._live.begin()
        first_sign_seconds.observe(self._age())
        while not self._closing.is_set():
            await self._changed.wait()
            self._changed.clear()
            await self._until_due()
            if self._closing.is_set() or not self._live.shows_growth:
                return
            await self._live.grow(self._safe_so_far())
            if self._live.has_words and not self._has_shown_words:
                self._has_shown_words = True
                first_words_seconds.observe(self._age())
            if self._live.was_stopped_by_person:
                return

    async def _until_due(self) -> None:
        # Not woken by every piece: there may be hundreds in this time.
        if (wait := self._live.seconds_until_due()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._closing.wait()

    def _safe_so_far(self) -> str:
        if self._new:
            piece = "".join(self._new)
            self._new.clear()
            self._written.append(piece)
            self._safe += self._sanitizer.feed(piece)
        return self._safe

    async def _wait_for_any(self, working: "asyncio.Future[Any]", stopped: asyncio.Event) -> None:
        """Until the work is done, or is to be stopped; raises what makes it pointless."""
        async with _watching(stopped) as stop:
            waiting: set[asyncio.Future[Any]] = {working, stop}
            if self._writer is not None:
                waiting.add(self._writer)
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if working in done or stop in done:
                    return
                if self._live.was_stopped_by_person:
                    return
                self._raise_if_pointless()

    def _raise_if_pointless(self) -> None:
        writer = self._writer
        if writer is None or not writer.done() or writer.cancelled():
            return
        error = writer.exception()
        if isinstance(error, (LostClaim, SlackRefused)):
            raise error

    # The end

    async def _let_writer_end(self) -> None:
        """What the writer ran into is raised when it is final; what may have passed is tried again by the end itself."""
        self._closing.set()
        self._changed.set()
        if self._writer is not None:
            await asyncio.wait([self._writer])
            self._raise_if_pointless()

    def _final(self, text: str) -> str:
        self._safe_so_far()
        if text == "".join(self._written):
            return self._safe + self._sanitizer.finish()
        return sanitize(text, self._links)

    async def _show_part(self, number: int, text: str, blocks: Sequence[Json]) -> None:
        if number == 0:
            return await self._live.end(text, blocks)

        async def post_part() -> str:
            metadata = metadata_of(self._claimed.claim.inbox_id, number)
            return await post(self._client, self._address, text, blocks, metadata=metadata)

        # A part is posted complete: one that stands needs nothing more.
        await self._placement.place(number, post_part)
        return None

    async def _finish_stopped(self) -> None:
        await self._let_writer_end()
        self._safe_so_far()
        said = "".join(self._written).rstrip()
        note = message("reply.stopped", self._language)
        await self.finish(f"{said}\n\n{note}" if said else note, blocks=(), outcome="stopped")
        await self._live.clear_session()

    def _age(self) -> float:
        return max(0.0, (self._clock.now() - self._claimed.received_at).total_seconds())


@contextlib.asynccontextmanager
async def _watching(event: asyncio.Event) -> AsyncIterator["asyncio.Task[bool]"]:
    task = asyncio.create_task(event.wait(), name="stopped?")
    try:
        yield task
    finally:
        await _cancel(task)


async def _cancel(future: "asyncio.Future[Any]") -> None:
    """Waits until it has really ended, whatever its end is: it has been decided that nobody wants its result."""
    if not future.done():
        future.cancel()
        await asyncio.wait([future])
    if not future.cancelled():
        future.exception()
