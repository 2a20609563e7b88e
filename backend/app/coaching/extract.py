"""The sentences of passages that say most about a question. No model: shared words, in the order of the text."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.coaching.citations import without_citations
from app.coaching.fence import visible_text
from app.coaching.remark import folded_text
from app.knowledge.passage import Passage

SHORTEST, LONGEST = 8, 220
MOST_FROM_ONE_PASSAGE = 2

_SENTENCE_END = re.compile(r"(?<=[。！？])|(?<=[.!?])(?=\s)")
_QUOTES = (("「", "」"), ("『", "』"), ("“", "”"))
_LINE_DECORATION = re.compile(r"^\s*(?:[-*•・>#]+\s*|\d{1,2}[.)．）、]\s*|[|].*$)+")
_EMPHASIS = re.compile(r"\*\*|__|`")
_WORDS = re.compile(r"[a-z0-9]{2,}")
_CHARACTERS = re.compile(r"[\u3041-\u30ff\u3400-\u9fff々]+")


@dataclass(frozen=True)
class Point:
    """One sentence worth saying. ``number`` is its passage's, counted from 1."""

    text: str
    number: int


def points_about(question: str, passages: Sequence[Passage], *, said: str = "", most: int = 3) -> list[Point]:
    """At most ``most`` sentences, the best passage's first. What stands in ``said`` already is not said again."""
    asked, told = _terms(question), folded_text(said)
    points: list[Point] = []
    for number, passage in enumerate(passages, start=1):
        new = [sentence for sentence in _sentences(passage.text) if folded_text(sentence) not in told]
        new = [sentence for sentence in dict.fromkeys(new) if all(sentence != point.text for point in points)]
        ranked = sorted(new, key=lambda sentence: -_fit(sentence, asked))[:MOST_FROM_ONE_PASSAGE]
        points += [Point(sentence, number) for sentence in new if sentence in ranked]
    return points[:most]


def _sentences(text: str) -> list[str]:
    lines = (_LINE_DECORATION.sub("", line) for line in visible_text(text).splitlines())
    pieces = (piece for line in lines for piece in _sentences_of_line(line))
    plain = (without_citations(_EMPHASIS.sub("", piece)).strip() for piece in pieces)
    return [
        sentence for sentence in plain if SHORTEST <= len(sentence) <= LONGEST and not sentence.endswith((":", "：", "?", "？"))
    ]


def _sentences_of_line(line: str) -> list[str]:
    """A quotation stays in one piece, however many sentences it has; one that is never closed is no sentence."""
    sentences, open_quotation = [], ""
    for piece in _SENTENCE_END.split(line):
        open_quotation += piece
        if _is_closed(open_quotation):
            sentences.append(open_quotation)
            open_quotation = ""
    return sentences


def _is_closed(text: str) -> bool:
    return text.count('"') % 2 == 0 and all(text.count(opening) == text.count(closing) for opening, closing in _QUOTES)


def _fit(sentence: str, asked: frozenset[str]) -> float:
    """Shared terms, with long sentences held back a little."""
    terms = _terms(sentence)
    return len(terms & asked) / math.sqrt(len(terms) + 10)


def _terms(text: str) -> frozenset[str]:
    """Words of Latin letters, and pairs of neighbouring characters elsewhere."""
    folded = folded_text(text)
    pairs = (run[at : at + 2] for run in _CHARACTERS.findall(folded) for at in range(len(run) - 1))
    return frozenset((*_WORDS.findall(folded), *pairs))
