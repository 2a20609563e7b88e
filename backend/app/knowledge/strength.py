"""Whether a passage fits well enough to answer from: what decides between an answer and "not found in the knowledge".

The numbers come from the development questions of four public sets: questions asked of their own documents, and questions of the
other sets and small talk asked of the same documents. With the local model 99 % of the right passages are strong and 1.4 % of the
passages for foreign questions; with words alone 86 % and 4 %. See ``docs/decisions/0008_when_knowledge_counts_as_found.md``.
"""

from dataclasses import dataclass

ENOUGH_WORDS = 0.35  # share of the question's weight, where nothing is known of its meaning
NEARLY_ALL_WORDS = 0.75  # names and numbers that a small model has never seen
WORDS_AS_SIMILARITY = 0.06  # what having all the words is worth in similarity
ENOUGH_SIMILARITY = {"multilingual-e5-small-q4/384": 0.865}  # absolute values mean something for one model only
ENOUGH_DISTANCE = 0.25  # for all other models: of the way from the merely similar to the same


@dataclass(frozen=True)
class Evidence:
    """What speaks for one passage. ``coverage``: share of the question's weight in words that it contains, 0 to 1.

    ``similarity`` is the cosine of meaning under ``model``; ``typical_similarity`` that of the sixtieth-best entry, the level of
    the merely similar, ``None`` where there are too few entries to know it.
    """

    coverage: float
    similarity: float | None = None
    typical_similarity: float | None = None
    model: str = ""


def is_strong(evidence: Evidence) -> bool:
    if evidence.coverage >= NEARLY_ALL_WORDS:
        return True
    if evidence.similarity is None:
        return evidence.coverage >= ENOUGH_WORDS
    if evidence.model in ENOUGH_SIMILARITY:
        return evidence.similarity + WORDS_AS_SIMILARITY * evidence.coverage >= ENOUGH_SIMILARITY[evidence.model]
    return evidence.coverage >= ENOUGH_WORDS or _stands_out(evidence)


def _stands_out(evidence: Evidence) -> bool:
    if evidence.similarity is None or evidence.typical_similarity is None:
        return False
    room = 1 - evidence.typical_similarity
    return evidence.similarity - evidence.typical_similarity >= ENOUGH_DISTANCE * room
