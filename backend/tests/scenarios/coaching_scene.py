"""Guided talks at the level of the use case: real PostgreSQL, Valkey and inbox; the model is the service on its double."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.assistant.guide_talk import Course, Guided, GuideTalk, Patience, Way, Wish
from app.assistant.question import Question
from app.cache.cache import Cache
from app.coaching.ask_for_json import LanguageModel
from app.coaching.talk.repository import TalkRepository
from app.coaching.talk.state import Talk
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import RecentTurns
from app.i18n.language import Language
from app.inbox.envelope import Envelope
from app.inbox.inbox import Inbox
from app.knowledge.passage import Passage
from app.people.person import Actor, Dose, Person
from app.storage.database import Database
from tests.with_services.dialogue_builders import CIPHER
from tests.with_services.redis_faults import SteppingClock

SOON = Patience(reading=0.1, planning=0.2)


@dataclass
class Shelf:
    passages: Sequence[Passage] = ()
    asked: list[tuple[str, Actor]] = field(default_factory=list)

    async def search(self, text: str, *, actor: Actor, limit: int = 5) -> list[Passage]:
        self.asked.append((text, actor))
        return list(self.passages[:limit])


class CoachingScene:
    """One coach, and whoever talks with it."""

    def __init__(
        self, database: Database, inbox: Inbox, cache: Cache, llm: LanguageModel, *, patience: Patience | None = None
    ) -> None:
        self.database, self.inbox = database, inbox
        self.clock, self.shelf = SteppingClock(), Shelf()
        self.recent = RecentTurns(database, CIPHER, cache)
        self.guide_talk = GuideTalk(
            database=database, cipher=CIPHER, recent_turns=self.recent, knowledge=self.shelf, llm=llm, drafts=inbox,
            clock=self.clock, patience=patience,
        )  # fmt: skip
        self._events = 0

    async def question(self, text: str, where: Conversation, *, language: Language, person: Person) -> Question:
        """A message that has arrived a minute after the one before, and is ours to deal with."""
        self._events += 1
        self.clock.step(60)
        event = f"Ev{self._events}"
        await self.inbox.store_once(
            Envelope(where.team_id, event, "message", where.key, where.channel_id, f"{self._events}.0", person.user_id, b"{}")
        )
        async with self.database.reading() as session:
            inbox_id = await session.fetch_value("select id from inbox where event_id = $1", event)
        claimed = await self.inbox.claim(inbox_id)
        assert claimed is not None
        return Question(person, where, text, self.clock.now(), language, claimed.claim)

    async def talk_in(self, where: Conversation, user_id: str) -> Talk | None:
        async with self.database.reading() as session:
            found = await TalkRepository(session, CIPHER).last_talk(where.team_id, user_id, where.key)
        return found.talk if found else None

    async def rows(self, query: str) -> list[Any]:
        async with self.database.reading() as session:
            return await session.fetch(query)


@dataclass
class Visitor:
    """Somebody in a thread of their direct message, or of a channel."""

    scene: CoachingScene
    language: Language = Language.JAPANESE
    user_id: str = "U1"
    dose: Dose = Dose.FEW
    thread: str = "1.1"
    channel_id: str = "D1"
    is_direct: bool = True

    @property
    def where(self) -> Conversation:
        return Conversation("T1", self.channel_id, self.thread, is_direct=self.is_direct)

    async def consider(self, text: str, *, wish: Wish | None = None) -> Course:
        person = Person("T1", self.user_id, self.language, dose=self.dose)
        question = await self.scene.question(text, self.where, language=self.language, person=person)
        return await self.scene.guide_talk.consider(question, wish=wish)

    async def say(self, text: str, *, wish: Wish | None = None) -> Guided:
        """The coach's turn; the message has to be one that belongs to a talk."""
        course = await self.consider(text, wish=wish)
        assert course.way is Way.TALK, f"{text!r} was taken for a question"
        guided = await self.scene.guide_talk(course.question, course)
        await self.scene.inbox.finish(course.question.claim, outcome="answered")
        return guided

    async def talk(self) -> Talk:
        talk = await self.scene.talk_in(self.where, self.user_id)
        assert talk is not None
        return talk

    def in_thread(self, thread: str) -> "Visitor":
        return replace(self, thread=thread)


def later(clock: SteppingClock, **more: float) -> datetime:
    clock.step(timedelta(**more).total_seconds())
    return clock.now()
