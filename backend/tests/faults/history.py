"""Judges what people saw: every accepted question has exactly one whole answer, and nothing changes after it is done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question with what its answer has to contain. ``done_at`` is when the event was finished, ``None`` while it is not."""

    question: str
    ts: str
    is_accepted: bool
    answers: Sequence[str]
    """Texts of the application's messages after it in its thread."""
    is_settled: bool
    marks: tuple[str, str]
    """First and last words of the whole answer."""
    other_ends: tuple[str, ...] = ()
    """Words of what may stand there instead: an explanation, or an answer without the model."""


def violations_of(asked: Iterable[Asked]) -> list[str]:
    """One line for each broken promise; empty when all is well."""
    return [line for one in asked for line in _violations(one)]


def _violations(one: Asked) -> list[str]:
    if not one.is_accepted:
        return [] if len(one.answers) <= 1 else [f"{one.question}: answered {len(one.answers)} times"]
    if not one.answers:
        return [f"{one.question}: lost"]
    if len(one.answers) > 1:
        return [f"{one.question}: answered {len(one.answers)} times"]
    if not one.is_settled:
        return [f"{one.question}: still being written"]
    [text] = one.answers
    if any(words in text for words in one.other_ends):
        return []
    first, last = one.marks
    if first not in text or last not in text:
        return [f"{one.question}: not whole: {text[:60]!r}"]
    return []


def changed_after_the_end(visible: Iterable[Json], done_at: Mapping[tuple[str, str], float]) -> list[str]:
    """Messages (by channel and ts) that were changed or removed after their event was finished."""
    return [
        f"{entry['channel']} {entry['ts']}: {entry['change']} {entry['at'] - done_at[key]:.3f} s after the end"
        for entry in visible
        if (key := (str(entry.get("channel")), str(entry.get("ts")))) in done_at and entry["at"] > done_at[key] + CLOCK_GRAIN
    ]


CLOCK_GRAIN = 0.005  # the database's clock and the small Slack's are one, read a little apart


def overlaps_of(spans: Iterable[tuple[str, float, float]]) -> list[str]:
    """Conversations of which two events were worked on at the same time; spans are (conversation, begin, end)."""
    last: dict[str, float] = {}
    found = []
    for conversation, begin, end in sorted(spans, key=lambda span: span[1]):
        if begin < last.get(conversation, 0.0):
            found.append(f"{conversation}: {last[conversation] - begin:.3f} s")
        last[conversation] = max(end, last.get(conversation, 0.0))
    return found
