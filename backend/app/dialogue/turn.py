"""What was said: turns, the talk they belong to, and one exchange of question and answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.dialogue.conversation import Conversation
from app.i18n.language import Language
from app.llm.interface import ModelCall


class TurnRole(StrEnum):
    """Who said a turn."""

    SPEAKER = "speaker"
    COACH = "coach"


@dataclass(frozen=True)
class Turn:
    """One thing that was said. ``user_id`` is the person who spoke, or who was answered."""

    role: TurnRole
    text: str
    user_id: str
    skill: str | None = None


@dataclass(frozen=True)
class Talk:
    """A conversation as far as the coach needs it: its language, once known, and its latest turns, oldest first.

    ``last_turn_id`` is 0 before the first turn. It tells whether a remembered talk is still the whole of it. ``summary`` is what
    was said before the latest turns, once somebody has summed it up.
    """

    language: Language | None = None
    turns: tuple[Turn, ...] = ()
    last_turn_id: int = 0
    summary: str = ""

    @property
    def last_skill(self) -> str | None:
        """The skill of the coach's latest turn."""
        return next((turn.skill for turn in reversed(self.turns) if turn.role is TurnRole.COACH), None)


@dataclass(frozen=True)
class Citation:
    """A place in the company's knowledge that an answer names: the n-th is ``[n]``."""

    entry_id: int
    heading: str = ""


@dataclass(frozen=True)
class MadeWith:
    """What an answer was made of, for whoever asks why. Ids and names, no texts of people."""

    model: str = ""
    prompt_version: str = ""
    is_by_rules: bool = False
    found_nothing: bool = False
    memories: tuple[int, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True)
class RecordedAnswer:
    """One answer of the past with all that stood around it. ``user_id`` is who was answered."""

    inbox_id: int
    user_id: str
    text: str
    language: Language
    skill: str
    made_with: MadeWith
    said_at: datetime


@dataclass(frozen=True)
class Exchange:
    """One question, its answer and what the answer cost: written together or not at all.

    ``language`` is that of the answer; ``thread_language`` becomes the conversation's own if it has none yet (``None``: the
    question does not show any). ``ends_talk``: the person said that they are finished.
    """

    conversation: Conversation
    inbox_id: int
    user_id: str
    question: str
    answer: str
    language: Language
    skill: str
    sources: tuple[int, ...]
    asked_at: datetime
    answered_at: datetime
    calls: tuple[ModelCall, ...] = ()
    thread_language: Language | None = None
    made_with: MadeWith = MadeWith()
    ends_talk: bool = False

    @property
    def turns(self) -> tuple[Turn, Turn]:
        return (
            Turn(TurnRole.SPEAKER, self.question, self.user_id),
            Turn(TurnRole.COACH, self.answer, self.user_id, self.skill),
        )


@dataclass(frozen=True)
class Recorded:
    """Where an exchange stands now: the conversation's last turn before it (0: none) and after it."""

    session_id: str
    language: Language | None
    last_turn_before: int
    last_turn_id: int


@dataclass(frozen=True)
class Undigested:
    """A session at rest that has not been learnt from. Everything up to ``digested_until`` was digested before."""

    session_id: str
    conversation: Conversation
    language: Language | None
    digested_until: int
    summary: str


@dataclass(frozen=True)
class StoredTurn:
    """A turn with its place in the store."""

    id: int
    role: TurnRole
    user_id: str
    text: str
    said_at: datetime


@dataclass(frozen=True)
class PastSession:
    """One line of somebody's history."""

    session_id: str
    title: str
    conversation: Conversation
    language: Language | None
    started_at: datetime
    last_turn_at: datetime
    turn_count: int
