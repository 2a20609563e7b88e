"""The SQL of what people think of knowledge entries."""

from app.people.person import Actor
from app.storage.database import Session

# An entry of another workspace is as if it were not there.
_JUDGE = """
insert into knowledge_feedback (team_id, entry_id, user_id, verdict)
select $1, id, $3, $4 from knowledge_entries where team_id = $1 and id = $2
on conflict (team_id, entry_id, user_id) do update set verdict = excluded.verdict, given_at = now()
"""


class JudgementRepository:
    """Verdicts on entries, through one session: one per person and entry, the last click wins."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def judge(self, entry_id: int, *, actor: Actor, verdict: str) -> bool:
        """False when there is no such entry."""
        return bool(await self._session.execute(_JUDGE, actor.team_id, entry_id, actor.user_id, verdict))
