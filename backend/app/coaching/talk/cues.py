"""The words by which sentences are recognised without a model."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.coaching.talk.state import Point
from app.i18n.language import Language

CUES_FILE = Path(__file__).with_name("cues.toml")


@dataclass(frozen=True)
class Cues:
    """Cue words of one language, lower-case. ``harmless`` ones only look like words of trouble."""

    trouble: tuple[str, ...]
    harmless: tuple[str, ...]
    at_a_loss: re.Pattern[str]
    asking: tuple[str, ...]
    no_answer: tuple[str, ...]
    plan_now: tuple[str, ...]
    correction: tuple[str, ...]
    withdraw: tuple[str, ...]
    points: dict[Point, tuple[str, ...]]


def places_of(words: Iterable[str], folded: str) -> list[int]:
    """Where each of the words that the text has stands first. "time" is in "time-box", not in "sometimes"."""
    return [found.start() for word in words if (found := _pattern(word).search(folded))]


def has_any(words: Iterable[str], folded: str) -> bool:
    """Whether the text has one of the words."""
    return any(_pattern(word).search(folded) for word in words)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}" if word[0].isascii() and word[0].isalpha() else re.escape(word), re.ASCII)


@cache
def cues(language: Language) -> Cues:
    """The cue words of a language, read once."""
    table = tomllib.loads(CUES_FILE.read_text(encoding="utf-8"))[language.value]
    return Cues(
        trouble=tuple(table["trouble"]),
        harmless=tuple(table["harmless"]),
        at_a_loss=re.compile("|".join(table["at_a_loss"])),
        asking=tuple(table["asking"]),
        no_answer=tuple(table["no_answer"]),
        plan_now=tuple(table["plan_now"]),
        correction=tuple(table["correction"]),
        withdraw=tuple(table["withdraw"]),
        points={Point(name): tuple(words) for name, words in table["points"].items()},
    )
