"""An entry with its history: which versions, by whom, let in by whom, and what people's verdicts do to its rank."""

from dataclasses import dataclass

from app.core.encryption import Cipher
from app.core.errors import NotFound
from app.knowledge.entry import Entry, Status, may_publish, scopes_of
from app.knowledge.judgements.repository import JudgementRepository, Verdicts
from app.knowledge.library import Library
from app.knowledge.proposals.repository import ProposalRepository
from app.knowledge.repository import KnowledgeRepository, StoredVersion
from app.people.person import Actor
from app.storage.database import Database


@dataclass(frozen=True)
class EntryDetails:
    """``approvals``: who let which version in, where it was proposed. ``versions``: the newest first."""

    entry: Entry
    versions: tuple[StoredVersion, ...]
    approvals: dict[int, str]
    verdicts: Verdicts
    may_change: bool


class ShowEntry:
    """For everybody who may see the entry; those who publish see also what is archived."""

    def __init__(self, *, database: Database, cipher: Cipher, library: Library) -> None:
        self._database = database
        self._cipher = cipher
        self._library = library

    async def __call__(self, actor: Actor, entry_id: int) -> EntryDetails:
        """``NotFound`` when there is none that the actor may see."""
        async with self._database.reading() as session:
            knowledge = KnowledgeRepository(session, actor.team_id)
            entry = await knowledge.entry(entry_id)
            if entry is None or not _may_see(actor, entry):
                raise NotFound(f"no knowledge entry {entry_id}")
            versions = await knowledge.versions_of(entry_id)
            approvals = await ProposalRepository(session, self._cipher, actor.team_id).approvals_of(entry_id)
            verdicts = await JudgementRepository(session).verdicts_on(actor.team_id, entry_id)
        return EntryDetails(entry, tuple(versions), approvals, verdicts, may_publish(actor))

    async def roll_back(self, actor: Actor, entry_id: int, *, to_version: int) -> Entry:
        """One step: the earlier text is found at once, as the newest version. ``NotAllowed`` for those who may only propose."""
        await self(actor, entry_id)
        return await self._library.roll_back(entry_id, to_version=to_version, actor=actor)


def _may_see(actor: Actor, entry: Entry) -> bool:
    return entry.draft.scope in scopes_of(actor) and (entry.status is Status.PUBLISHED or may_publish(actor))
