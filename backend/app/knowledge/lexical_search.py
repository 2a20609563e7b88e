"""The BM25 query: one statement, every filter inside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.knowledge.filters import SearchFilter
from app.storage.database import Session

# Terms are taken from the rarest on until this many postings are read. What a common term adds to the score is small,
# and it is what makes a search slow: with 100,000 chunks it is read only when nothing rarer was asked.
POSTINGS_READ = 2_500
TERM_SATURATION = 0.9  # BM25's k1
LENGTH_SHARE = 0.75  # BM25's b


@dataclass(frozen=True)
class LexicalHit:
    """A chunk that contains some of the words. ``coverage`` is how much of the question's weight it contains, 0 to 1.

    ``words`` is how many of the question's words it contains; terms of one meaning are one.
    """

    chunk_id: int
    entry_id: int
    score: float
    coverage: float
    words: int = 2


@dataclass(frozen=True)
class LexicalResult:
    """The best first. ``version`` is the knowledge's state that was searched."""

    hits: tuple[LexicalHit, ...]
    version: int


async def search_words(
    session: Session,
    team_id: str,
    terms: Sequence[str] | Mapping[str, int],
    *,
    scopes: Sequence[str],
    wanted: SearchFilter,
    limit: int,
    hidden: Sequence[int] = (),
) -> LexicalResult:
    """The chunks that fit the terms best.

    ``terms`` may say which of them mean the same: those with the same number are one word of the question, so that an entry
    which has one of them has the word. ``hidden`` entries are not looked at.
    """
    groups = terms if isinstance(terms, Mapping) else {term: number for number, term in enumerate(terms)}
    rows = await session.fetch(
        SEARCH, team_id, list(groups), list(scopes), wanted.language, list(wanted.categories), int(wanted.least_trust),
        wanted.updated_since, limit, POSTINGS_READ, TERM_SATURATION, LENGTH_SHARE, list(groups.values()), list(hidden),
    )  # fmt: skip
    if not rows:
        return LexicalResult((), 0)
    hits = tuple(
        LexicalHit(row["chunk_id"], row["entry_id"], row["score"], row["coverage"], row["words"].bit_count())
        for row in rows
        if row["chunk_id"] is not None
    )
    return LexicalResult(hits, rows[0]["version"])


# asked: the question's terms, the rarest first, with their weights; words that no chunk contains weigh most in ``whole``.
# Terms of one meaning are one word there, which weighs as much as the rarest of them.
# scored: BM25 summed over the postings of each chunk; what does not depend on the posting is worked out once per term.
# The outer query walks down the ranking and asks for each chunk whether it may be seen, until enough are found. "offset 0" makes
# these look-ups by primary key whatever the planner believes: before the first "analyze" it would read all entries each time.
SEARCH = """
with state as materialized (
    select version, greatest(chunks, 1)::float8 as chunks,
           $10::float8 * (1 - $11::float8) as flat,
           $10::float8 * $11::float8 * greatest(chunks, 1) / greatest(terms, 1) as per_term
    from knowledge_state where team_id = $1
),
known as materialized (
    select t.term, ($12::int[])[array_position($2::text[], t.term)] as word,
           ln(1 + (s.chunks - t.chunks + 0.5::float8) / (t.chunks + 0.5::float8)) as weight,
           sum(t.chunks) over (order by t.chunks, t.term) as postings,
           row_number() over (order by t.chunks, t.term) as place
    from knowledge_terms t, state s
    where t.team_id = $1 and t.term = any ($2::text[])
),
asked as materialized (
    select term, word, weight, weight * ($10::float8 + 1) as most, s.flat, s.per_term
    from known, state s where place = 1 or postings <= $9
),
whole as materialized (
    select coalesce((select sum(heaviest) from (select max(weight) as heaviest from asked group by word) as words), 0)
           + (select count(distinct word) from unnest($12::int[]) as word where word not in (select word from known))
             * ln(1 + (s.chunks + 0.5::float8) / 0.5::float8) as weight
    from state s
)
select s.version, hit.*
from state s
left join lateral (
    select ranked.chunk_id, visible.entry_id, ranked.score, least(ranked.matched / nullif(whole.weight, 0), 1) as coverage,
           ranked.words
    from (
        select number >> 24 as chunk_id, sum(a.weight) as matched, bit_or(1::bigint << a.word % 63) as words,
               sum(a.most * ((number >> 16) & 255) / (((number >> 16) & 255) + a.flat + a.per_term * (number & 65535))) as score
        from asked a
        join knowledge_postings p on p.team_id = $1 and p.term = a.term
        cross join lateral unnest(p.packed) as number
        group by 1
        order by score desc, chunk_id
    ) as ranked
    cross join whole
    cross join lateral (
        select c.entry_id
        from (select entry_id, team_id from knowledge_chunks where id = ranked.chunk_id offset 0) as c
        cross join lateral (select * from knowledge_entries where id = c.entry_id offset 0) as e
        where c.team_id = $1 and e.team_id = $1 and e.status = 'published' and e.scope = any ($3::text[])
          and ($4::text is null or e.language = $4) and (cardinality($5::text[]) = 0 or e.category = any ($5))
          and e.trust >= $6 and ($7::date is null or e.updated_on >= $7) and e.id <> all ($13::bigint[])
        limit 1
    ) as visible
    order by ranked.score desc, ranked.chunk_id
    limit $8
) as hit on true
order by hit.score desc nulls last, hit.chunk_id
"""
