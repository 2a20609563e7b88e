"""Markers such as ``[1]`` in an answer: only those of passages that were given survive, numbered in order of first use."""

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

Source = TypeVar("Source")

# [1] · [1, 2] · ［1］ · 【1】 : models write all of these, whatever they are told.
_MARKER = re.compile(r"[ \u00a0]?[\[［【] ?(\d{1,3}(?: ?[,、，;・] ?\d{1,3}){0,4}) ?[\]］】]")
_OPENINGS = "[［【"
_MAY_BEGIN = re.compile(r"[\[［【]")
_MAY_PRECEDE = frozenset({" ", "\u00a0"})
_LONGEST_MARKER = 40  # what _MARKER can match at most, and some
_NUMBER = re.compile(r"\d+")


class CitationFilter(Generic[Source]):
    """Rewrites markers while the text streams. What it has let through is never taken back.

    ``sources`` holds the given sources in the order of their first use: the n-th is the one that ``[n]`` names in the output.
    """

    def __init__(self, given: Sequence[Source]) -> None:
        self._given = given
        self._numbers: dict[int, int] = {}
        self._held = ""

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(self._given[index] for index in self._numbers)

    def feed(self, piece: str) -> str:
        """As much text as is certain by now: the beginning of what may become a marker waits for its end."""
        if not self._held and piece[-1:] not in _MAY_PRECEDE and not _MAY_BEGIN.search(piece):
            return piece  # nearly every piece of a stream
        text = self._held + piece
        cut = _certain_until(text)
        self._held = text[cut:]
        return self._rewritten(text[:cut])

    def finish(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return self._rewritten(rest)

    def _rewritten(self, text: str) -> str:
        return _MARKER.sub(self._known, text) if _MAY_BEGIN.search(text) else text

    def _known(self, match: re.Match[str]) -> str:
        known = dict.fromkeys(index for number in _NUMBER.findall(match[1]) if 0 <= (index := int(number) - 1) < len(self._given))
        return "".join(f"[{self._numbers.setdefault(index, len(self._numbers) + 1)}]" for index in known)


def with_verified_citations(text: str, given: Sequence[Source]) -> tuple[str, tuple[Source, ...]]:
    """The whole text at once, and its sources."""
    citations = CitationFilter(given)
    verified = citations.feed(text) + citations.finish()
    return verified, citations.sources


def without_citations(text: str) -> str:
    """The text without any markers, for quoting it where its sources do not stand."""
    return _MARKER.sub("", text)


def _certain_until(text: str) -> int:
    """Where a marker may be under way at the end; a space before it belongs to it."""
    start = max(text.rfind(opening, max(0, len(text) - _LONGEST_MARKER)) for opening in _OPENINGS)
    if start >= 0 and not re.search(r"[\]］】]", text[start:]) and re.fullmatch(r"[ \d,、，;・]*", text[start + 1 :]):
        return start - (start > 0 and text[start - 1] in _MAY_PRECEDE)
    return len(text) - (text[-1:] in _MAY_PRECEDE)
