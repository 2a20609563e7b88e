"""How far a skill has come, from evidence, and how sure one can be of it.

The level is the mean of a Beta distribution whose two counts are the evidence shown and not shown, each piece fading with its
age (the Beta reputation system with a forgetting factor: A. Jøsang and R. Ismail, "The Beta Reputation System", 15th Bled
Electronic Commerce Conference, 2002)::

    shown(t)  = Σ weight · value · 2^(-age/HALF_LIFE)         level(t)  = (PRIOR_SHOWN + shown) / (PRIOR_ALL + all)
    all(t)    = Σ weight ·         2^(-age/HALF_LIFE)         spread(t) = the distribution's standard deviation

The prior is sceptical: without evidence a quarter, so a skill is shown before it is believed. What nobody has practised for long
drifts back towards it. People read one of five steps, never the number; below ENOUGH_PIECES or ENOUGH_SUPPORT they read that
there is too little to say. A level describes what the coach has seen of a behaviour. It is no measure of a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from math import fsum, sqrt

from app.coaching.growth.repository import Evidence

HALF_LIFE = timedelta(days=90)  # about a quarter: older practice counts half
PRIOR_SHOWN, PRIOR_ALL = 1.0, 4.0
ENOUGH_PIECES = 3
ENOUGH_SUPPORT = 1.5  # what the pieces still weigh
NOTABLE_CHANGE = 0.05


class Step(IntEnum):
    """A level as people read it."""

    BEGINNING = 1
    TRYING = 2
    GROWING = 3
    ABLE = 4
    STEADY = 5


LEVEL_OF_STEP = {Step.BEGINNING: 0.0, Step.TRYING: 0.35, Step.GROWING: 0.5, Step.ABLE: 0.65, Step.STEADY: 0.8}
"""Where each step begins."""


class Trend(StrEnum):
    """Where a level has moved."""

    UP = "up"
    STEADY = "steady"
    DOWN = "down"
    UNKNOWN = "unknown"  # too little is known now or was known then


@dataclass(frozen=True)
class Level:
    """A skill at one moment. ``pieces``: observations until then; ``support``: what they still weigh."""

    mean: float
    spread: float
    pieces: int
    support: float

    @property
    def is_known(self) -> bool:
        """Whether there is enough to say anything."""
        return self.pieces >= ENOUGH_PIECES and self.support >= ENOUGH_SUPPORT

    @property
    def step(self) -> Step | None:
        """``None`` while too little is known."""
        return max(step for step, start in LEVEL_OF_STEP.items() if self.mean >= start) if self.is_known else None


def level_at(evidence: Iterable[Evidence], moment: datetime) -> Level:
    """What one skill's evidence says at ``moment``; what was observed later is not looked at. The order does not matter."""
    seen = [piece for piece in evidence if piece.observed_at <= moment]
    weights = [piece.weight * _freshness(moment - piece.observed_at) for piece in seen]
    support = fsum(weights)
    shown = PRIOR_SHOWN + fsum(weight * piece.value for weight, piece in zip(weights, seen, strict=True))
    total = PRIOR_ALL + support
    mean = shown / total
    return Level(mean, sqrt(mean * (1 - mean) / (total + 1)), len(seen), support)


def course(evidence: Sequence[Evidence], moments: Iterable[datetime]) -> tuple[Level, ...]:
    """One skill's level at each of the moments."""
    return tuple(level_at(evidence, moment) for moment in moments)


def trend(before: Level, now: Level) -> Trend:
    """A change that is worth a word; small movements are steady."""
    if not (before.is_known and now.is_known):
        return Trend.UNKNOWN
    change = now.mean - before.mean
    if abs(change) < NOTABLE_CHANGE:
        return Trend.STEADY
    return Trend.UP if change > 0 else Trend.DOWN


def on_steps(mean: float) -> float:
    """Where a mean stands on a scale of five equal steps, 0 to 1: what a picture shows, since people read steps."""
    starts = [*LEVEL_OF_STEP.values(), 1.0]
    place = max(number for number, start in enumerate(starts[:-1]) if mean >= start or number == 0)
    inside = (min(max(mean, 0.0), 1.0) - starts[place]) / (starts[place + 1] - starts[place])
    return (place + inside) / len(LEVEL_OF_STEP)


def _freshness(age: timedelta) -> float:
    return float(0.5 ** (age / HALF_LIFE))
