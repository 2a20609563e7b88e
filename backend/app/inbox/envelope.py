"""What arrives from Slack, and what a worker gets to work on."""

from dataclasses import dataclass
from datetime import datetime

from app.inbox.claim import Claim


@dataclass(frozen=True)
class Envelope:
    """One delivery as the edge stores it. ``body`` is Slack's JSON; a command's form comes as JSON too."""

    team_id: str
    event_id: str
    kind: str
    conversation: str
    channel_id: str | None
    message_ts: str | None
    user_id: str | None
    body: bytes


@dataclass(frozen=True)
class ReplyPart:
    """One message of a reply. Without ``ts`` it was meant to be posted and may or may not stand in Slack."""

    part: int
    channel_id: str
    thread_ts: str | None
    ts: str | None
    intended_at: datetime
    is_finished: bool


@dataclass(frozen=True)
class GivenUp:
    """An earlier attempt decided that there will be no answer; the person has yet to be told, with this reference."""

    reference: str
    outcome: str


@dataclass(frozen=True)
class ClaimedEvent:
    """An event that is ours to answer. ``attempts`` counts this one; ``draft`` is the answer an earlier one paid for."""

    claim: Claim
    envelope: Envelope
    draft: str | None
    parts: tuple[ReplyPart, ...]
    attempts: int
    received_at: datetime
    first_claimed_at: datetime
    given_up: GivenUp | None = None


@dataclass(frozen=True)
class UnfinishedPart:
    """A part of a reply that was begun and not finished. ``is_done`` tells whether its event is finished all the same."""

    team_id: str
    inbox_id: int
    event_id: str
    is_done: bool
    part: ReplyPart


@dataclass(frozen=True)
class StoredEvent:
    """Which event a message in Slack belongs to."""

    inbox_id: int
    team_id: str
    event_id: str
    conversation: str
    user_id: str | None
    is_done: bool


@dataclass(frozen=True)
class WaitingEvent:
    """An event that nobody has begun to answer, with the number of events before it."""

    envelope: Envelope
    place: int


LONGEST_PROMISED_WAIT = 150.0  # seconds


@dataclass(frozen=True)
class Queue:
    """Events that wait or are being answered; seconds since the oldest came; workers with a heartbeat in the last 20 s."""

    undone: int
    oldest_seconds: float
    workers: int

    @property
    def moves(self) -> bool:
        """Somebody works, and nothing waits longer than anybody is promised to."""
        return self.workers > 0 and self.oldest_seconds < LONGEST_PROMISED_WAIT


@dataclass(frozen=True)
class DeadLetter:
    """An event that could not be dealt with: for operators."""

    inbox_id: int
    event_id: str
    kind: str
    reference: str | None
    attempts: int
    received_at: datetime
    done_at: datetime


@dataclass(frozen=True)
class DoubtfulPart:
    """A part of a finished event that may have a twin in Slack, or that never became final."""

    team_id: str
    inbox_id: int
    part: ReplyPart
