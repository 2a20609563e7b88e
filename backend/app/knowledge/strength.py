"""Whether a passage fits well enough to answer from: what decides between an answer and "not found in the knowledge".

How near is near depends on the question (a vague one is near to everything) and on the languages (two texts of one language are
nearer than two that say the same in different ones). So a passage counts by its similarity and by how much it stands out of
what else there is in its language. All numbers stand here; how they were found, and what they let through, is told in
``docs/decisions/0008_when_knowledge_counts_as_found.md``.
"""

from dataclasses import dataclass

ENOUGH_WORDS = 0.35  # share of the question's weight, where nothing is known of its meaning
ENOUGH_OF_ONE_WORD = 0.5  # the same, where it is a single word of several: one rare word is easily shared by chance
NEARLY_ALL_WORDS = 0.75  # names and numbers that a small model has never seen
WORDS_AS_SIMILARITY = 0.06  # what having all the words is worth in similarity
STANDING_OUT = 0.5  # what its distance from the level of its language is worth in similarity
ENOUGH_DISTANCE = 0.25  # for models without a yardstick: of the way from the merely similar to the same
LEVEL_DOUBT = 20.0  # chunks of a usual level that the level of a small library is reckoned with


@dataclass(frozen=True)
class Yardstick:
    """What similarities of one model mean: first for pairs of the same language, then for pairs that cross languages.

    ``enough`` is asked of the similarity together with what else counts.
    """

    enough: tuple[float, float]
    usual_level: tuple[float, float]  # where a library is too small to have one
    least: float  # below it nothing fits, however far it stands out of what fits even less


YARDSTICKS = {"multilingual-e5-small-q4/384": Yardstick(enough=(0.875, 0.855), usual_level=(0.81, 0.77), least=0.82)}


@dataclass(frozen=True)
class Evidence:
    """What speaks for one passage. ``coverage``: share of the question's weight in words that it contains, 0 to 1; ``words``: how
    many words these are.

    ``similarity`` is the cosine of meaning under ``model``; ``level`` the average of all ``peers`` chunks of its language;
    ``typical_similarity`` that of the sixtieth-best entry, ``None`` where there are too few entries to know it.
    """

    coverage: float
    words: int = 2
    similarity: float | None = None
    level: float = 0.0
    peers: int = 0
    crosses_languages: bool = False
    typical_similarity: float | None = None
    model: str = ""


def is_strong(evidence: Evidence) -> bool:
    if evidence.similarity is None:
        return has_enough_words(evidence)
    if evidence.coverage >= NEARLY_ALL_WORDS and (not evidence.peers or evidence.similarity >= evidence.level):
        return True
    if yardstick := YARDSTICKS.get(evidence.model):
        return _is_near(evidence, evidence.similarity, yardstick)
    return has_enough_words(evidence) or _stands_out(evidence)


def has_enough_words(evidence: Evidence) -> bool:
    return evidence.coverage >= (ENOUGH_WORDS if evidence.words > 1 else ENOUGH_OF_ONE_WORD)


def _is_near(evidence: Evidence, similarity: float, yardstick: Yardstick) -> bool:
    pair = int(evidence.crosses_languages)
    level = (evidence.level * evidence.peers + yardstick.usual_level[pair] * LEVEL_DOUBT) / (evidence.peers + LEVEL_DOUBT)
    reached = similarity + STANDING_OUT * (similarity - level) + WORDS_AS_SIMILARITY * evidence.coverage
    return similarity >= yardstick.least and reached >= yardstick.enough[pair]


def _stands_out(evidence: Evidence) -> bool:
    if evidence.similarity is None or evidence.typical_similarity is None:
        return False
    room = 1 - evidence.typical_similarity
    return evidence.similarity - evidence.typical_similarity >= ENOUGH_DISTANCE * room
