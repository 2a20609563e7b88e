"""Whether a passage fits well enough to answer from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What speaks for one passage. ``coverage``: share of the question's weight in words that it contains, 0 to 1.

    ``similarity`` is the cosine of meaning; ``typical_similarity`` that of the hundredth-best entry, the level of the
    merely similar, since absolute values of such models say little. Both ``None`` without vectors.
    """

    coverage: float
    similarity: float | None = None
    typical_similarity: float | None = None


def is_strong(evidence: Evidence) -> bool:
    return evidence.coverage >= 0.4
