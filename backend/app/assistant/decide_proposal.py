"""An owner decides about a proposal: lets it in, lets in what they make of it, or refuses it. The first decision counts."""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import NotAllowed, NotFound
from app.knowledge.entry import Entry, may_publish
from app.knowledge.library import Library, PreparedEntry
from app.knowledge.notices.notice import NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.proposals.draft import EntryDraft, Proposal, ProposalStatus, as_entry, tidied
from app.knowledge.proposals.repository import ProposalRepository
from app.knowledge.repository import KnowledgeRepository
from app.knowledge.requests.repository import RequestRepository
from app.people.person import Actor
from app.storage.database import Database, Session


class DecisionOutcome(StrEnum):
    """What became of a decision."""

    DONE = "done"
    TOO_LATE = "too_late"  # somebody else has decided
    OUTDATED = "outdated"  # the entry has got another text since the change to it was proposed


@dataclass(frozen=True)
class Decision:
    """The proposal as it stands now, and whether this decision counts."""

    proposal: Proposal
    outcome: DecisionOutcome


class DecideProposal:
    """For managers, owners and administrators: ``NotAllowed`` for everybody else, however the click came about."""

    def __init__(self, *, database: Database, cipher: Cipher, library: Library, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._library = library
        self._clock = clock

    async def approve(self, actor: Actor, proposal_id: str, *, edited: EntryDraft | None = None) -> Decision:
        """Publishes it: it is found by its words when this returns. ``edited`` is what the owner made of it.

        Whoever edits has seen how the entry stands now, so that a text proposed for an earlier version is no obstacle.
        """
        proposal = await self._waiting(actor, proposal_id)
        if proposal.status is not ProposalStatus.OPEN:
            return Decision(proposal, DecisionOutcome.TOO_LATE)
        draft = tidied(edited) if edited else proposal.draft
        before = await self._entry(actor, proposal.draft.changes)
        if before and edited is None and before.version != proposal.draft.base_version:
            return Decision(proposal, DecisionOutcome.OUTDATED)
        entry = as_entry(
            draft, slug=f"proposal-{proposal_id}", before=before, owner_id=actor.user_id, today=self._clock.now().date()
        )
        return await self._publish(actor, proposal, await self._library.prepare(entry), before)

    async def refuse(self, actor: Actor, proposal_id: str, *, reason: str = "") -> Decision:
        await self._waiting(actor, proposal_id)
        async with self._database.transaction() as session:
            decided = await ProposalRepository(session, self._cipher, actor.team_id).decide(
                proposal_id,
                ProposalStatus.REFUSED,
                decided_by=actor.user_id,
                at=self._clock.now(),
                reason=reason.strip() or None,
            )
            if decided is not None:
                await self._tell(session, decided)
        if decided is None:
            return Decision(await self._waiting(actor, proposal_id), DecisionOutcome.TOO_LATE)
        return Decision(decided, DecisionOutcome.DONE)

    async def _publish(self, actor: Actor, proposal: Proposal, prepared: PreparedEntry, before: Entry | None) -> Decision:
        async with self._database.transaction() as session:
            await self._library.lock(session, actor=actor)
            proposals = ProposalRepository(session, self._cipher, actor.team_id)
            current = await proposals.proposal(proposal.proposal_id, for_update=True)
            if current is None or current.status is not ProposalStatus.OPEN:
                return Decision(current or proposal, DecisionOutcome.TOO_LATE)
            if before and not await self._is_unchanged(session, actor, before):
                return Decision(proposal, DecisionOutcome.OUTDATED)
            written = await self._library.publish_within(
                session, prepared, actor=actor, author_id=proposal.proposed_by or actor.user_id
            )
            decided = await proposals.decide(
                proposal.proposal_id, ProposalStatus.APPROVED, decided_by=actor.user_id, at=self._clock.now(), entry=written
            )
            assert decided is not None
            await self._tell(session, decided)
            await self._close_request(session, decided)
        return Decision(decided, DecisionOutcome.DONE)

    async def _is_unchanged(self, session: Session, actor: Actor, before: Entry) -> bool:
        now = await KnowledgeRepository(session, actor.team_id).entry(before.entry_id)
        return now is not None and now.version == before.version

    async def _tell(self, session: Session, proposal: Proposal) -> None:
        """The proposer, unless they have decided themselves; the messages of those who were asked say how it ended."""
        notices = NoticeRepository(session)
        if proposal.proposed_by and proposal.proposed_by != proposal.decided_by:
            await notices.add(
                proposal.team_id, NoticeKind.DECIDED, proposal.proposal_id, to=[proposal.proposed_by], at=self._clock.now()
            )
        await notices.show_anew(proposal.team_id, NoticeKind.PROPOSAL, proposal.proposal_id)

    async def _close_request(self, session: Session, proposal: Proposal) -> None:
        request_id, entry_id = proposal.draft.request_id, proposal.entry_id
        if request_id is None or entry_id is None:
            return
        now = self._clock.now()
        askers = await RequestRepository(session, self._cipher, proposal.team_id).close(request_id, entry_id=entry_id, at=now)
        notices = NoticeRepository(session)
        others = [asker for asker in askers if asker != proposal.decided_by]
        await notices.add(proposal.team_id, NoticeKind.ANSWERED, str(request_id), to=others, at=now)
        await notices.show_anew(proposal.team_id, NoticeKind.REQUEST, str(request_id))

    async def _waiting(self, actor: Actor, proposal_id: str) -> Proposal:
        if not may_publish(actor):
            raise NotAllowed("only managers and owners decide about proposals")
        async with self._database.reading() as session:
            proposal = await ProposalRepository(session, self._cipher, actor.team_id).proposal(proposal_id)
        if proposal is None:
            raise NotFound(f"no proposal {proposal_id}")
        return proposal

    async def _entry(self, actor: Actor, entry_id: int | None) -> Entry | None:
        if entry_id is None:
            return None
        return await self._library.entry(entry_id, actor=actor)


def as_edited(proposal: Proposal, edited: EntryDraft, *, seen_version: int | None) -> EntryDraft:
    """What an owner made of a proposal: it stays about the same entry and the same request."""
    draft = proposal.draft
    return replace(edited, changes=draft.changes, base_version=seen_version, request_id=draft.request_id, url=draft.url)
