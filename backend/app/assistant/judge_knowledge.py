"""A person says whether a piece of knowledge was of use."""

from app.dialogue.repository import Verdict
from app.knowledge.judgements.repository import JudgementRepository
from app.people.person import Actor
from app.storage.database import Database


class JudgeKnowledge:
    """One verdict per person and entry: the last click wins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, entry_id: int, *, actor: Actor, verdict: Verdict) -> bool:
        """False when there is no such entry in the actor's workspace."""
        async with self._database.transaction() as session:
            return await JudgementRepository(session).judge(entry_id, actor=actor, verdict=verdict)
