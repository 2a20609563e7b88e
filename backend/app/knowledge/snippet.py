"""The part of a passage that answers a search, with the words that were searched for marked."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from app.i18n.language import Language
from app.knowledge.tokens import Tokenizer

LEAD = 40  # characters before the first match
_ENDS = "。！？\n!?"


@dataclass(frozen=True)
class Piece:
    """Some text; ``is_match``: a word that was searched for, or one of its synonyms."""

    text: str
    is_match: bool = False


def snippet_of(
    text: str, words: Mapping[str, int], *, language: Language, tokenizer: Tokenizer, length: int
) -> tuple[Piece, ...]:
    """About ``length`` characters of ``text`` (plain, without Markdown) from the sentence of the first match on."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    matches = sorted((start, end) for start, end, terms in tokenizer.placed_terms(text, language) if words.keys() & terms)
    start = _beginning(text, matches[0][0]) if matches and len(text) > length else 0
    start = max(0, min(start, len(text) - length))
    end = min(len(text), start + length)
    pieces = [Piece("…")] if start else []
    at = start
    for first, last in matches:
        if first < at or last > end:
            continue
        pieces += [Piece(text[at:first])] if first > at else []
        pieces.append(Piece(text[first:last], is_match=True))
        at = last
    pieces += [Piece(text[at:end])] if end > at else []
    return tuple([*pieces, Piece("…")] if end < len(text) else pieces)


def _beginning(text: str, match: int) -> int:
    """Of the match's sentence, when it begins near; else a little before the match."""
    sentence = max(text.rfind(mark, 0, match) for mark in _ENDS) + 1
    return sentence if match - sentence <= LEAD else match - LEAD
