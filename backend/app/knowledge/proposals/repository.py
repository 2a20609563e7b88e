"""The SQL of proposals. Until they are published, what they say is encrypted."""

from datetime import datetime
from uuid import uuid4

from app.core.encryption import Cipher
from app.knowledge.proposals.draft import EntryDraft, Proposal, ProposalStatus
from app.storage.database import Record, Session

MOST_LISTED = 50

_PROPOSE = """
insert into knowledge_proposals (id, team_id, fingerprint, content, proposed_by, entry_id, base_version, request_id, proposed_at)
values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (team_id, fingerprint) where status = 'open' do nothing
returning *
"""

# The one statement that decides: of two clicks at once the second finds nothing open.
_DECIDE = """
update knowledge_proposals
set status = $3, decided_by = $4, decided_at = $5, reason = $6, entry_id = coalesce($7, entry_id), entry_version = $8
where team_id = $1 and id = $2::uuid and status = 'open'
returning *
"""


class ProposalRepository:
    """The proposals of one workspace."""

    def __init__(self, session: Session, cipher: Cipher, team_id: str) -> None:
        self._session = session
        self._cipher = cipher
        self._team_id = team_id

    async def propose(self, draft: EntryDraft, *, proposed_by: str, at: datetime) -> tuple[Proposal, bool]:
        """The proposal, and whether it is new: the same once more is the one that is open already."""
        proposal_id = str(uuid4())
        row = await self._session.fetch_row(
            _PROPOSE, proposal_id, self._team_id, draft.fingerprint,
            self._cipher.encrypt(draft.to_json(), place=_place(self._team_id, proposal_id)),
            proposed_by, draft.changes, draft.base_version, draft.request_id, at,
        )  # fmt: skip
        if row is not None:
            return self._proposal(row), True
        row = await self._session.fetch_row(
            "select * from knowledge_proposals where team_id = $1 and fingerprint = $2 and status = 'open'",
            self._team_id, draft.fingerprint,
        )  # fmt: skip
        if row is None:  # decided in this very moment: then it is a new one
            return await self.propose(draft, proposed_by=proposed_by, at=at)
        return self._proposal(row), False

    async def open_of(self, user_id: str) -> int:
        """How many proposals of one person wait."""
        count: int = await self._session.fetch_value(
            "select count(*) from knowledge_proposals where team_id = $1 and proposed_by = $2 and status = 'open'",
            self._team_id, user_id,
        )  # fmt: skip
        return count

    async def proposal(self, proposal_id: str, *, for_update: bool = False) -> Proposal | None:
        lock = " for update" if for_update else ""
        row = await self._session.fetch_row(
            f"select * from knowledge_proposals where team_id = $1 and id::text = $2{lock}",  # noqa: S608 - two constants
            self._team_id, proposal_id,
        )  # fmt: skip
        return self._proposal(row) if row else None

    async def open_ones(self, *, limit: int = MOST_LISTED) -> list[Proposal]:
        """Those that wait for a decision, the longest waiting first."""
        rows = await self._session.fetch(
            "select * from knowledge_proposals where team_id = $1 and status = 'open' order by proposed_at, id limit $2",
            self._team_id, limit,
        )  # fmt: skip
        return [self._proposal(row) for row in rows]

    async def proposed_by(self, user_id: str, *, limit: int = 20) -> list[Proposal]:
        """What a person proposed, the newest first."""
        rows = await self._session.fetch(
            """
            select * from knowledge_proposals where team_id = $1 and proposed_by = $2 order by proposed_at desc, id limit $3
            """,
            self._team_id, user_id, limit,
        )  # fmt: skip
        return [self._proposal(row) for row in rows]

    async def decide(
        self, proposal_id: str, status: ProposalStatus, *, decided_by: str, at: datetime, reason: str | None = None,
        entry: tuple[int, int] | None = None,
    ) -> Proposal | None:  # fmt: skip
        """``None``: somebody else has decided already. ``entry``: id and version of what it has become."""
        entry_id, version = entry or (None, None)
        sealed = self._cipher.encrypt(reason, place=_reason_place(self._team_id, proposal_id)) if reason else None
        row = await self._session.fetch_row(
            _DECIDE, self._team_id, proposal_id, status, decided_by, at, sealed, entry_id, version
        )
        return self._proposal(row) if row else None

    async def approvals_of(self, entry_id: int) -> dict[int, str]:
        """Who let which version of an entry in, where it came by a proposal."""
        rows = await self._session.fetch(
            """
            select entry_version, decided_by from knowledge_proposals
            where team_id = $1 and entry_id = $2 and status = 'approved' and decided_by is not null
            """,
            self._team_id, entry_id,
        )  # fmt: skip
        return {row["entry_version"]: row["decided_by"] for row in rows}

    def _proposal(self, row: Record) -> Proposal:
        proposal_id = str(row["id"])
        reason = row["reason"]
        return Proposal(
            proposal_id=proposal_id,
            team_id=row["team_id"],
            draft=EntryDraft.from_json(self._cipher.decrypt(row["content"], place=_place(row["team_id"], proposal_id))),
            status=ProposalStatus(row["status"]),
            proposed_by=row["proposed_by"],
            proposed_at=row["proposed_at"],
            entry_id=row["entry_id"],
            entry_version=row["entry_version"],
            decided_by=row["decided_by"],
            decided_at=row["decided_at"],
            reason=self._cipher.decrypt(reason, place=_reason_place(row["team_id"], proposal_id)) if reason else None,
        )


def _place(team_id: str, proposal_id: str) -> str:
    return f"{team_id}|knowledge_proposals|{proposal_id}"


def _reason_place(team_id: str, proposal_id: str) -> str:
    return f"{team_id}|knowledge_proposals|{proposal_id}:reason"
