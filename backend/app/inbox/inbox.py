"""What arrived, who is working on it, and what was said in return.

An event is stored once, together with its job. A worker claims it, and every later step carries the claim's epoch: when another
worker has claimed the event since (because this one seemed dead), the step changes nothing and :class:`LostClaim` is raised.
"""

import json
from datetime import timedelta
from typing import Self, TypeVar
from weakref import WeakSet

from app.core.encryption import Cipher
from app.core.errors import LostClaim
from app.core.metrics import inbox_undone
from app.inbox.claim import Claim
from app.inbox.envelope import (
    ClaimedEvent,
    DeadLetter,
    DoubtfulPart,
    Envelope,
    GivenUp,
    Queue,
    ReplyPart,
    StoredEvent,
    UnfinishedPart,
    WaitingEvent,
)
from app.inbox.group_commit import GroupCommit
from app.inbox.repository import InboxRepository
from app.storage.database import Database, Record, Session

T = TypeVar("T")

CONTENTS_KEPT = timedelta(days=30)
"""How long what people wrote stays in the inbox after it was dealt with."""


class Inbox:
    """The inbox of one process. To be closed, since storing keeps a connection of its own."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher
        self._commits = GroupCommit(database.url)
        self._finished: WeakSet[Claim] = WeakSet()  # by this process; an entry goes when its handler lets go of the claim

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Waits for what is being stored, then closes the connection."""
        await self._commits.close()

    async def store_once(self, envelope: Envelope) -> bool:
        """True for the first delivery; false for every redelivery, whichever worker received it.

        The row and its job are written by one statement: an event is never stored without somebody to answer it. Events that
        arrive together share one commit. ``StorageUnavailable`` within 2.5 s when PostgreSQL does not answer; the event may
        or may not be stored then, and the redelivery that Slack sends finds out.
        """
        return await self._commits.store(envelope, self._sealed(envelope))

    async def claim(self, inbox_id: int) -> ClaimedEvent | None:
        """The event, now ours and nobody else's; ``None`` when it is finished."""
        async with self._database.reading() as session:
            inbox = InboxRepository(session)
            row = await inbox.claim(inbox_id)
            if row is None:
                return None
            # Read after the claim stands: an overtaken worker may have written a part until then, and cannot any more. Before the
            # first claim there are no parts.
            parts = await inbox.parts(row["team_id"], inbox_id) if row["epoch"] > 1 else ()
        claim = Claim(row["team_id"], inbox_id, row["epoch"])
        return ClaimedEvent(
            claim=claim,
            envelope=self._opened(row),
            draft=self._cipher.decrypt(row["draft"], place=_draft_place(claim)) if row["draft"] else None,
            parts=parts,
            attempts=row["attempts"],
            received_at=row["received_at"],
            first_claimed_at=row["claimed_at"],
            given_up=GivenUp(row["reference"], row["outcome"]) if row["reference"] else None,
        )

    async def still_mine(self, claim: Claim) -> bool:
        """Whether the claim is still the newest one and the event unfinished."""
        async with self._database.reading() as session:
            return await InboxRepository(session).still_mine(claim)

    async def intend_part(self, claim: Claim, *, part: int, channel_id: str, thread_ts: str | None) -> ReplyPart:
        """Writes down that this part is about to be posted; an earlier intent of the same part is returned as it stands."""
        async with self._database.reading() as session:
            intended = await InboxRepository(session).intend_part(claim, part=part, channel_id=channel_id, thread_ts=thread_ts)
        return _unless_lost(intended, claim)

    async def record_part(self, claim: Claim, *, part: int, ts: str) -> str:
        """The ts that stands for this part from now on: ours, or the one another worker recorded before.

        ``LostClaim`` when the claim is lost and nothing is recorded: whoever holds the newer claim finds our message or
        posts one.
        """
        async with self._database.reading() as session:
            inbox = InboxRepository(session)
            recorded = await inbox.record_part(claim, part=part, ts=ts) or await inbox.ts_of_part(claim, part)
        return _unless_lost(recorded, claim)

    async def forget_part(self, claim: Claim, *, part: int, ts: str) -> None:
        """The message has vanished from Slack: the part is as if it had never been posted."""
        async with self._database.reading() as session:
            _demand(await InboxRepository(session).forget_part(claim, part=part, ts=ts), claim)

    async def finish_part(self, claim: Claim, *, part: int) -> None:
        """This part stands in Slack in its final form, and is not the last one (see :meth:`finish`)."""
        async with self._database.reading() as session:
            _demand(await InboxRepository(session).finish_part(claim, part), claim)

    async def keep_draft(self, session: Session, claim: Claim, text: str) -> None:
        """Keeps the finished answer, inside the caller's transaction; the first draft of an event stays."""
        sealed = self._cipher.encrypt(text, place=_draft_place(claim))
        _demand(await InboxRepository(session).keep_draft(claim, sealed), claim)

    async def finish(self, claim: Claim, *, outcome: str, reference: str | None = None, part: int | None = None) -> None:
        """The event is dealt with. ``outcome``: answered, explained, ignored, stopped, withdrawn or dead.

        ``part``: the last part of its reply, which stands in Slack in its final form.
        """
        async with self._database.reading() as session:
            _demand(await InboxRepository(session).finish(claim, outcome, reference, part), claim)
        self._finished.add(claim)

    async def finish_nameless(self, claim: Claim, *, outcome: str) -> None:
        """Like :meth:`finish`, and from now on the event neither names its person nor holds a word of theirs."""
        async with self._database.reading() as session:
            _demand(await InboxRepository(session).finish_nameless(claim, outcome), claim)
        self._finished.add(claim)

    async def finish_if_open(self, claim: Claim, *, outcome: str, reference: str | None = None) -> None:
        """Like :meth:`finish`, but an event that is finished already, or not ours any more, is left alone."""
        if claim in self._finished:
            return
        async with self._database.reading() as session:
            await InboxRepository(session).finish(claim, outcome, reference)

    async def give_up(self, claim: Claim, *, outcome: str, reference: str) -> None:
        """There will be no answer; from now on every attempt only explains. The reference stays the same for all of them."""
        async with self._database.reading() as session:
            _demand(await InboxRepository(session).give_up(claim, outcome, reference), claim)

    async def waiting_long(self, longer_than: timedelta) -> list[WaitingEvent]:
        """Questions that have waited that long behind others. Each is given out once, to one process."""
        async with self._database.reading() as session:
            rows = await InboxRepository(session).waiting_long(longer_than)
        return [WaitingEvent(self._opened(row), row["place"]) for row in rows]

    async def purge(self) -> int:
        """Empties envelopes and drafts that are old enough; how many. The rows stay: they tell redeliveries apart."""
        async with self._database.reading() as session:
            return await InboxRepository(session).purge(CONTENTS_KEPT)

    async def dead_letters(self, team_id: str, *, limit: int = 50) -> list[DeadLetter]:
        """What could not be dealt with, newest first."""
        async with self._database.reading() as session:
            return await InboxRepository(session).dead_letters(team_id, limit)

    async def queue(self) -> Queue:
        """How the work of all workspaces stands; also what ``/metrics`` shows of it."""
        async with self._database.reading() as session:
            queue = await InboxRepository(session).queue()
        inbox_undone.set(queue.undone)
        return queue

    async def replace_waiting_text(self, *, team_id: str, channel_id: str, message_ts: str, text: str) -> bool:
        """A message was edited before anybody began to answer it: the new text is answered. False when it is too late."""
        async with self._database.transaction() as session:
            inbox = InboxRepository(session)
            row = await inbox.waiting_message(team_id, channel_id, message_ts)
            if row is None:
                return False
            place = _envelope_place(team_id, row["event_id"])
            body = _with_text(self._cipher.decrypt(row["envelope"], place=place), text)
            await inbox.replace_envelope(row["id"], team_id, self._cipher.encrypt(body, place=place))
        return True

    async def withdraw_waiting(self, *, team_id: str, channel_id: str, message_ts: str) -> bool:
        """A message was deleted before anybody began to answer it: it is not answered. False when it is too late."""
        async with self._database.reading() as session:
            return await InboxRepository(session).withdraw(team_id, channel_id, message_ts)

    async def store_retry(self, inbox_id: int, *, team_id: str, user_id: str, wish: str = "retry") -> bool:
        """Stores a finished event anew, for the retry button and its like. Only the person who asked may press it.

        ``wish`` tells what is to become of the message this time; it comes back in the payload under that name. Each event can
        be stored again once per wish (the new one has buttons of its own), so that a double click asks once.
        False when that has happened, or when the event is unfinished, too old, or not this person's.
        """
        async with self._database.reading() as session:
            row = await InboxRepository(session).finished_event(inbox_id, team_id)
        if row is None or row["user_id"] != user_id:
            return False
        body = self._cipher.decrypt(row["envelope"], place=_envelope_place(team_id, row["event_id"]))
        if wish != "retry":
            body = json.dumps({**json.loads(body), "wish": wish}, ensure_ascii=False, separators=(",", ":"))
        return await self.store_once(
            Envelope(
                team_id=team_id, event_id=f"{wish}:{inbox_id}", kind="retry", conversation=row["conversation"],
                channel_id=row["channel_id"], message_ts=None, user_id=row["user_id"], body=body.encode(),
            )
        )  # fmt: skip

    async def event_of_message(self, team_id: str, channel_id: str, ts: str) -> StoredEvent | None:
        """The event that a message of ours answers."""
        async with self._database.reading() as session:
            return await InboxRepository(session).event_of_message(team_id, channel_id, ts)

    async def event_by_id(self, team_id: str, event_id: str) -> StoredEvent | None:
        """The event that was stored under Slack's id."""
        async with self._database.reading() as session:
            return await InboxRepository(session).event_by_id(team_id, event_id)

    async def unfinished_parts(self, older_than: timedelta, *, limit: int = 100) -> list[UnfinishedPart]:
        """Parts that were begun that long ago and not finished, oldest first, of all workspaces: for the janitor."""
        async with self._database.reading() as session:
            return await InboxRepository(session).unfinished_parts(older_than, limit)

    async def doubtful_parts(self, *, done_within: timedelta, settled_for: timedelta, limit: int = 200) -> list[DoubtfulPart]:
        """Parts of events that were finished lately and claimed more than once, or that were left unfinished: a worker that was
        overtaken may have left something of them in Slack. ``settled_for``: how long the event has been finished.
        """
        async with self._database.reading() as session:
            return await InboxRepository(session).doubtful_parts(done_within, settled_for, limit)

    def _opened(self, row: Record) -> Envelope:
        body = self._cipher.decrypt(row["envelope"], place=_envelope_place(row["team_id"], row["event_id"]))
        return Envelope(
            team_id=row["team_id"], event_id=row["event_id"], kind=row["kind"], conversation=row["conversation"],
            channel_id=row["channel_id"], message_ts=row["message_ts"], user_id=row["user_id"], body=body.encode(),
        )  # fmt: skip

    def _sealed(self, envelope: Envelope) -> bytes:
        return self._cipher.encrypt(envelope.body.decode(), place=_envelope_place(envelope.team_id, envelope.event_id))


def _envelope_place(team_id: str, event_id: str) -> str:
    return f"{team_id}|inbox|{event_id}"


def _draft_place(claim: Claim) -> str:
    return f"{claim.team_id}|inbox draft|{claim.inbox_id}"


def _with_text(body: str, text: str) -> str:
    """Slack's payload with another text; the rich-text copy in ``blocks`` goes, since it would contradict it."""
    payload = json.loads(body)
    event = payload.setdefault("event", {})
    event["text"] = text
    event.pop("blocks", None)
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _demand(is_ours: bool, claim: Claim) -> None:  # noqa: FBT001
    _unless_lost(is_ours or None, claim)


def _unless_lost(value: T | None, claim: Claim) -> T:
    if value is None:
        raise LostClaim(f"inbox {claim.inbox_id} was taken over from epoch {claim.epoch}")
    return value
