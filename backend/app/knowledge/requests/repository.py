"""The SQL of requests for knowledge. The question is encrypted and holds no names; who asked stands apart."""

from collections.abc import Sequence
from datetime import datetime

from app.core.encryption import Cipher
from app.i18n.language import Language
from app.knowledge.requests.request import KnowledgeRequest
from app.storage.database import Record, Session

MOST_LISTED = 50

# Asked again after it was answered, it is open again: the answer was not found, or did not help.
_ASK = """
insert into knowledge_requests
    (team_id, fingerprint, question, language, times_asked, requested_by, first_asked_at, last_asked_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
on conflict (team_id, fingerprint) do update set
    times_asked = greatest(knowledge_requests.times_asked, excluded.times_asked), last_asked_at = excluded.last_asked_at,
    requested_by = coalesce(knowledge_requests.requested_by, excluded.requested_by), closed_at = null
returning *
"""

_FOLLOW = """
with new as (
    insert into knowledge_askers (team_id, request_id, user_id, asked_at) values ($1, $2, $3, $4)
    on conflict do nothing returning 1
)
update knowledge_requests set times_asked = (
    select count(*) from knowledge_askers where team_id = $1 and request_id = $2
) + (select count(*) from new)
where team_id = $1 and id = $2 and exists (select 1 from new)
"""


class RequestRepository:
    """The requests of one workspace."""

    def __init__(self, session: Session, cipher: Cipher, team_id: str) -> None:
        self._session = session
        self._cipher = cipher
        self._team_id = team_id

    async def ask(
        self, question: str, *, fingerprint: bytes, language: Language, at: datetime, asked_by: str | None, times: int = 1
    ) -> KnowledgeRequest:
        """The request for this question: a new one, or the one that others have made. ``question`` holds no names."""
        sealed = self._cipher.encrypt(question, place=_place(self._team_id, fingerprint))
        row = await self._session.fetch_row(_ASK, self._team_id, fingerprint, sealed, language, times, asked_by, at)
        assert row is not None
        if asked_by is not None:
            await self._session.execute(_FOLLOW, self._team_id, row["id"], asked_by, at)
        request = await self.request(row["id"])
        assert request is not None
        return request

    async def request(self, request_id: int) -> KnowledgeRequest | None:
        row = await self._session.fetch_row(
            "select * from knowledge_requests where team_id = $1 and id = $2", self._team_id, request_id
        )
        return self._request(row) if row else None

    async def requests(self, request_ids: Sequence[int]) -> list[KnowledgeRequest]:
        """Those that exist, in the order of the ids given."""
        rows = await self._session.fetch(
            "select * from knowledge_requests where team_id = $1 and id = any ($2::bigint[]) order by array_position($2, id)",
            self._team_id, list(request_ids),
        )  # fmt: skip
        return [self._request(row) for row in rows]

    async def open_ones(self, *, limit: int = MOST_LISTED) -> list[KnowledgeRequest]:
        """What is asked for, the most wanted first."""
        rows = await self._session.fetch(
            """
            select * from knowledge_requests where team_id = $1 and closed_at is null
            order by times_asked desc, last_asked_at desc, id limit $2
            """,
            self._team_id, limit,
        )  # fmt: skip
        return [self._request(row) for row in rows]

    async def close(self, request_id: int, *, entry_id: int | None, at: datetime) -> list[str]:
        """Answered by an entry, or put aside without one; who had asked."""
        closed = await self._session.execute(
            """
            update knowledge_requests set entry_id = $3, closed_at = $4 where team_id = $1 and id = $2 and closed_at is null
            """,
            self._team_id, request_id, entry_id, at,
        )  # fmt: skip
        if not closed:
            return []
        rows = await self._session.fetch(
            "select user_id from knowledge_askers where team_id = $1 and request_id = $2 order by asked_at, user_id",
            self._team_id, request_id,
        )  # fmt: skip
        return [row["user_id"] for row in rows]

    def _request(self, row: Record) -> KnowledgeRequest:
        place = _place(row["team_id"], bytes(row["fingerprint"]))
        return KnowledgeRequest(
            row["id"], row["team_id"], self._cipher.decrypt(row["question"], place=place), Language(row["language"]),
            row["times_asked"], row["first_asked_at"], row["entry_id"], row["closed_at"],
        )  # fmt: skip


def _place(team_id: str, fingerprint: bytes) -> str:
    return f"{team_id}|knowledge_requests|{fingerprint.hex()}"
