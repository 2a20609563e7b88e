"""A person proposes an entry, or a better text for one. Those who decide are told; nothing is found before they have agreed."""

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import NotAllowed, TooManyRequests
from app.knowledge.notices.notice import DECIDERS, NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.proposals.draft import EntryDraft, Proposal, tidied
from app.knowledge.proposals.repository import ProposalRepository
from app.people.person import Actor
from app.storage.database import Database

MOST_WAITING = 20  # proposals of one person: a heap of them would bury everybody else's
ASK_AGAIN_AFTER_SECONDS = 86_400.0


class ProposeKnowledge:
    """Everybody of the workspace may propose; a guest may not."""

    def __init__(self, *, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def __call__(self, actor: Actor, draft: EntryDraft, *, is_announced: bool = True) -> Proposal:
        """The proposal; proposing the same once more is the same proposal. ``BadRequest``: there is no title or no text.

        ``is_announced`` false: the caller decides about it at once.
        """
        if actor.is_external:
            raise NotAllowed("guests do not propose knowledge")
        draft, now = tidied(draft), self._clock.now()
        async with self._database.transaction() as session:
            proposals = ProposalRepository(session, self._cipher, actor.team_id)
            if await proposals.open_of(actor.user_id) >= MOST_WAITING:
                raise TooManyRequests("too many proposals of one person wait", retry_after_seconds=ASK_AGAIN_AFTER_SECONDS)
            proposal, is_new = await proposals.propose(draft, proposed_by=actor.user_id, at=now)
            if is_new and is_announced:
                await NoticeRepository(session).add(
                    actor.team_id, NoticeKind.PROPOSAL, proposal.proposal_id, to=[DECIDERS], at=now
                )
        return proposal
