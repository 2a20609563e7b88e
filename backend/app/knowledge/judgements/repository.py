"""The SQL of what people think of knowledge entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.knowledge.judgements.ranking import boost_of
from app.people.person import Actor
from app.storage.database import Session


class Judgement(StrEnum):
    """What one person thinks of one entry. ``HIDDEN``: not to be shown to them; it says nothing to others."""

    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Verdicts:
    """How many people found an entry helpful or not, and what that does to its score (a share of it)."""

    helpful: int
    unhelpful: int

    @property
    def boost(self) -> float:
        return boost_of(helpful=self.helpful, unhelpful=self.unhelpful)


# What is not visible to the actor is as if it were not there.
_VISIBLE = """
select id from knowledge_entries
where team_id = $1 and id = $2 and status = 'published' and scope = any ($3::text[])
"""

_JUDGE = """
insert into knowledge_feedback (team_id, entry_id, user_id, verdict) values ($1, $2, $3, $4)
on conflict (team_id, entry_id, user_id) do update set verdict = excluded.verdict, given_at = now()
"""

_WITHDRAW = "delete from knowledge_feedback where team_id = $1 and entry_id = $2 and user_id = $3"

_VERDICTS = """
select count(*) filter (where verdict = 'helpful') as helpful, count(*) filter (where verdict = 'unhelpful') as unhelpful
from knowledge_feedback where team_id = $1 and entry_id = $2
"""


class JudgementRepository:
    """Verdicts on entries, through one session: one per person and entry, the last click wins."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def judge(self, entry_id: int, *, actor: Actor, verdict: Judgement | None, scopes: Sequence[str]) -> bool:
        """False when there is no such entry among those the actor may see. ``None`` takes the verdict back.

        The entry's place in the ranking changes with the verdict, and results remembered from before are void.
        """
        # First, as everybody who writes knowledge does: two orders of locks would meet in a deadlock.
        await self._session.execute("update knowledge_state set judgements = judgements + 1 where team_id = $1", actor.team_id)
        if await self._session.fetch_value(_VISIBLE, actor.team_id, entry_id, list(scopes)) is None:
            return False
        if verdict is None:
            await self._session.execute(_WITHDRAW, actor.team_id, entry_id, actor.user_id)
        else:
            await self._session.execute(_JUDGE, actor.team_id, entry_id, actor.user_id, verdict)
        boost = (await self.verdicts_on(actor.team_id, entry_id)).boost
        await self._session.execute(
            "update knowledge_entries set boost = $3 where team_id = $1 and id = $2", actor.team_id, entry_id, boost
        )
        return True

    async def verdicts_on(self, team_id: str, entry_id: int) -> Verdicts:
        row = await self._session.fetch_row(_VERDICTS, team_id, entry_id)
        assert row is not None
        return Verdicts(row["helpful"], row["unhelpful"])
