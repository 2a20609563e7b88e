"""What waits for a decision, and what an owner should know before deciding."""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from app.core.encryption import Cipher
from app.core.errors import NotAllowed, NotFound
from app.knowledge.entry import Entry, Status, may_publish
from app.knowledge.passage import Passage
from app.knowledge.proposals.draft import Proposal
from app.knowledge.proposals.remarks import NO_REMARKS, Remarks, question_for, remarks_on
from app.knowledge.proposals.repository import ProposalRepository
from app.knowledge.repository import KnowledgeRepository
from app.knowledge.tokens import Tokenizer
from app.people.person import Actor
from app.storage.database import Database

MOST_COMPARED = 8


class Knowledge(Protocol):
    """As ``knowledge.search.KnowledgeSearch``."""

    async def search(self, text: str, *, actor: Actor, limit: int = 5) -> list[Passage]: ...


@dataclass(frozen=True)
class ProposalOnTheTable:
    """A proposal with the entry it would change, if any, and what is to be said about it."""

    proposal: Proposal
    standing: Entry | None = None
    remarks: Remarks = NO_REMARKS


class ReadProposals:
    """For those who decide; ``NotAllowed`` for everybody else."""

    def __init__(self, *, database: Database, cipher: Cipher, knowledge: Knowledge, tokenizer: Tokenizer) -> None:
        self._database = database
        self._cipher = cipher
        self._knowledge = knowledge
        self._tokenizer = tokenizer

    async def waiting(self, actor: Actor) -> list[Proposal]:
        """The longest waiting first."""
        _insist(actor)
        async with self._database.reading() as session:
            return await ProposalRepository(session, self._cipher, actor.team_id).open_ones()

    async def one(self, actor: Actor, proposal_id: str) -> ProposalOnTheTable:
        """With remarks as of now: entries that came in since it was proposed count too."""
        _insist(actor)
        async with self._database.reading() as session:
            proposal = await ProposalRepository(session, self._cipher, actor.team_id).proposal(proposal_id)
        if proposal is None:
            raise NotFound(f"no proposal {proposal_id}")
        standing = await self._entries(actor, [proposal.draft.changes] if proposal.draft.changes else [])
        found = await self._knowledge.search(
            question_for(proposal.draft), actor=replace(actor, is_private=True), limit=MOST_COMPARED
        )
        others = await self._entries(actor, [passage.entry_id for passage in found])
        others = [entry for entry in others if entry.entry_id != proposal.entry_id]
        remarks = await asyncio.to_thread(remarks_on, proposal.draft, others, self._tokenizer)
        return ProposalOnTheTable(proposal, standing[0] if standing else None, remarks)

    async def of_proposer(self, team_id: str, proposal_id: str) -> Proposal | None:
        """For telling a proposer what became of it."""
        async with self._database.reading() as session:
            return await ProposalRepository(session, self._cipher, team_id).proposal(proposal_id)

    async def _entries(self, actor: Actor, entry_ids: list[int]) -> list[Entry]:
        async with self._database.reading() as session:
            repository = KnowledgeRepository(session, actor.team_id)
            found = [await repository.entry(entry_id) for entry_id in entry_ids]
        return [entry for entry in found if entry is not None and entry.status is Status.PUBLISHED]


def _insist(actor: Actor) -> None:
    if not may_publish(actor):
        raise NotAllowed("only managers and owners read what is proposed")
