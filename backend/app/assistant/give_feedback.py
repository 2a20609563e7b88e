"""A person judges an answer."""

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.repository import FeedbackRepository, Verdict
from app.people.person import Actor
from app.storage.database import Database


class GiveFeedback:
    """One verdict per person and answer: the last click wins."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def __call__(
        self, actor: Actor, *, channel_id: str, message_ts: str, verdict: Verdict, reason: str | None = None
    ) -> None:
        async with self._database.transaction() as session:
            await FeedbackRepository(session, self._cipher).give(
                actor, channel_id=channel_id, message_ts=message_ts, verdict=verdict, reason=reason, given_at=self._clock.now()
            )
