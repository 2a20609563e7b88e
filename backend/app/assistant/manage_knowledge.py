"""The company's knowledge for its administrators: lists, entries with their history, and changes that overwrite nobody's."""

import secrets
from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.core.clock import Clock
from app.core.errors import NotFound
from app.knowledge.browsing.repository import BrowseRepository, EntryPage, Wanted, is_personal
from app.knowledge.entry import Draft, Entry, Status, system_actor
from app.knowledge.judgements.repository import JudgementRepository, Verdicts
from app.knowledge.library import Library
from app.knowledge.repository import KnowledgeRepository, StoredVersion
from app.storage.database import Database

REVIEW_SOON = timedelta(days=14)


@dataclass(frozen=True)
class Shown:
    """An entry with its versions, the newest first."""

    entry: Entry
    versions: tuple[StoredVersion, ...]
    verdicts: Verdicts

    def version(self, number: int) -> StoredVersion:
        """``NotFound`` when there is none of this number (any more)."""
        found = next((version for version in self.versions if version.version == number), None)
        if found is None:
            raise NotFound(f"entry {self.entry.entry_id} has no version {number}")
        return found


class ChangedMeanwhile(Exception):
    """Somebody else has saved the entry since it was opened; ``entry`` is how it stands now."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.entry_id)
        self.entry = entry


class ManageKnowledge:
    """One workspace's knowledge, with an administrator's rights. Personal entries are not administered."""

    def __init__(self, *, database: Database, library: Library, clock: Clock) -> None:
        self._database = database
        self._library = library
        self._clock = clock

    async def page(self, team_id: str, wanted: Wanted, *, number: int) -> tuple[EntryPage, dict[Status, int]]:
        """A page of the list, and how many entries there are of each status."""
        async with self._database.reading() as session:
            browse = BrowseRepository(session, team_id)
            return await browse.page(wanted, number=number), await browse.status_counts()

    def review_horizon(self) -> date:
        """Entries to be reviewed until this day are due."""
        return (self._clock.now() + REVIEW_SOON).date()

    async def show(self, team_id: str, entry_id: int) -> Shown:
        async with self._database.reading() as session:
            knowledge = KnowledgeRepository(session, team_id)
            entry = await knowledge.entry(entry_id)
            if entry is None or is_personal(entry.draft.scope):
                raise NotFound(f"no knowledge entry {entry_id}")
            versions = await knowledge.versions_of(entry_id)
            verdicts = await JudgementRepository(session).verdicts_on(team_id, entry_id)
        return Shown(entry, tuple(versions), verdicts)

    async def create(self, team_id: str, draft: Draft) -> Entry:
        """Publishes a new entry. What stands under ``draft.slug`` is ignored: it gets a name of its own."""
        fresh = replace(draft, slug=f"console/{secrets.token_hex(6)}")
        await self._library.save([fresh], actor=system_actor(team_id))
        async with self._database.reading() as session:
            stored = await KnowledgeRepository(session, team_id).stored_under([fresh.slug])
        return await self._library.entry(stored[fresh.slug].entry_id, actor=system_actor(team_id))

    async def edit(self, team_id: str, entry_id: int, draft: Draft, *, based_on: int) -> Entry:
        """Saves a new version; ``ChangedMeanwhile`` when version ``based_on`` is not the newest any more."""
        entry = (await self.show(team_id, entry_id)).entry
        if entry.version != based_on:
            raise ChangedMeanwhile(entry)
        status = Status.PUBLISHED if entry.status is Status.PROPOSED else entry.status
        await self._library.save([replace(draft, slug=entry.draft.slug)], actor=system_actor(team_id), status=status)
        return await self._library.entry(entry_id, actor=system_actor(team_id))

    async def publish(self, team_id: str, entry_id: int) -> None:
        await self.show(team_id, entry_id)
        await self._library.publish(entry_id, actor=system_actor(team_id))

    async def archive(self, team_id: str, entry_id: int) -> None:
        await self.show(team_id, entry_id)
        await self._library.archive(entry_id, actor=system_actor(team_id))

    async def roll_back(self, team_id: str, entry_id: int, *, to_version: int) -> None:
        await self.show(team_id, entry_id)
        await self._library.roll_back(entry_id, to_version=to_version, actor=system_actor(team_id))
