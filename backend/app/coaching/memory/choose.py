"""Which memories enter a prompt. Pure, and the same for the same question at the same moment.

    score = relevance + RECENCY x 0.5 ^ (age / HALF_LIFE) + CONFIDENCE x confidence

the weighted sum of relevance, recency and importance of Park et al., "Generative Agents" (2023, section 4.1), with three changes.
Confidence stands in for importance, which a model would have to be asked for. Recency halves in a month, since talks about sales
return after weeks, not after hours. And the parts are not stretched to 0…1 over the memories at hand: the least irrelevant of
irrelevant memories stays irrelevant, so what has less than ``LEAST_RELEVANCE`` is left out, unless it says how the person wants
to be coached or what for.

Relevance is the likeness of the words, or, where both sides have vectors of one model, how much closer the vector is than the
person's memories usually are to this question, whichever is more.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.coaching.memory.insight import REPLACED_BY_NEWER, Kind
from app.coaching.memory.shelf import Shelf
from app.coaching.memory.shingles import likeness, sketch_of
from app.embeddings.embedder import Vectors
from app.llm.window import estimated_tokens

HALF_LIFE = timedelta(days=30)
RECENCY, CONFIDENCE = 0.3, 0.2
LEAST_RELEVANCE = 0.12
MOST_MEMORIES = 8
MOST_TOKENS = 400
ENOUGH_TO_KNOW_WHAT_IS_USUAL = 8

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Memory:
    """A memory as it enters a prompt. ``is_relevant``: it fits the question, and is not only of interest in general."""

    id: int
    kind: Kind
    text: str
    observed_at: datetime
    is_relevant: bool = True


def choose_memories(
    shelf: Shelf, question: str, *, now: datetime, vector: Vectors | None = None, model: str = "", most_tokens: int = MOST_TOKENS
) -> tuple[Memory, ...]:
    """The best memories within the budget, the best first. ``vector``: of the question, made by ``model``."""
    if not shelf.ids:
        return ()
    relevance = _relevance(shelf, question, vector, model)
    scores = relevance + RECENCY * _recency(shelf, now) + CONFIDENCE * shelf.confidences
    is_wanted = (relevance >= LEAST_RELEVANCE) | np.isin(shelf.kinds, list(REPLACED_BY_NEWER))
    candidates = np.flatnonzero(is_wanted)
    ranked = candidates[np.lexsort((-candidates, -scores[candidates]))]
    return _within_budget(shelf, ranked[: 4 * MOST_MEMORIES], relevance >= LEAST_RELEVANCE, most_tokens)


def _within_budget(
    shelf: Shelf, places: NDArray[np.intp], is_relevant: NDArray[np.bool_], most_tokens: int
) -> tuple[Memory, ...]:
    chosen: list[Memory] = []
    for place in map(int, places):
        cost = estimated_tokens(shelf.texts[place])
        if cost <= most_tokens and len(chosen) < MOST_MEMORIES:
            most_tokens -= cost
            observed_at = datetime.fromtimestamp(float(shelf.observed[place]), UTC)
            chosen.append(
                Memory(shelf.ids[place], Kind(shelf.kinds[place]), shelf.texts[place], observed_at, bool(is_relevant[place]))
            )
    return tuple(chosen)


def _relevance(shelf: Shelf, question: str, vector: Vectors | None, model: str) -> Scores:
    by_words = likeness(shelf.sketches, sketch_of(question))
    if vector is None or shelf.vectors is None or shelf.model != model or len(shelf.ids) < ENOUGH_TO_KNOW_WHAT_IS_USUAL:
        return by_words
    # Not ``@``, which starts a thread per core; they wait for each other on a busy machine.
    closeness = np.einsum("ij,j->i", shelf.vectors, vector.reshape(-1) / shelf.scale, dtype=np.float32, casting="same_kind")
    has_vector = shelf.vectors.any(axis=1)
    if not has_vector.any():
        return by_words
    usual = float(np.median(closeness[has_vector]))
    by_meaning = np.where(has_vector, (closeness - usual) / max(1.0 - usual, 0.01), 0.0)
    return np.maximum(by_words, by_meaning).astype(np.float32)


def _recency(shelf: Shelf, now: datetime) -> Scores:
    ages = np.maximum(now.timestamp() - shelf.observed, 0.0) / HALF_LIFE.total_seconds()
    halves: Scores = np.power(0.5, ages).astype(np.float32)
    return halves
