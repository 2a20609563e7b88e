"""What a use case is asked, and what it gives back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.dialogue.conversation import Conversation
from app.i18n.language import Language
from app.inbox.claim import Claim
from app.knowledge.passage import Passage
from app.people.person import Actor, Person


@dataclass(frozen=True)
class Question:
    """Something a person wrote to the coach. ``text`` has the bot's mention removed and is otherwise as typed.

    ``is_heard_elsewhere``: people of another company read along, so the answer holds nothing of what this one knows.
    ``is_first``: nothing can have been said in its conversation before.
    """

    speaker: Person
    conversation: Conversation
    text: str
    asked_at: datetime
    language: Language
    claim: Claim
    is_heard_elsewhere: bool = False
    is_first: bool = False

    @property
    def actor(self) -> Actor:
        """Who asks, and whether others will read the answer."""
        where = self.conversation
        return Actor(
            self.speaker.team_id,
            self.speaker.user_id,
            self.speaker.standing,
            is_private=where.is_direct,
            channel_id=None if where.is_direct else where.channel_id,
            is_external=self.speaker.is_external or self.is_heard_elsewhere,
        )


@dataclass(frozen=True)
class Answer:
    """A finished answer. ``sources`` are the passages it cites, in order of first use."""

    text: str
    language: Language
    sources: tuple[Passage, ...]
    is_by_rules: bool
    model: str
    skill: str
    found_nothing: bool = False


class AnswerSink(Protocol):
    """Takes the answer's text while it is written. Both calls return at once; showing happens elsewhere."""

    def write(self, text: str) -> None:
        """The next piece."""

    def start_over(self) -> None:
        """Everything written so far is void."""
