"""What of many observations holds now: repeated ones become one, and of contradicting ones the newest stays.

A pure function of the set of observations: in whichever order and in however many portions they came, the result is the same.
That is why superseded observations are kept, and all of a person's are looked at anew each time.

Repetition: at least :data:`SAME_TEXT` of the three-character shingles in common (Broder's resemblance), or vectors of one model
closer than :data:`SAME_MEANING`. For many observations MinHash with locality-sensitive hashing finds the pairs worth comparing.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations

import numpy as np

from app.coaching.memory.insight import REPLACED_BY_NEWER, Insight, Kind, StatedBy, Vector
from app.coaching.memory.shingles import overlap, shingles_of, shingles_of_subject

SAME_TEXT = 0.6
SAME_SUBJECT = 0.45
SAME_MEANING = 0.95  # of vectors of unit length
SUBJECTS_MEANING = 0.92
COMPARED_ONE_BY_ONE = 64  # up to here every pair is compared; hashing costs more
PERMUTATIONS = 64

Shingles = list[frozenset[str]]


def superseded_in(insights: Sequence[Insight], vectors: Mapping[int, Vector] | None = None) -> dict[int, int]:
    """By id: which insight is superseded by which. Ids need not say anything about time.

    Within repetitions the person's own correction stands, else the newest wording. What a correction has replaced stays replaced,
    also when it is heard again. ``vectors``: by id, as far as there are any.
    """
    ordered = sorted(insights, key=_order)
    standing: dict[int, int] = {}
    for kind in Kind:
        of_kind = [insight for insight in ordered if insight.kind is kind]
        standing.update(_of_one_kind(kind, of_kind, vectors or {}))
    return standing


def _of_one_kind(kind: Kind, insights: Sequence[Insight], vectors: Mapping[int, Vector]) -> dict[int, int]:
    groups = _Groups([insight.id for insight in insights])
    for one, other in _repetitions(insights, vectors):
        groups.join(one, other)
    for insight in insights:
        if insight.superseded_by is not None and _is_correction(insight.superseded_by, insights):
            groups.join(insight.id, insight.superseded_by)
    by_id = {insight.id: insight for insight in insights}
    winners = {_winner([by_id[one] for one in group]).id: group for group in groups.all()}
    if kind in REPLACED_BY_NEWER:
        latest = {winner: max(by_id[one].observed_at for one in group) for winner, group in winners.items()}
        winners = _newest_about_each_subject([by_id[winner] for winner in winners], latest, winners, vectors)
    return {one: winner for winner, group in winners.items() for one in group if one != winner}


def _newest_about_each_subject(
    insights: Sequence[Insight], latest: Mapping[int, datetime], groups: Mapping[int, list[int]], vectors: Mapping[int, Vector]
) -> dict[int, list[int]]:
    ordered = sorted(insights, key=_order)
    subjects = _Groups([insight.id for insight in ordered])
    for one, other in _same_subjects(ordered, vectors):
        subjects.join(one, other)
    place = {insight.id: number for number, insight in enumerate(ordered)}
    newest = {}
    for group in subjects.all():
        winner = max(group, key=lambda one: (latest[one], place[one]))
        newest[winner] = [one for member in group for one in groups[member]]
    return newest


def _winner(group: Sequence[Insight]) -> Insight:
    return max(group, key=lambda insight: (insight.stated_by is StatedBy.PERSON, *_order(insight)))


def _order(insight: Insight) -> tuple[datetime, bool, str, float]:
    return insight.observed_at, insight.stated_by is StatedBy.PERSON, insight.text, insight.confidence


def _is_correction(id: int, insights: Sequence[Insight]) -> bool:  # noqa: A002
    return any(insight.id == id and insight.stated_by is StatedBy.PERSON for insight in insights)


def _repetitions(insights: Sequence[Insight], vectors: Mapping[int, Vector]) -> Iterator[tuple[int, int]]:
    shingles = [shingles_of(insight.text) for insight in insights]
    for one, other in _worth_comparing(shingles, SAME_TEXT):
        if overlap(shingles[one], shingles[other]) >= SAME_TEXT:
            yield insights[one].id, insights[other].id
    yield from _close(insights, vectors, SAME_MEANING)


def _same_subjects(insights: Sequence[Insight], vectors: Mapping[int, Vector]) -> Iterator[tuple[int, int]]:
    named: dict[frozenset[str], int] = {}
    for insight in insights:
        if insight.subject:
            yield named.setdefault(shingles_of_subject(insight.subject), insight.id), insight.id
    shingles = [shingles_of_subject(insight.text) for insight in insights]
    for one, other in _worth_comparing(shingles, SAME_SUBJECT):
        if overlap(shingles[one], shingles[other]) >= SAME_SUBJECT:
            yield insights[one].id, insights[other].id
    yield from _close(insights, vectors, SUBJECTS_MEANING)


def _worth_comparing(shingles: Shingles, threshold: float) -> Iterator[tuple[int, int]]:
    if len(shingles) <= COMPARED_ONE_BY_ONE:
        return combinations(range(len(shingles)), 2)
    return _hashed_alike(shingles, threshold)


def _hashed_alike(shingles: Shingles, threshold: float) -> Iterator[tuple[int, int]]:
    # Loaded when somebody has said enough to need it: with what it brings along it takes 80 MB and a second.
    datasketch = importlib.import_module("datasketch")
    index = datasketch.MinHashLSH(threshold=threshold * 0.75, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    for number, pieces in enumerate(shingles):
        minhash = datasketch.MinHash(num_perm=PERMUTATIONS, seed=1)
        minhash.update_batch([piece.encode() for piece in sorted(pieces)])
        for other in sorted(index.query(minhash)):
            yield other, number
        index.insert(number, minhash)


def _close(insights: Sequence[Insight], vectors: Mapping[int, Vector], least: float) -> Iterator[tuple[int, int]]:
    """Pairs of insights whose vectors, of the same model, are at least that close."""
    for model in sorted({vector.model for vector in vectors.values()}):
        known = [insight.id for insight in insights if insight.id in vectors and vectors[insight.id].model == model]
        if len(known) < 2:
            continue
        matrix = np.stack([vectors[one].values for one in known]).astype(np.float32)
        for one, other in np.argwhere(np.triu(matrix @ matrix.T, 1) >= least):
            yield known[one], known[other]


class _Groups:
    """Union-find: who is joined with whom, directly or through others."""

    def __init__(self, members: Sequence[int]) -> None:
        self._parent = {member: member for member in members}

    def join(self, one: int, other: int) -> None:
        self._parent[self._root(one)] = self._root(other)

    def all(self) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for member in self._parent:
            groups.setdefault(self._root(member), []).append(member)
        return list(groups.values())

    def _root(self, member: int) -> int:
        find: Callable[[int], int] = self._parent.__getitem__
        while find(member) != member:
            self._parent[member] = find(find(member))
            member = find(member)
        return member
