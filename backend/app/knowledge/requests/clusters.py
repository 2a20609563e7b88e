"""Questions that ask for the same, put together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.knowledge.tokens import Tokenizer

ALIKE = 0.5  # shared words of all words (Jaccard): the order of words and small ones do not count


@dataclass(frozen=True)
class Unanswered:
    """A question without names. ``may_be_shown``: it was asked where others could read it."""

    text: str
    language: str
    asker: str
    may_be_shown: bool


@dataclass
class Cluster:
    """Questions about the same, by how many people."""

    questions: list[Unanswered] = field(default_factory=list)
    words: list[frozenset[str]] = field(default_factory=list)

    @property
    def askers(self) -> int:
        return len({question.asker for question in self.questions})

    @property
    def shown(self) -> Unanswered | None:
        """The question that stands for all: the shortest that others may read.

        A private question may be read once two people have asked it: then it says nothing about one of them.
        """
        readable = [question for question in self.questions if question.may_be_shown or self.askers > 1]
        return min(readable, key=lambda question: len(question.text), default=None)


def clusters_of(questions: Sequence[Unanswered], tokenizer: Tokenizer) -> list[Cluster]:
    """The most asked first. A week's questions are few enough to be compared exactly, each with the clusters so far."""
    clusters: list[Cluster] = []
    for question in questions:
        words = frozenset(tokenizer.question_terms(question.text))
        if not words:
            continue
        best = max(clusters, key=lambda cluster: _likeness(words, cluster), default=None)
        if best is None or _likeness(words, best) < ALIKE:
            best = Cluster()
            clusters.append(best)
        best.questions.append(question)
        best.words.append(words)
    return sorted(clusters, key=lambda cluster: (-cluster.askers, -len(cluster.questions)))


def _likeness(words: frozenset[str], cluster: Cluster) -> float:
    return max(len(words & other) / len(words | other) for other in cluster.words)
