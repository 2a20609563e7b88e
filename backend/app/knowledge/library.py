"""Writing knowledge: saving, publishing, archiving and going back to an earlier version.

Whatever changes an entry changes its words in the index in the same transaction: from that moment it is found, or no longer.
Vectors follow in the background (``embedding_queue``).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.clock import Clock, SystemClock
from app.core.errors import NotAllowed, NotFound
from app.knowledge.chunking import chunks_of
from app.knowledge.entry import Draft, Entry, Status, may_publish
from app.knowledge.lexical_index import LexicalIndex
from app.knowledge.repository import KnowledgeRepository, PreparedChunk, StoredVersion
from app.knowledge.tokens import Tokenizer
from app.people.person import Actor
from app.storage.database import Database, Session

logger = logging.getLogger(__name__)

BATCH = 50  # drafts written by one transaction


@dataclass(frozen=True)
class Saved:
    """What became of a number of drafts, by slug."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


@dataclass(frozen=True)
class PreparedEntry:
    """A draft cut into what is indexed: the slow part of writing it, done before the transaction."""

    draft: Draft
    chunks: tuple[PreparedChunk, ...]


class Library:
    """The knowledge of all workspaces, for those who change it."""

    def __init__(self, database: Database, tokenizer: Tokenizer, clock: Clock | None = None) -> None:
        self._database = database
        self._tokenizer = tokenizer
        self._clock = clock or SystemClock()

    async def save(self, drafts: Sequence[Draft], *, actor: Actor, status: Status = Status.PUBLISHED) -> Saved:
        """Creates or edits entries; equal ones are left alone. ``NotAllowed`` when the actor may only propose.

        Long lists are written in several transactions: those before a failure stand, and saving again continues.
        """
        if status is not Status.PROPOSED and not may_publish(actor):
            raise NotAllowed("only managers and owners publish knowledge")
        saved = Saved()
        for start in range(0, len(drafts), BATCH):
            saved += await self._save_batch(drafts[start : start + BATCH], actor, status)
        return saved

    async def prepare(self, draft: Draft) -> PreparedEntry:
        """For :meth:`publish_within`."""
        return PreparedEntry(draft, tuple(await asyncio.to_thread(self._chunks_of, draft)))

    async def lock(self, session: Session, *, actor: Actor) -> None:
        """Before anything else in a transaction that publishes: writers of one workspace follow one another."""
        await LexicalIndex(session, actor.team_id).lock()

    async def publish_within(
        self, session: Session, prepared: PreparedEntry, *, actor: Actor, author_id: str | None
    ) -> tuple[int, int]:
        """Publishes in the caller's transaction, which has the lock; the entry's id and its version. ``NotAllowed`` as ``save``.

        ``author_id`` wrote the text, ``actor`` lets it in.
        """
        if not may_publish(actor):
            raise NotAllowed("only managers and owners publish knowledge")
        entry_id, version = await KnowledgeRepository(session, actor.team_id).write(
            prepared.draft, status=Status.PUBLISHED, author_id=author_id, now=self._clock.now()
        )
        await _reindex(session, actor.team_id, {entry_id: list(prepared.chunks)})
        return entry_id, version

    async def publish(self, entry_id: int, *, actor: Actor) -> Entry:
        """Makes an entry findable as it stands."""
        return await self._move(entry_id, Status.PUBLISHED, actor)

    async def archive(self, entry_id: int, *, actor: Actor) -> Entry:
        """Takes an entry out of the search; it keeps its versions."""
        return await self._move(entry_id, Status.ARCHIVED, actor)

    async def roll_back(self, entry_id: int, *, to_version: int, actor: Actor) -> Entry:
        """The text of an earlier version becomes the newest version."""
        entry = await self.entry(entry_id, actor=actor)
        earlier = next((former for former in await self.versions_of(entry_id, actor=actor) if former.version == to_version), None)
        if earlier is None:
            raise NotFound(f"entry {entry_id} has no version {to_version}")
        await self.save([earlier.draft], actor=actor, status=entry.status)
        return await self.entry(entry_id, actor=actor)

    async def entry(self, entry_id: int, *, actor: Actor) -> Entry:
        """``NotFound`` when there is none in the actor's workspace."""
        async with self._database.reading() as session:
            entry = await KnowledgeRepository(session, actor.team_id).entry(entry_id)
        if entry is None:
            raise NotFound(f"no knowledge entry {entry_id}")
        return entry

    async def versions_of(self, entry_id: int, *, actor: Actor) -> list[StoredVersion]:
        async with self._database.reading() as session:
            return await KnowledgeRepository(session, actor.team_id).versions_of(entry_id)

    async def _save_batch(self, drafts: Sequence[Draft], actor: Actor, status: Status) -> Saved:
        by_slug = {draft.slug: draft for draft in drafts}
        async with self._database.reading() as session:
            before = await KnowledgeRepository(session, actor.team_id).stored_under(list(by_slug))
        if not may_publish(actor) and before:
            raise NotAllowed("a proposal must not replace an entry that stands: " + ", ".join(before))
        pending = [
            draft
            for slug, draft in by_slug.items()
            if slug not in before or before[slug].content_hash != draft.content_hash or before[slug].status is not status
        ]
        if not pending:
            return Saved(unchanged=tuple(by_slug))
        prepared = await asyncio.to_thread(self._prepare, pending) if status is Status.PUBLISHED else [[] for _ in pending]
        async with self._database.transaction() as session:
            await LexicalIndex(session, actor.team_id).lock()
            repository = KnowledgeRepository(session, actor.team_id)
            now = self._clock.now()
            written = [
                (await repository.write(draft, status=status, author_id=actor.user_id or None, now=now))[0] for draft in pending
            ]
            await _reindex(session, actor.team_id, dict(zip(written, prepared, strict=True)))
        changed = tuple(draft.slug for draft in pending)
        logger.info("knowledge_saved", extra={"team_id": actor.team_id, "entries": len(changed), "status": status})
        return Saved(
            created=tuple(slug for slug in changed if slug not in before),
            changed=tuple(slug for slug in changed if slug in before),
            unchanged=tuple(slug for slug in by_slug if slug not in changed),
        )

    async def _move(self, entry_id: int, status: Status, actor: Actor) -> Entry:
        if not may_publish(actor):
            raise NotAllowed("only managers and owners publish knowledge")
        entry = await self.entry(entry_id, actor=actor)
        chunks = (await asyncio.to_thread(self._prepare, [entry.draft]))[0] if status is Status.PUBLISHED else []
        async with self._database.transaction() as session:
            await LexicalIndex(session, actor.team_id).lock()
            repository = KnowledgeRepository(session, actor.team_id)
            current = await repository.entry(entry_id)
            if current is None or current.version != entry.version:
                raise NotFound(f"knowledge entry {entry_id} has been changed by somebody else meanwhile")
            await repository.set_status(entry_id, status, now=self._clock.now())
            await _reindex(session, actor.team_id, {entry_id: chunks})
        return replace(entry, status=status)

    def _prepare(self, drafts: Sequence[Draft]) -> list[list[PreparedChunk]]:
        return [self._chunks_of(draft) for draft in drafts]

    def _chunks_of(self, draft: Draft) -> list[PreparedChunk]:
        """Each chunk is also found by the entry's title, tags and the headings above it."""
        frame = "\n".join((draft.title, *draft.tags))
        prepared = []
        for chunk in chunks_of(draft.body):
            terms = Counter(
                self._tokenizer.terms_of(f"{frame}\n{_headings_above(chunk.heading, chunk.text)}\n{chunk.text}", draft.language)
            )
            prepared.append(
                PreparedChunk(
                    chunk.position, chunk.heading, chunk.text, tuple(terms), tuple(min(n, 32_767) for n in terms.values())
                )
            )
        return prepared


def _headings_above(heading: str, text: str) -> str:
    """The path without the heading line that the text itself begins with."""
    first_line = text.partition("\n")[0].lstrip("# ").strip()
    return " ".join(step for step in heading.split(" › ") if step != first_line)


async def _reindex(session: Session, team_id: str, chunks_by_entry: dict[int, list[PreparedChunk]]) -> None:
    repository, index = KnowledgeRepository(session, team_id), LexicalIndex(session, team_id)
    old = await repository.indexed_chunks_of(list(chunks_by_entry))
    if old:
        await index.remove(old)
        await repository.delete_chunks_of(list(chunks_by_entry))
    await index.add(
        [await repository.add_chunk(entry_id, chunk) for entry_id, chunks in chunks_by_entry.items() for chunk in chunks]
    )
