"""A BM25 index in plain PostgreSQL tables, kept in step inside the writer's own transaction.

Per workspace and term one row for each 4,096 chunk numbers holds an array: chunk number, how often the term occurs in it, and the
chunk's length, packed into one number each. Reading a term is one or a few rows instead of one per chunk, and needs no vacuum
to be fast. Weights are computed while reading, from the workspace's exact statistics, so edits never leave stale scores behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.storage.database import Session

SLOT_BITS = 12
_ID_SHIFT, _COUNT_SHIFT = 24, 16
_MOST_COUNTED, _LONGEST_COUNTED = 255, 65_535


@dataclass(frozen=True)
class IndexedChunk:
    """The terms of one chunk with their counts."""

    chunk_id: int
    terms: Sequence[str]
    counts: Sequence[int]

    @property
    def length(self) -> int:
        return sum(self.counts)


class LexicalIndex:
    """The index of one workspace. ``lock`` comes first: writers of one workspace follow one another."""

    def __init__(self, session: Session, team_id: str) -> None:
        self._session = session
        self._team_id = team_id

    async def lock(self) -> None:
        """Holds other writers of this workspace back until the transaction ends, and makes cached results void."""
        await self._session.execute(
            """
            insert into knowledge_state (team_id, version) values ($1, 1)
            on conflict (team_id) do update set version = knowledge_state.version + 1
            """,
            self._team_id,
        )

    async def add(self, chunks: Sequence[IndexedChunk]) -> None:
        postings = sorted(
            (term, _packed(chunk, count)) for chunk in chunks for term, count in zip(chunk.terms, chunk.counts, strict=True)
        )
        if postings:
            terms, packed = [term for term, _ in postings], [number for _, number in postings]
            await self._session.execute(_ADD_POSTINGS, self._team_id, terms, packed)
            await self._session.execute(_COUNT_TERMS, self._team_id, terms)
        await self._count(len(chunks), sum(chunk.length for chunk in chunks))

    async def remove(self, chunks: Sequence[IndexedChunk]) -> None:
        places = sorted({(term, chunk.chunk_id >> SLOT_BITS) for chunk in chunks for term in chunk.terms})
        if places:
            terms, slots = [term for term, _ in places], [slot for _, slot in places]
            ids = [chunk.chunk_id for chunk in chunks]
            await self._session.execute(_REMOVE_POSTINGS, self._team_id, terms, slots, ids)
            await self._session.execute(_DELETE_EMPTY_POSTINGS, self._team_id, terms, slots)
            gone = sorted(term for chunk in chunks for term in chunk.terms)
            await self._session.execute(_UNCOUNT_TERMS, self._team_id, gone)
            await self._session.execute(_DELETE_EMPTY_TERMS, self._team_id, list(dict.fromkeys(gone)))
        await self._count(-len(chunks), -sum(chunk.length for chunk in chunks))

    async def _count(self, chunks: int, terms: int) -> None:
        await self._session.execute(
            "update knowledge_state set chunks = chunks + $2, terms = terms + $3 where team_id = $1", self._team_id, chunks, terms
        )


def _packed(chunk: IndexedChunk, count: int) -> int:
    return chunk.chunk_id << _ID_SHIFT | min(count, _MOST_COUNTED) << _COUNT_SHIFT | min(chunk.length, _LONGEST_COUNTED)


_ADD_POSTINGS = """
insert into knowledge_postings (team_id, term, slot, packed)
select $1, term, number >> 36, array_agg(number order by number)
from unnest($2::text[], $3::bigint[]) as new (term, number)
group by term, number >> 36
on conflict (team_id, term, slot) do update set packed = knowledge_postings.packed || excluded.packed
"""

_COUNT_TERMS = """
insert into knowledge_terms (team_id, term, chunks)
select $1, term, count(*) from unnest($2::text[]) as new (term) group by term
on conflict (team_id, term) do update set chunks = knowledge_terms.chunks + excluded.chunks
"""

_REMOVE_POSTINGS = """
update knowledge_postings p
set packed = array(select number from unnest(p.packed) as number where number >> 24 <> all ($4::bigint[]))
from unnest($2::text[], $3::int[]) as place (term, slot)
where p.team_id = $1 and p.term = place.term and p.slot = place.slot
"""

_DELETE_EMPTY_POSTINGS = """
delete from knowledge_postings p
using unnest($2::text[], $3::int[]) as place (term, slot)
where p.team_id = $1 and p.term = place.term and p.slot = place.slot and p.packed = '{}'
"""

_UNCOUNT_TERMS = """
update knowledge_terms t set chunks = t.chunks - gone.times
from (select term, count(*) as times from unnest($2::text[]) as gone (term) group by term) as gone
where t.team_id = $1 and t.term = gone.term
"""

_DELETE_EMPTY_TERMS = "delete from knowledge_terms where team_id = $1 and term = any ($2::text[]) and chunks <= 0"
