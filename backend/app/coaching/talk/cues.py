"""The words by which sentences are recognised without a model."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.coaching.talk.state import Point
from app.i18n.language import Language

CUES_FILE = Path(__file__).with_name("cues.toml")


@dataclass(frozen=True)
class Cues:
    """Cue words of one language, lower-case."""

    trouble: tuple[str, ...]
    asking: tuple[str, ...]
    no_answer: tuple[str, ...]
    plan_now: tuple[str, ...]
    correction: tuple[str, ...]
    withdraw: tuple[str, ...]
    points: dict[Point, tuple[str, ...]]


@cache
def cues(language: Language) -> Cues:
    """The cue words of a language, read once."""
    table = tomllib.loads(CUES_FILE.read_text(encoding="utf-8"))[language.value]
    return Cues(
        trouble=tuple(table["trouble"]),
        asking=tuple(table["asking"]),
        no_answer=tuple(table["no_answer"]),
        plan_now=tuple(table["plan_now"]),
        correction=tuple(table["correction"]),
        withdraw=tuple(table["withdraw"]),
        points={Point(name): tuple(words) for name, words in table["points"].items()},
    )
