"""The vectors of a workspace's entries, kept in memory and scanned exactly.

Up to some ten thousand entries an exact scan is both faster and better than an approximate index, needs no extension, and lets
every filter act before the best are taken. Rows are read again when the workspace's knowledge has changed, in the background:
a question uses what is there. Whatever is found is checked once more by the query that fetches the texts.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.core.clock import Clock, SystemClock
from app.core.errors import AppError
from app.embeddings.embedder import Vectors
from app.knowledge.chunking import width_of
from app.knowledge.filters import SearchFilter
from app.storage.database import Database, Record

logger = logging.getLogger(__name__)

TITLE_SHARE = 0.5  # of the similarity; the rest is the chunk's
HUB_DISCOUNT = 0.5  # of how near a row is to all others; 1 would be cosines of centred vectors
SHORT_TITLE = 12  # in widths: a longer one is a sentence that says what the entry answers
MOST_BYTES = 512 * 1024 * 1024  # of all workspaces together in one process
LEVEL_DOUBT = 20.0  # rows of no language in particular that the level of each language is reckoned with
_PAGE = 1_000


@dataclass(frozen=True)
class VectorHit:
    """A chunk that is close to the question. ``similarity`` lies between -1 and 1.

    ``level`` is how similar to this question the chunks of the same language are on average, ``peers`` how many they are.
    ``hubness`` is how much nearer than those it is to everything there is.
    """

    chunk_id: int
    entry_id: int
    similarity: float
    language: str = ""
    level: float = 0.0
    peers: int = 0
    hubness: float = 0.0

    @property
    def lift(self) -> float:
        """How much nearer it is than what else is written in its language, and than it is to any question."""
        return self.similarity - self.level - HUB_DISCOUNT * self.hubness


@dataclass(frozen=True)
class VectorMatrix:
    """One row per chunk: the chunk's vector, its entry's title vector, and what filters ask for."""

    version: int
    chunk_ids: NDArray[np.int64]
    entry_ids: NDArray[np.int64]
    passages: Vectors
    titles: Vectors
    title_of: NDArray[np.int64]
    title_shares: Vectors
    scopes: NDArray[np.str_]
    languages: NDArray[np.str_]
    categories: NDArray[np.str_]
    trusts: NDArray[np.int16]
    dates: NDArray[np.datetime64]
    language_numbers: NDArray[np.int64] = field(init=False)
    hubness: Vectors = field(init=False)

    def __post_init__(self) -> None:
        """Counts the languages once: comparing texts takes longer than the whole scan. Hubness is no matter of the question."""
        object.__setattr__(self, "language_numbers", np.unique(self.languages, return_inverse=True)[1])
        object.__setattr__(self, "hubness", self._hubness())

    @property
    def byte_count(self) -> int:
        return int(self.passages.nbytes + self.titles.nbytes)

    def nearest(
        self,
        question: Vectors,
        *,
        scopes: list[str],
        wanted: SearchFilter,
        limit: int,
        hidden: Sequence[int] = (),
        also: Sequence[int] = (),
    ) -> list[VectorHit]:
        """The best chunk of each of the closest entries, the best first; behind them the entries of ``also``, however far.

        Closest is what stands out most of its language: a text in the language of the question is always nearer than one that
        says the same in another.
        """
        if not len(self.chunk_ids):
            return []
        similar = self._similar_to(question[0])
        allowed = self._allowed(scopes, wanted, hidden)
        levels, peers = self._levels(similar, allowed)
        lifts = np.where(allowed, similar - levels - HUB_DISCOUNT * self.hubness, -np.inf)
        hits: dict[int, VectorHit] = {}

        def take(row: int) -> None:
            entry_id = int(self.entry_ids[row])
            if entry_id not in hits:
                hits[entry_id] = VectorHit(
                    int(self.chunk_ids[row]), entry_id, float(similar[row]), str(self.languages[row]), float(levels[row]),
                    int(peers[row]), float(self.hubness[row]),
                )  # fmt: skip

        for row in _best_first(lifts, at_least=limit):
            if len(hits) == limit or not allowed[row]:
                break
            take(int(row))
        if beyond := set(also) - hits.keys():
            rows = np.flatnonzero(allowed & np.isin(self.entry_ids, list(beyond)))
            for row in rows[np.argsort(-lifts[rows], kind="stable")]:
                take(int(row))
        return list(hits.values())

    def _similar_to(self, vector: Vectors) -> Vectors:
        by_passage, by_title = _cosines(self.passages, vector), _cosines(self.titles, vector)[self.title_of]
        return by_passage + self.title_shares * (by_title - by_passage)

    def _hubness(self) -> Vectors:
        """Of each row: its mean similarity to all rows, above that of its language.

        Rows near the middle of all vectors are near to any question. Taking this off is what centring the vectors does to their
        inner products (Suzuki et al., "Centering Similarity Measures to Reduce Hubs", EMNLP 2013).
        """
        if not len(self.chunk_ids):
            return np.zeros(0, np.float32)
        middle = (self.passages.sum(axis=0) + self.titles.sum(axis=0)) / (len(self.passages) + len(self.titles))
        nearness = self._similar_to(middle)
        return nearness - self._levels(nearness, np.ones(len(nearness), np.bool_))[0]

    def _levels(self, similar: Vectors, allowed: NDArray[np.bool_]) -> tuple[Vectors, NDArray[np.int64]]:
        """Of each row: the level of its language, and of how many rows.

        A language of few rows tells little of itself: its level leans on that of them all.
        """
        numbers = self.language_numbers
        count = int(numbers.max()) + 1
        rows = np.bincount(numbers[allowed], minlength=count)
        sums = np.bincount(numbers[allowed], weights=similar[allowed], minlength=count)
        overall = sums.sum() / max(rows.sum(), 1)
        levels: Vectors = ((sums + LEVEL_DOUBT * overall) / (rows + LEVEL_DOUBT)).astype(np.float32)
        return levels[numbers], rows[numbers]

    def _allowed(self, scopes: list[str], wanted: SearchFilter, hidden: Sequence[int]) -> NDArray[np.bool_]:
        allowed: NDArray[np.bool_] = np.isin(self.scopes, scopes) & (self.trusts >= int(wanted.least_trust))
        if wanted.language is not None:
            allowed &= self.languages == wanted.language.value
        if wanted.categories:
            allowed &= np.isin(self.categories, [category.value for category in wanted.categories])
        if hidden:
            allowed &= ~np.isin(self.entry_ids, hidden)
        if wanted.updated_since is not None:
            allowed &= self.dates >= np.datetime64(wanted.updated_since)
        return allowed


@dataclass
class _Kept:
    matrix: VectorMatrix | None = None
    read_at: float = float("-inf")
    reading: asyncio.Task[None] | None = None


@dataclass
class VectorCache:
    """The matrices of the workspaces that asked last."""

    database: Database
    model: str
    refresh_seconds: float = 10.0
    clock: Clock = field(default_factory=SystemClock)
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)

    def matrix_of(self, team_id: str, *, version: int) -> VectorMatrix | None:
        """What is known now, at most ``refresh_seconds`` and one reading behind; ``None`` until the first reading is done."""
        kept = self._kept.setdefault(team_id, _Kept())
        self._kept.move_to_end(team_id)
        is_old = kept.matrix is None or kept.matrix.version != version
        if is_old and kept.reading is None and self.clock.monotonic() - kept.read_at >= self.refresh_seconds:
            kept.reading = asyncio.create_task(self._read_again(team_id, kept), name=f"vectors of {team_id}")
        return kept.matrix

    async def being_read(self, team_id: str) -> None:
        """Returns when the reading that goes on, if any, is done; may be given up at any time, the reading goes on."""
        kept = self._kept.get(team_id)
        if kept and kept.reading:
            await asyncio.wait([kept.reading])

    async def prepare(self, team_id: str) -> None:
        """Reads the workspace's vectors now."""
        kept = self._kept.setdefault(team_id, _Kept())
        if kept.reading is None:
            kept.reading = asyncio.create_task(self._read_again(team_id, kept), name=f"vectors of {team_id}")
        await kept.reading

    async def close(self) -> None:
        readings = [kept.reading for kept in self._kept.values() if kept.reading]
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)

    async def _read_again(self, team_id: str, kept: _Kept) -> None:
        try:
            kept.matrix = await self._read(team_id)
            self._make_room(but_not=team_id)
        except AppError:
            logger.warning("vectors_not_read", extra={"team_id": team_id}, exc_info=True)
        finally:
            kept.read_at = self.clock.monotonic()
            kept.reading = None

    async def _read(self, team_id: str) -> VectorMatrix:
        async with self.database.reading() as session:
            version = await session.fetch_value("select version from knowledge_state where team_id = $1", team_id) or 0
            rows: list[Record] = []
            last = (0, -2)
            while page := await session.fetch(_ROWS, team_id, self.model, *last, _PAGE):
                rows += page
                last = (page[-1]["entry_id"], page[-1]["position"])
        return await asyncio.to_thread(_matrix, version, rows)

    def _make_room(self, *, but_not: str) -> None:
        total = sum(kept.matrix.byte_count for kept in self._kept.values() if kept.matrix)
        for team_id in list(self._kept):
            if total <= MOST_BYTES or team_id == but_not:
                return
            dropped = self._kept.pop(team_id)
            total -= dropped.matrix.byte_count if dropped.matrix else 0


def _matrix(version: int, rows: list[Record]) -> VectorMatrix:
    title_row: dict[int, int] = {}
    titles: list[bytes] = []
    title_texts: list[str] = []
    chunks: list[Record] = []
    for row in rows:
        if row["position"] == -1:
            title_row[row["entry_id"]] = len(titles)
            titles.append(row["embedding"])
            title_texts.append(row["title"])
        elif row["chunk_id"] is not None and row["entry_id"] in title_row:
            chunks.append(row)
    title_of = np.array([title_row[row["entry_id"]] for row in chunks], dtype=np.int64)
    return VectorMatrix(
        version=version,
        chunk_ids=np.array([row["chunk_id"] for row in chunks], dtype=np.int64),
        entry_ids=np.array([row["entry_id"] for row in chunks], dtype=np.int64),
        passages=unpacked(row["embedding"] for row in chunks),
        titles=unpacked(titles),
        title_of=title_of,
        title_shares=_title_shares(title_texts)[title_of],
        scopes=np.array([row["scope"] for row in chunks], dtype=np.str_),
        languages=np.array([row["language"] for row in chunks], dtype=np.str_),
        categories=np.array([row["category"] for row in chunks], dtype=np.str_),
        trusts=np.array([row["trust"] for row in chunks], dtype=np.int16),
        dates=np.array([row["updated_on"] for row in chunks], dtype="datetime64[D]"),
    )


def _cosines(rows: Vectors, question: Vectors) -> Vectors:
    """Not ``rows @ question``: that starts a thread per core, which wait for each other on a busy machine (12 ms, not 0.4)."""
    similar: Vectors = np.einsum("ij,j->i", rows, question)
    return similar


def _title_shares(titles: list[str]) -> Vectors:
    """A name that many entries share, such as a product's, says little about each of them; a sentence says much."""
    times = Counter(titles)
    return np.array(
        [TITLE_SHARE / (times[title] ** 0.5 if width_of(title) < SHORT_TITLE else 1) for title in titles], dtype=np.float32
    )


def packed(vector: Vectors) -> bytes:
    """As stored: 16 bits are enough for ranking (the cosine moves by less than 0.001) and half the size."""
    return vector.astype("<f2").tobytes()


def unpacked(rows: Iterable[bytes]) -> Vectors:
    rows = list(rows)
    if not rows:
        return np.zeros((0, 1), dtype=np.float32)
    return np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1).astype(np.float32)


def _best_first(scores: Vectors, *, at_least: int) -> NDArray[np.int64]:
    """Rows by score, enough of them for ``at_least`` entries in nearly all cases; equal scores in order of rows."""
    wanted = min(len(scores), at_least * 8)
    best = np.argpartition(-scores, wanted - 1)[:wanted] if wanted < len(scores) else np.arange(len(scores))
    order: NDArray[np.int64] = best[np.lexsort((best, -scores[best]))]
    return order


_ROWS = """
select v.entry_id, v.position, v.embedding, c.id as chunk_id, case when v.position = -1 then e.title end as title,
       e.scope, e.language, e.category, e.trust, e.updated_on
from knowledge_vectors v
join knowledge_entries e on e.id = v.entry_id and e.team_id = v.team_id and e.version = v.entry_version and e.status = 'published'
left join knowledge_chunks c on c.entry_id = v.entry_id and c.position = v.position and c.team_id = v.team_id
where v.team_id = $1 and v.model = $2 and (v.entry_id, v.position) > ($3, $4)
order by v.entry_id, v.position
limit $5
"""
