"""What the coach remembers of a person: one observation, who stated it, and where it was said."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.embeddings.embedder import Vectors

LONGEST_TEXT = 200


class Kind(StrEnum):
    """What an insight is about."""

    CHALLENGE = "challenge"
    STRENGTH = "strength"
    PREFERENCE = "preference"
    PROGRESS = "progress"
    GOAL = "goal"
    FACT = "fact"


# There is one at a time about each subject: what is said later replaces what was said before.
REPLACED_BY_NEWER = frozenset({Kind.PREFERENCE, Kind.GOAL})


class StatedBy(StrEnum):
    """Who says so."""

    COACH = "coach"  # extracted from a talk
    PERSON = "person"  # corrected by the person themselves


@dataclass(frozen=True)
class Insight:
    """One observation. ``evidence`` is in the person's own words; ``message_id`` is the turn that holds them.

    ``id`` is 0 before it is stored. ``superseded_by`` is the id of the insight that says it now.
    """

    kind: Kind
    text: str
    confidence: float
    observed_at: datetime
    subject: str = ""
    evidence: str = ""
    skill: str | None = None
    stated_by: StatedBy = StatedBy.COACH
    session_id: str | None = None
    message_id: int | None = None
    id: int = 0
    superseded_by: int | None = None


@dataclass(frozen=True)
class Vector:
    """What an insight means, as one model sees it. Those of different models are never compared."""

    model: str
    values: Vectors
