"""Files become knowledge: entries for those who may publish, proposals for everybody else. A mistake is taken back whole."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath

from app.assistant.propose_knowledge import ProposeKnowledge
from app.core.clock import Clock
from app.core.errors import BadRequest, NotAllowed, TooManyRequests
from app.i18n.language import Language
from app.knowledge.entry import Draft, may_publish
from app.knowledge.importing.files import FileResult, read_content, slug_of
from app.knowledge.importing.markdown import Defaults
from app.knowledge.importing.problem import NotReadable
from app.knowledge.importing.repository import MOST_OF_A_FILE, ImportRepository, Written
from app.knowledge.library import Library, Saved
from app.knowledge.proposals.draft import LONGEST_TITLE, EntryDraft
from app.people.person import Actor
from app.storage.database import Database

MOST_ENTRIES = 2_000  # of one uploaded file: more would keep the others waiting
MOST_PROPOSED = 10  # of one file: an owner reads each of them
_PARSED_AT_ONCE = 2
_UPLOADS = "upload/"

assert MOST_ENTRIES <= MOST_OF_A_FILE


@dataclass(frozen=True)
class Upload:
    """A file as it arrived."""

    name: str
    content: bytes

    @property
    def slug(self) -> str:
        """The same name again is a new version of the same file."""
        return _UPLOADS + slug_of(PurePath(PurePath(self.name).name))


@dataclass(frozen=True)
class Imported:
    """What became of one file. ``since`` and ``until`` say when its entries were written, for ``undo``."""

    name: str
    slug: str
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    proposed: tuple[str, ...] = ()
    problem: NotReadable | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Undone:
    """What became of the entries of an import that was taken back."""

    archived: int = 0
    restored: int = 0


class ImportKnowledge:
    """Reading happens in the sandbox, a few files at a time; a file that cannot be read changes nothing."""

    def __init__(self, *, database: Database, library: Library, propose: ProposeKnowledge, clock: Clock) -> None:
        self._database = database
        self._library = library
        self._propose = propose
        self._clock = clock
        self._parsing = asyncio.Semaphore(_PARSED_AT_ONCE)

    async def __call__(
        self,
        upload: Upload,
        *,
        actor: Actor,
        language: Language,
        since: datetime,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> Imported:
        """``since``: when this import was begun first, so that one that was interrupted reports and undoes all of its work.

        ``on_read`` hears how many entries there are before they are written.
        """
        result = await self._read(upload, language)
        problem = result.problem or _too_many(result.drafts, actor)
        if problem is not None:
            return Imported(upload.name, upload.slug, problem=problem)
        on_read(len(result.drafts))
        if not may_publish(actor):
            return await self._propose_all(upload, result.drafts, actor)
        drafts = await keeping_dates(self._database, actor.team_id, result)
        await self._library.save(drafts, actor=actor)
        return await self._report(upload, len(drafts), actor, since)

    async def undo(self, slug: str, *, author_id: str, since: datetime, until: datetime, actor: Actor) -> Undone:
        """Takes back what one import wrote and nobody has changed since. Undoing again finds nothing left."""
        if not may_publish(actor):
            raise NotAllowed("only managers and owners undo imports")
        archived = restored = 0
        for written in await self._written(slug, author_id, since, until, actor.team_id):
            if (before := await self._version_before(written, actor)) is None:
                await self._library.archive(written.entry_id, actor=actor)
                archived += 1
            else:
                await self._library.roll_back(written.entry_id, to_version=before, actor=actor)
                restored += 1
        return Undone(archived, restored)

    async def _read(self, upload: Upload, language: Language) -> FileResult:
        defaults = Defaults(fallback_language=language, source=upload.name, updated_on=self._clock.now().date())
        async with self._parsing:
            return await read_content(upload.content, name=upload.name, slug=upload.slug, defaults=defaults)

    async def _report(self, upload: Upload, count: int, actor: Actor, since: datetime) -> Imported:
        until = self._clock.now()
        written = await self._written(upload.slug, actor.user_id or None, since, until, actor.team_id)
        return Imported(
            upload.name, upload.slug,
            created=tuple(one.title for one in written if one.version == 1),
            changed=tuple(one.title for one in written if one.version > 1),
            unchanged=count - len(written), since=since, until=until,
        )  # fmt: skip

    async def _propose_all(self, upload: Upload, drafts: Sequence[Draft], actor: Actor) -> Imported:
        proposed: list[str] = []
        try:
            for draft in drafts:
                await self._propose(actor, _proposal(draft))
                proposed.append(draft.title)
        except TooManyRequests:
            return Imported(upload.name, upload.slug, proposed=tuple(proposed), problem=NotReadable("proposals_waiting"))
        except BadRequest:
            return Imported(upload.name, upload.slug, proposed=tuple(proposed), problem=NotReadable("too_long_to_propose"))
        return Imported(upload.name, upload.slug, proposed=tuple(proposed))

    async def _written(self, slug: str, author_id: str | None, since: datetime, until: datetime, team_id: str) -> list[Written]:
        async with self._database.reading() as session:
            return await ImportRepository(session, team_id).written_by(author_id, slug=slug, since=since, until=until)

    async def _version_before(self, written: Written, actor: Actor) -> int | None:
        """The version that had another text; ``None`` when there is none: the import brought the entry (back) to life."""
        versions = await self._library.versions_of(written.entry_id, actor=actor)
        current = next(one for one in versions if one.version == written.version)
        before = next((one for one in versions if one.version == written.version - 1), None)
        return before.version if before is not None and before.draft != current.draft else None


async def keeping_dates(database: Database, team_id: str, result: FileResult) -> list[Draft]:
    """The drafts; where a file does not say its date and nothing else is new, the entry keeps the date it has.

    Otherwise the same file would be a change each day it is imported.
    """
    if result.is_dated:
        return list(result.drafts)
    async with database.reading() as session:
        standing = await ImportRepository(session, team_id).standing([draft.slug for draft in result.drafts])
    kept = []
    for draft in result.drafts:
        before = standing.get(draft.slug)
        as_before = replace(draft, updated_on=before.updated_on) if before else draft
        kept.append(as_before if before and as_before.content_hash == before.content_hash else draft)
    return kept


async def save_all(database: Database, library: Library, results: Sequence[FileResult], *, actor: Actor) -> Saved:
    """Many files at once, for the command line."""
    return await library.save(await _all_drafts(database, results, actor), actor=actor)


async def preview(database: Database, results: Sequence[FileResult], *, actor: Actor) -> Saved:
    """What ``save_all`` would do, without doing it."""
    drafts = await _all_drafts(database, results, actor)
    async with database.reading() as session:
        standing = await ImportRepository(session, actor.team_id).standing([draft.slug for draft in drafts])
    is_same = {draft.slug: draft.slug in standing and standing[draft.slug].is_published_as(draft) for draft in drafts}
    return Saved(
        created=tuple(slug for slug in is_same if slug not in standing),
        changed=tuple(slug for slug, same in is_same.items() if slug in standing and not same),
        unchanged=tuple(slug for slug, same in is_same.items() if same),
    )


async def _all_drafts(database: Database, results: Sequence[FileResult], actor: Actor) -> list[Draft]:
    return [draft for result in results for draft in await keeping_dates(database, actor.team_id, result)]


def _too_many(drafts: Sequence[Draft], actor: Actor) -> NotReadable | None:
    if len(drafts) > MOST_ENTRIES:
        return NotReadable("too_many_entries", most=MOST_ENTRIES, count=len(drafts))
    if len(drafts) > MOST_PROPOSED and not may_publish(actor):
        return NotReadable("too_many_to_propose", most=MOST_PROPOSED, count=len(drafts))
    return None


def _proposal(draft: Draft) -> EntryDraft:
    return EntryDraft(
        draft.title[:LONGEST_TITLE], draft.body, draft.category, draft.language, draft.tags, draft.source, draft.url, draft.scope
    )
