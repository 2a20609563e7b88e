"""Reading what a person wrote, by rules: is it a trouble or a question, and which points does it tell about."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from app.coaching.talk.cues import cues
from app.coaching.talk.state import Known, Point
from app.i18n.language import Language

_SENTENCE_END = re.compile(r"(?<=[。！？!?])\s*|(?<=[^0-9][.])\s+|\n+")
_NUMBERED = re.compile(r"^\s*(?:\(?([1-9])[.)．）:：、]|([①-⑨]))\s*")


class Intent(StrEnum):
    """What a message asks of the coach."""

    QUESTION = "question"
    TROUBLE = "trouble"


def intent_of(text: str, language: Language) -> Intent:
    """``TROUBLE`` when the person tells of a difficulty of their own, ``QUESTION`` when they want to know something.

    A message that does both, such as a difficulty followed by "what should I say?", is a question: an answer can always lead on
    to a talk, while a talk forced on somebody who wants an answer annoys.
    """
    folded, words = _folded(text), cues(language)
    asks = any(cue in folded for cue in words.asking) or folded.rstrip().endswith(("?", "か", "か。"))
    tells = any(cue in folded for cue in words.trouble)
    return Intent.TROUBLE if tells and not asks else Intent.QUESTION


def wants_plan_now(text: str, language: Language) -> bool:
    """Whether the person asks to skip the remaining questions."""
    return any(cue in _folded(text) for cue in cues(language).plan_now)


def statements_in(text: str, language: Language, *, asked: Sequence[Point], turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """What the message tells about the five points.

    Numbered lines answer the questions in their order. Otherwise a sentence belongs to the point its cue words name, preferring
    points that were asked about; a sentence without cues continues the one before it, or answers the first question. "I do not
    know" is an answer too: the question is not put again.
    """
    collected: dict[Point, list[str]] = {}
    current = asked[0] if asked else Point.PROBLEM
    numbered = len(asked) > 1 and any(_NUMBERED.match(line) for line in text.splitlines())
    for sentence in _sentences(text):
        position = _number_of(sentence) if numbered else None
        if position is not None and position <= len(asked):
            current = asked[position - 1]
        elif not numbered and len(asked) != 1:
            current = _point_of(sentence, language, asked=asked) or current
        collected.setdefault(current, []).append(_NUMBERED.sub("", sentence))
    if len(asked) == 1:
        _notice_other_points(collected, text, language, asked=asked[0])
    return tuple(Known(point, " ".join(parts), turn, stated_at) for point, parts in collected.items())


def _notice_other_points(collected: dict[Point, list[str]], text: str, language: Language, *, asked: Point) -> None:
    """An answer to one question often tells more: a goal with a date, the time there is."""
    for sentence in _sentences(text):
        point = _point_of(sentence, language, asked=())
        if point is not None and point is not asked:
            collected.setdefault(point, []).append(sentence)


def _point_of(sentence: str, language: Language, *, asked: Sequence[Point]) -> Point | None:
    folded = _folded(sentence)
    hits = {point: sum(cue in folded for cue in words) for point, words in cues(language).points.items()}
    best = max(hits.values())
    if best == 0:
        return None
    candidates = [point for point in Point if hits[point] == best]
    return next((point for point in candidates if point in asked), candidates[0])


def _sentences(text: str) -> list[str]:
    return [piece.strip() for piece in _SENTENCE_END.split(text) if piece and piece.strip()]


def _number_of(sentence: str) -> int | None:
    found = _NUMBERED.match(sentence)
    if not found:
        return None
    return int(found[1]) if found[1] else "①②③④⑤⑥⑦⑧⑨".index(found[2]) + 1


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
