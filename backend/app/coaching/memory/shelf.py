"""All that can be remembered of one person, in the form in which it is chosen from: texts beside arrays, packed for the cache."""

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.coaching.memory.shingles import SKETCH_BYTES, Sketch

_FORM = 1  # of the packed value: grows when its layout changes


@dataclass(frozen=True)
class EarlierTalk:
    """What another talk was about. ``conversation`` is its key."""

    conversation: str
    ended_at: datetime
    summary: str


@dataclass(frozen=True)
class Shelf:
    """One place per memory in each sequence. ``vectors`` are all of ``model``; a row of zeros: this one has none.

    They are kept as whole numbers, ``scale`` times as long as they are: a quarter of the bytes, and they cannot be turned into
    better ones than a choice needs.
    """

    ids: Sequence[int]
    kinds: Sequence[str]
    texts: Sequence[str]
    observed: NDArray[np.float64]  # seconds since 1970
    confidences: NDArray[np.float32]
    sketches: Sketch
    vectors: NDArray[np.int8] | None = None
    scale: float = 1.0
    model: str = ""
    talks: tuple[EarlierTalk, ...] = ()

    @cached_property
    def packed(self) -> bytes:
        """The head's length, the head as JSON, then the arrays one after the other."""
        talks = [(talk.conversation, talk.ended_at.timestamp(), talk.summary) for talk in self.talks]
        width = 0 if self.vectors is None else self.vectors.shape[1]
        head = json.dumps(
            [_FORM, list(self.ids), list(self.kinds), list(self.texts), self.model, width, self.scale, talks], ensure_ascii=False
        )
        encoded = head.encode()
        arrays = [self.observed.tobytes(), self.confidences.tobytes(), self.sketches.tobytes()]
        arrays += [self.vectors.tobytes()] if self.vectors is not None else []
        return b"".join((struct.pack("<I", len(encoded)), encoded, *arrays))

    @classmethod
    def unpacked(cls, value: bytes) -> "Shelf":
        """``ValueError`` for what another version has written."""
        (length,) = struct.unpack_from("<I", value)
        form, ids, kinds, texts, model, width, scale, talks = json.loads(value[4 : 4 + length])
        if form != _FORM:
            raise ValueError("another version's memories")
        rest = memoryview(value)[4 + length :]
        observed, rest = _array(rest, np.float64, len(ids))
        confidences, rest = _array(rest, np.float32, len(ids))
        sketches, rest = _array(rest, np.uint8, len(ids), SKETCH_BYTES)
        vectors = _array(rest, np.int8, len(ids), width)[0] if width else None
        earlier = tuple(EarlierTalk(key, datetime.fromtimestamp(ended, UTC), summary) for key, ended, summary in talks)
        return cls(ids, kinds, texts, observed, confidences, sketches, vectors, scale, model, earlier)


def in_whole_numbers(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """The rows as a :class:`Shelf` keeps them, and their scale."""
    longest = float(np.abs(vectors).max(initial=0.0))
    scale = 127.0 / longest if longest else 1.0
    return np.rint(vectors * scale).astype(np.int8), scale


def _array(value: memoryview, kind: type, *shape: int) -> tuple[Any, memoryview]:
    """The array at the beginning, and what follows it."""
    found: NDArray[Any] = np.frombuffer(value, kind, math.prod(shape)).reshape(shape)
    return found, value[found.nbytes :]


EMPTY = Shelf([], [], [], np.zeros(0), np.zeros(0, np.float32), np.zeros((0, SKETCH_BYTES), np.uint8))
