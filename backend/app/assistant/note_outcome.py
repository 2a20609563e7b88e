"""The person says how a finished action went; the evidence of the skills it exercised follows."""

from app.coaching.growth.repository import EvidenceRepository, Outcome, ProgressRepository
from app.coaching.growth.taxonomy import Taxonomy
from app.people.person import Actor
from app.storage.database import Database


class NoteOutcome:
    """The last word holds."""

    def __init__(self, *, database: Database, taxonomy: Taxonomy) -> None:
        self._database = database
        self._taxonomy = taxonomy

    async def __call__(self, actor: Actor, item_id: int, outcome: Outcome) -> bool:
        """False when the item is not the actor's, or is not done (any more)."""
        async with self._database.transaction() as session:
            exercised = await ProgressRepository(session).note_outcome(actor.team_id, actor.user_id, item_id, outcome)
            if exercised is None:
                return False
            await EvidenceRepository(session).note_item_done(
                actor.team_id, actor.user_id, item_id, skills=self._taxonomy.of_topic(exercised.topic),
                category=exercised.category, done_at=exercised.done_at, outcome=outcome,
            )  # fmt: skip
            return True
