"""Entries and their parts in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.i18n.language import Language
from app.knowledge.entry import Category, Draft, Entry, Status, Trust
from app.knowledge.lexical_index import IndexedChunk
from app.storage.database import Record, Session


@dataclass(frozen=True)
class Stored:
    """What is stored under a slug, as far as a writer must know it."""

    entry_id: int
    content_hash: bytes
    status: Status
    version: int


@dataclass(frozen=True)
class PreparedChunk:
    """A chunk before it is written."""

    position: int
    heading: str
    text: str
    terms: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class StoredVersion:
    """One former state of an entry."""

    version: int
    draft: Draft
    author_id: str | None
    written_at: datetime


class KnowledgeRepository:
    """All questions about the entries of one workspace."""

    def __init__(self, session: Session, team_id: str) -> None:
        self._session = session
        self._team_id = team_id

    async def stored_under(self, slugs: Sequence[str]) -> dict[str, Stored]:
        rows = await self._session.fetch(
            "select slug, id, content_hash, status, version from knowledge_entries where team_id = $1 and slug = any ($2)",
            self._team_id, list(slugs),
        )  # fmt: skip
        return {row["slug"]: Stored(row["id"], bytes(row["content_hash"]), Status(row["status"]), row["version"]) for row in rows}

    async def write(self, draft: Draft, *, status: Status, author_id: str | None, now: datetime) -> tuple[int, int]:
        """Creates the entry or makes the draft its next version; the entry's id and the version."""
        row = await self._session.fetch_row(
            _WRITE, self._team_id, draft.slug, draft.title, draft.body, draft.category, list(draft.tags), draft.language,
            draft.scope, int(draft.trust), status, draft.source, draft.url, author_id, draft.owner_id, draft.review_on,
            draft.content_hash, draft.updated_on, now,
        )  # fmt: skip
        assert row is not None
        await self._session.execute(_KEEP_VERSION, self._team_id, row["id"])
        return row["id"], row["version"]

    async def set_status(self, entry_id: int, status: Status, *, now: datetime) -> None:
        await self._session.execute(
            "update knowledge_entries set status = $3, changed_at = $4 where team_id = $1 and id = $2",
            self._team_id, entry_id, status, now,
        )  # fmt: skip

    async def indexed_chunks_of(self, entry_ids: Sequence[int]) -> list[IndexedChunk]:
        rows = await self._session.fetch(
            "select id, terms, counts from knowledge_chunks where team_id = $1 and entry_id = any ($2)",
            self._team_id, list(entry_ids),
        )  # fmt: skip
        return [IndexedChunk(row["id"], row["terms"], row["counts"]) for row in rows]

    async def delete_chunks_of(self, entry_ids: Sequence[int]) -> None:
        await self._session.execute(
            "delete from knowledge_chunks where team_id = $1 and entry_id = any ($2)", self._team_id, list(entry_ids)
        )

    async def add_chunk(self, entry_id: int, chunk: PreparedChunk) -> IndexedChunk:
        chunk_id = await self._session.fetch_value(
            """
            insert into knowledge_chunks (team_id, entry_id, position, heading, text, terms, counts)
            values ($1, $2, $3, $4, $5, $6, $7) returning id
            """,
            self._team_id, entry_id, chunk.position, chunk.heading, chunk.text, list(chunk.terms), list(chunk.counts),
        )  # fmt: skip
        return IndexedChunk(chunk_id, chunk.terms, chunk.counts)

    async def entry(self, entry_id: int) -> Entry | None:
        row = await self._session.fetch_row(
            "select * from knowledge_entries where team_id = $1 and id = $2", self._team_id, entry_id
        )
        return _entry(row) if row else None

    async def entries(
        self, *, status: Status, category: Category | None = None, after_id: int = 0, limit: int = 50
    ) -> list[Entry]:
        """In order of their ids, from behind ``after_id`` on."""
        rows = await self._session.fetch(
            """
            select * from knowledge_entries
            where team_id = $1 and status = $2 and ($3::text is null or category = $3) and id > $4
            order by id limit $5
            """,
            self._team_id, status, category, after_id, limit,
        )  # fmt: skip
        return [_entry(row) for row in rows]

    async def versions_of(self, entry_id: int, *, limit: int = 50) -> list[StoredVersion]:
        """The newest first."""
        rows = await self._session.fetch(
            """
            select v.*, e.slug, e.owner_id, e.review_on
            from knowledge_versions v join knowledge_entries e on e.id = v.entry_id and e.team_id = v.team_id
            where v.team_id = $1 and v.entry_id = $2 order by v.version desc limit $3
            """,
            self._team_id, entry_id, limit,
        )  # fmt: skip
        return [StoredVersion(row["version"], _draft(row), row["author_id"], row["written_at"]) for row in rows]

    async def stale(self, *, today: date, checked_before: date, used_since: datetime, limit: int) -> list[Entry]:
        """What should be looked at again: its review date has come, or it is old and people still get answers from it."""
        rows = await self._session.fetch(_STALE, self._team_id, today, checked_before, used_since, limit)
        return [_entry(row) for row in rows]

    async def count(self) -> dict[Status, int]:
        """How many entries there are in each status."""
        rows = await self._session.fetch(
            "select status, count(*) as entries from knowledge_entries where team_id = $1 group by status", self._team_id
        )
        return {Status(row["status"]): row["entries"] for row in rows}


async def workspaces_with_knowledge(session: Session) -> list[str]:
    """For what is done in all of them."""
    return [row["team_id"] for row in await session.fetch("select team_id from knowledge_state order by team_id limit 1000")]


def _entry(row: Record) -> Entry:
    return Entry(row["id"], _draft(row), Status(row["status"]), row["version"], row["author_id"], row["changed_at"])


def _draft(row: Record | dict[str, Any]) -> Draft:
    updated_on: date = row["updated_on"]
    return Draft(
        slug=row["slug"], title=row["title"], body=row["body"], category=Category(row["category"]),
        language=Language(row["language"]), updated_on=updated_on, tags=tuple(row["tags"]), scope=row["scope"],
        trust=Trust(row["trust"]), source=row["source"], url=row["url"], owner_id=row["owner_id"], review_on=row["review_on"],
    )  # fmt: skip


# Used: cited by an answer, or judged by somebody.
_STALE = """
select e.* from knowledge_entries e
where e.team_id = $1 and e.status = 'published' and (e.review_on <= $2 or (e.updated_on < $3 and (
    exists (select 1 from knowledge_feedback f where f.team_id = $1 and f.entry_id = e.id and f.given_at >= $4)
    or e.id = any (array(
        select distinct source.id::bigint
        from dialogue_messages m, jsonb_array_elements_text(m.sources) as source (id)
        where m.team_id = $1 and m.role = 'coach' and m.said_at >= $4)))))
order by e.review_on nulls last, e.updated_on, e.id limit $5
"""

_WRITE = """
insert into knowledge_entries as e (team_id, slug, title, body, category, tags, language, scope, trust, status, source, url,
                                    author_id, owner_id, review_on, content_hash, updated_on, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict (team_id, slug) do update set
    title = excluded.title, body = excluded.body, category = excluded.category, tags = excluded.tags,
    language = excluded.language, scope = excluded.scope, trust = excluded.trust, status = excluded.status,
    source = excluded.source, url = excluded.url, author_id = excluded.author_id, owner_id = excluded.owner_id,
    review_on = excluded.review_on, content_hash = excluded.content_hash, updated_on = excluded.updated_on,
    changed_at = excluded.changed_at, version = e.version + 1
returning id, version
"""

_KEEP_VERSION = """
insert into knowledge_versions (team_id, entry_id, version, title, body, category, tags, language, scope, trust, source, url,
                                updated_on, author_id, written_at)
select team_id, id, version, title, body, category, tags, language, scope, trust, source, url, updated_on, author_id, changed_at
from knowledge_entries where team_id = $1 and id = $2
"""
