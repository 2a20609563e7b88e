"""Why an answer is as it is: what it was made with, as far as whoever asks may see it."""

from dataclasses import dataclass

from app.assistant.question import Answer
from app.coaching.memory.repository import MemoryRepository, ShownMemory
from app.core.encryption import Cipher
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import RecordedAnswer
from app.inbox.inbox import Inbox
from app.knowledge.citations.repository import CitationRepository
from app.knowledge.passage import Passage
from app.people.person import Actor
from app.storage.database import Database


@dataclass(frozen=True)
class Provenance:
    """``memories`` are ``None`` for everybody but the person who was answered; ``memories_gone``: used then, not there now."""

    answer: RecordedAnswer
    entries: tuple[Passage, ...]
    memories: tuple[ShownMemory, ...] | None
    memories_gone: int = 0


class ExplainAnswers:
    """Reads only. Knowledge that the actor may not see (any more) is left out."""

    def __init__(self, *, database: Database, cipher: Cipher, inbox: Inbox) -> None:
        self._database = database
        self._cipher = cipher
        self._inbox = inbox

    async def why(self, actor: Actor, *, channel_id: str, message_ts: str) -> Provenance | None:
        """What the answer in that message was made with; ``None`` when there is no record of it (any more)."""
        event = await self._inbox.event_of_message(actor.team_id, channel_id, message_ts)
        if event is None:
            return None
        async with self._database.reading() as session:
            answer = await DialogueRepository(session, self._cipher).answer_to(actor.team_id, event.inbox_id)
            if answer is None:
                return None
            entries = await self._entries(CitationRepository(session), answer, actor)
            used = answer.made_with.memories
            if answer.user_id != actor.user_id:
                return Provenance(answer, entries, None)
            memories = await MemoryRepository(session, self._cipher).some(actor, used) if used else []
        return Provenance(answer, entries, tuple(memories), len(used) - len(memories))

    async def recorded(self, actor: Actor, inbox_id: int) -> Answer | None:
        """The answer that an event was given, with its sources: for showing it when only its text was kept."""
        async with self._database.reading() as session:
            answer = await DialogueRepository(session, self._cipher).answer_to(actor.team_id, inbox_id)
            if answer is None:
                return None
            sources = await self._entries(CitationRepository(session), answer, actor)
        made = answer.made_with
        return Answer(
            text=answer.text, language=answer.language, sources=sources, is_by_rules=made.is_by_rules, model=made.model,
            skill=answer.skill, found_nothing=made.found_nothing,
        )  # fmt: skip

    async def _entries(self, citations: CitationRepository, answer: RecordedAnswer, actor: Actor) -> tuple[Passage, ...]:
        wanted = [(one.entry_id, one.heading) for one in answer.made_with.citations]
        return tuple(await citations.passages(wanted, actor=actor)) if wanted else ()
