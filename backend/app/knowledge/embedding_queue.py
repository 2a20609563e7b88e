"""Gives new and edited entries their vectors, in the background and in small portions.

Nothing is queued: what is missing is read off the tables, so work lost in a crash is simply found again, and a change of the
model makes every entry missing without touching the old vectors.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.embeddings.embedder import Embedder
from app.knowledge.vectors import packed
from app.storage.database import Database, Session

logger = logging.getLogger(__name__)

PORTION = 8  # entries of one workspace before the next may have its turn
LEASE = timedelta(minutes=5)  # longer than any portion takes


@dataclass(frozen=True)
class EmbeddingProgress:
    """How far the search by meaning has come in a workspace, or in all of them."""

    embedded: int
    published: int

    @property
    def missing(self) -> int:
        return self.published - self.embedded


@dataclass(frozen=True)
class _Pending:
    team_id: str
    entry_id: int
    version: int
    title: str
    chunks: tuple[tuple[int, str], ...]  # position, text

    @property
    def texts(self) -> list[str]:
        return embedded_texts(self.title, [text for _, text in self.chunks])


def embedded_texts(title: str, chunks: Sequence[str]) -> list[str]:
    """The title by itself and with each chunk: both are searched."""
    return [title, *(f"{title}\n{chunk}" for chunk in chunks)]


class EmbeddingQueue:
    """For the job that runs once in a while, and for imports that wait for it."""

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder
        self._complete: dict[str, int] = {}  # by workspace, the version of its knowledge at which nothing was missing

    async def embed_pending(self, limit: int = 100) -> int:
        """Embeds up to ``limit`` entries of all workspaces, the newest first; how many were done.

        What somebody has just written is asked for now; a library that was loaded whole may wait behind it.
        May run in several processes at once: a workspace is worked on by one of them. What a killed one leaves is taken up again
        when its lease has run out.
        """
        done = 0
        while done < limit and (team_id := await self._claim()):
            try:
                done += await self._embed_portion(team_id, min(PORTION, limit - done))
            finally:
                async with self._database.reading() as session:
                    await session.execute("update knowledge_state set embedding_until = null where team_id = $1", team_id)
        return done

    async def _claim(self) -> str | None:
        """A workspace where something is missing; one that has not changed since it lacked nothing is not looked through."""
        async with self._database.transaction() as session:
            versions = {row["team_id"]: row["version"] for row in await session.fetch(_FREE)}
            changed = [team_id for team_id, version in versions.items() if self._complete.get(team_id) != version]
            if not changed:
                return None
            team_id: str | None = await session.fetch_value(_CLAIM, self._embedder.model, LEASE, changed)
        if team_id is None:
            self._complete |= {team_id: versions[team_id] for team_id in changed}
        return team_id

    async def _embed_portion(self, team_id: str, limit: int) -> int:
        async with self._database.reading() as session:
            portion = await self._next(session, team_id, limit)
        for entry in portion:
            vectors = await self._embedder.embed_passages(entry.texts)
            positions = (-1, *(position for position, _ in entry.chunks))
            rows = [
                (entry.team_id, self._embedder.model, entry.entry_id, position, entry.version, packed(vector))
                for position, vector in zip(positions, vectors, strict=True)
            ]
            async with self._database.transaction() as session:
                await _write(session, entry, rows)
        logger.info("entries_embedded", extra={"team_id": team_id, "entries": len(portion), "model": self._embedder.model})
        return len(portion)

    async def progress(self, team_id: str | None = None) -> EmbeddingProgress:
        """Of one workspace, or of all."""
        async with self._database.reading() as session:
            row = await session.fetch_row(_PROGRESS, self._embedder.model, team_id)
        assert row is not None
        return EmbeddingProgress(row["embedded"], row["published"])

    async def forget_other_models(self) -> int:
        """Removes vectors of models no longer used, once nothing is missing; how many."""
        if (await self.progress()).missing:
            return 0
        async with self._database.transaction() as session:
            return await session.execute("delete from knowledge_vectors where model <> $1", self._embedder.model)

    async def _next(self, session: Session, team_id: str, limit: int) -> list[_Pending]:
        rows = await session.fetch(_PENDING, self._embedder.model, limit, team_id)
        return [
            _Pending(
                row["team_id"], row["id"], row["version"], row["title"],
                tuple(zip(row["positions"], row["texts"], strict=True)),
            )
            for row in rows
        ]  # fmt: skip


async def _write(session: Session, entry: _Pending, rows: list[tuple[str, str, int, int, int, bytes]]) -> None:
    """The version grows, so that searchers read the vectors again; an entry that has changed meanwhile is left for later."""
    await session.execute("update knowledge_state set version = version + 1 where team_id = $1", entry.team_id)
    is_current = await session.fetch_value(
        "select true from knowledge_entries where team_id = $1 and id = $2 and version = $3 and status = 'published' for share",
        entry.team_id, entry.entry_id, entry.version,
    )  # fmt: skip
    if not is_current:
        return
    await session.execute("delete from knowledge_vectors where team_id = $1 and model = $2 and entry_id = $3", *rows[0][:3])
    await session.execute_many("insert into knowledge_vectors values ($1, $2, $3, $4, $5, $6)", rows)


_HAS_VECTORS = """
exists (select 1 from knowledge_vectors v where v.team_id = e.team_id and v.model = $1 and v.entry_id = e.id and v.position = -1
                                            and v.entry_version = e.version)
"""

_PENDING = f"""
select e.team_id, e.id, e.version, e.title,
       array(select c.position from knowledge_chunks c where c.entry_id = e.id order by c.position) as positions,
       array(select c.text from knowledge_chunks c where c.entry_id = e.id order by c.position) as texts
from knowledge_entries e
where e.team_id = $3 and e.status = 'published' and not {_HAS_VECTORS}
order by e.changed_at desc, e.id limit $2
"""  # noqa: S608  (a constant)

_FREE = "select team_id, version from knowledge_state where embedding_until is null or embedding_until < now()"

_CLAIM = f"""
update knowledge_state set embedding_until = now() + $2
where team_id = (
    select s.team_id from knowledge_state s
    cross join lateral (
        select e.changed_at from knowledge_entries e
        where e.team_id = s.team_id and e.status = 'published' and not {_HAS_VECTORS}
        order by e.changed_at desc limit 1
    ) as newest
    where s.team_id = any($3::text[]) and (s.embedding_until is null or s.embedding_until < now())
    order by newest.changed_at desc limit 1 for update of s skip locked
)
returning team_id
"""  # noqa: S608  (a constant)

_PROGRESS = f"""
select count(*) as published, count(*) filter (where {_HAS_VECTORS}) as embedded
from knowledge_entries e where e.status = 'published' and ($2::text is null or e.team_id = $2)
"""  # noqa: S608  (a constant)
