"""Texts as sets of small pieces, for comparing them: three characters at a time, and a sketch of 1,024 bits."""

import re
import unicodedata
import zlib

import numpy as np
from numpy.typing import NDArray

from app.coaching.fence import visible_text

SKETCH_BYTES = 128
SHINGLE = 3

_NOT_A_LETTER = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"[a-z0-9]{3,}")
_CHARACTERS = re.compile(r"[぀-ヿ㐀-鿿々]+")

Sketch = NDArray[np.uint8]


def shingles_of(text: str) -> frozenset[str]:
    """Of the letters alone, after NFKC: neither width, case, blanks nor punctuation make a difference."""
    letters = _NOT_A_LETTER.sub("", _folded(text))
    return frozenset(letters[at : at + SHINGLE] for at in range(max(1, len(letters) - SHINGLE + 1)))


def shingles_of_subject(text: str) -> frozenset[str]:
    """The same without numbers: "10件" and "15件" are about one thing."""
    return shingles_of(_DIGITS.sub("0", _folded(text)))


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's share of what both have in all that either has."""
    return len(one & other) / len(one | other) if one or other else 0.0


def sketch_of(text: str) -> bytes:
    """Which words and pairs of characters occur, as bits at hashed places. Says what a text is about without holding it."""
    folded = _folded(text)
    pairs = (run[at : at + 2] for run in _CHARACTERS.findall(folded) for at in range(len(run) - 1))
    bits = np.zeros(SKETCH_BYTES * 8, np.uint8)
    for term in (*_WORDS.findall(folded), *pairs):
        bits[zlib.crc32(term.encode()) % (SKETCH_BYTES * 8)] = 1
    return np.packbits(bits).tobytes()


def likeness(sketches: Sketch, asked: bytes) -> NDArray[np.float32]:
    """For each row the cosine between its bits and those of ``asked``: 0 (nothing in common) to 1."""
    question = np.frombuffer(asked, np.uint8)
    common = np.bitwise_count(sketches & question).sum(axis=1, dtype=np.float32)
    sizes = np.bitwise_count(sketches).sum(axis=1, dtype=np.float32) * float(np.bitwise_count(question).sum())
    likenesses: NDArray[np.float32] = common / np.sqrt(np.maximum(sizes, 1.0))
    return likenesses


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", visible_text(text)).lower()
