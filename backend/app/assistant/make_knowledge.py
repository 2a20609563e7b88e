"""A person writes an entry: published at once when they may publish, proposed when they may not."""

from dataclasses import dataclass

from app.assistant.decide_proposal import DecideProposal
from app.assistant.propose_knowledge import ProposeKnowledge
from app.knowledge.entry import may_publish
from app.knowledge.proposals.draft import EntryDraft, ProposalStatus
from app.people.person import Actor


@dataclass(frozen=True)
class Made:
    """What became of it. ``title`` is the entry's as it was stored."""

    title: str
    is_published: bool


class MakeKnowledge:
    """Both ways leave the same traces: who wrote it, who let it in."""

    def __init__(self, *, propose: ProposeKnowledge, decide: DecideProposal) -> None:
        self._propose = propose
        self._decide = decide

    async def __call__(self, actor: Actor, draft: EntryDraft) -> Made:
        """``BadRequest``: there is no title or text; ``TooManyRequests``: too many of this person's proposals wait."""
        decides = may_publish(actor)
        proposal = await self._propose(actor, draft, is_announced=not decides)
        if decides and proposal.status is ProposalStatus.OPEN:
            proposal = (await self._decide.approve(actor, proposal.proposal_id)).proposal
        return Made(proposal.draft.title, proposal.status is ProposalStatus.APPROVED)
