"""Insights without a model: sentences in which people speak of themselves, by the words they use. Deterministic."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from app.coaching.choose_skill import GENERAL, choose_skill
from app.coaching.fence import shortened, visible_text
from app.coaching.memory.insight import LONGEST_TEXT, Insight, Kind
from app.coaching.memory.instruction_like import is_instruction_like
from app.coaching.remark import folded_text

CONFIDENCE = 0.6
SHORTEST = 6
LONGEST_SUMMARY = 600
LONGEST_LINE = 100
MOST_INSIGHTS = 12

_DATA = Path(__file__).with_name("cues.toml")
_SENTENCE_END = re.compile(r"(?<=[。！？!?\n])|(?<=\.)(?=\s)")
_NOT_A_LETTER = re.compile(r"[\W_]+")
# A question asks about something; what it mentions need not be so.
_QUESTION = re.compile(r"(?:[?？]|ですか|ますか|でしょうか|教えてください|ください|吗|呢)[。.!！]?\s*$")


@dataclass(frozen=True)
class Statement:
    """One turn of the person's own."""

    message_id: int
    text: str
    said_at: datetime


def insights_by_rules(statements: Sequence[Statement], *, session_id: str) -> list[Insight]:
    """At most :data:`MOST_INSIGHTS`, the latest; in the order in which they were said."""
    found = [
        Insight(
            kind=kind, text=shortened(sentence, LONGEST_TEXT), confidence=CONFIDENCE, observed_at=statement.said_at,
            evidence=shortened(sentence, LONGEST_TEXT), skill=_skill(sentence), session_id=session_id,
            message_id=statement.message_id,
        )
        for statement in statements
        for sentence in sentences_of(statement.text)
        if (kind := _kind(sentence)) is not None and not is_instruction_like(sentence)
    ]  # fmt: skip
    return found[-MOST_INSIGHTS:]


def summary_by_rules(statements: Sequence[Statement], *, before: str = "") -> str:
    """What the person said, one line a turn, the latest kept; ``before`` is the summary so far."""
    lines = [line for line in before.splitlines() if line.strip()]
    for statement in statements:
        told = " ".join(sentence for sentence in sentences_of(statement.text, shortest=2) if not is_instruction_like(sentence))
        if told:
            lines.append(f"- {shortened(told, LONGEST_LINE)}")
    while sum(map(len, lines)) > LONGEST_SUMMARY and len(lines) > 1:
        lines.pop(0)
    return "\n".join(lines)


def ends_talk(text: str) -> bool:
    """The person says that they are finished."""
    data = _data()["ending"]
    folded = folded_text(text).strip()
    return len(_NOT_A_LETTER.sub("", folded)) <= data["longest"] and any(re.search(one, folded) for one in data["patterns"])


def sentences_of(text: str, *, shortest: int = SHORTEST) -> Iterator[str]:
    """In the person's own words, without line ends."""
    for piece in _SENTENCE_END.split(visible_text(text)):
        sentence = " ".join(piece.split())
        if len(sentence) >= shortest:
            yield sentence


def _kind(sentence: str) -> Kind | None:
    folded = folded_text(sentence)
    if _QUESTION.search(folded):
        return None
    return next((kind for kind, pattern in _patterns() if pattern.search(folded)), None)


def _skill(sentence: str) -> str | None:
    skill = choose_skill(sentence)
    return None if skill == GENERAL else skill


@cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    return tuple((Kind(one["kind"]), re.compile("|".join(one["patterns"]))) for one in _data()["kinds"])


@cache
def _data() -> dict:  # type: ignore[type-arg]
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))
