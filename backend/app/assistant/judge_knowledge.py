"""A person says whether a piece of knowledge was of use, or that they do not want to see it."""

from app.knowledge.entry import scopes_of
from app.knowledge.judgements.repository import Judgement, JudgementRepository
from app.people.person import Actor
from app.storage.database import Database


class JudgeKnowledge:
    """One verdict per person and entry: the last click wins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, entry_id: int, *, actor: Actor, verdict: Judgement | None) -> bool:
        """False when the actor may see no such entry. ``None`` takes back what they said."""
        async with self._database.transaction() as session:
            return await JudgementRepository(session).judge(entry_id, actor=actor, verdict=verdict, scopes=scopes_of(actor))
