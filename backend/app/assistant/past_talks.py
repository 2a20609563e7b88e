"""What somebody talked about with the coach, and whether the coach takes part in a thread."""

from datetime import timedelta

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import PastSession, Talk
from app.people.person import Actor
from app.storage.database import Database

MOST_COUNTED = 100


class PastTalks:
    """Reads conversations for everything but answering in them; with ``recent_turns``, mostly without a query."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock, recent_turns: RecentTurns | None = None) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._recent_turns = recent_turns

    async def talk_in(self, conversation: Conversation) -> Talk | None:
        """The talk with at least its last turn; ``None`` where the coach has not said anything."""
        if self._recent_turns is not None:
            talk = await self._recent_turns.peek(conversation)
        else:
            async with self._database.reading() as session:
                talk = await DialogueRepository(session, self._cipher).talk(conversation, turns=1)
        return talk if talk.last_turn_id else None

    async def latest_of(self, actor: Actor, *, days: int) -> list[PastSession]:
        """The actor's own talks of the last ``days``, latest first, at most :data:`MOST_COUNTED`."""
        since = self._clock.now() - timedelta(days=days)
        async with self._database.reading() as session:
            talks = await DialogueRepository(session, self._cipher).recent_sessions(actor, limit=MOST_COUNTED)
        return [talk for talk in talks if talk.last_turn_at >= since]
