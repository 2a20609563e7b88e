"""What is known of a person's talks and plans when they write: read before a turn, each question in a short reading."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.assistant.question import Question
from app.coaching.plan.repository import PlanItem, PlanOrigin, PlanRepository
from app.coaching.talk.repository import OpenTalk, TalkRepository
from app.coaching.talk.state import Talk
from app.coaching.talk.topics import topic_of
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.i18n.language import Language
from app.storage.database import Database

CHECK_AFTER = timedelta(hours=6)
"""A plan made so recently is not asked about."""

SAME_TALK = timedelta(minutes=30)
"""What is written elsewhere in the DM so soon after a turn goes on with its talk."""

MOST_EARLIER = 20


@dataclass(frozen=True)
class Memory:
    """What a new talk starts from. ``items``: open ones of plans that are not quite new, those about its topic first."""

    talk: Talk
    items: tuple[PlanItem, ...] = ()
    origins: dict[int, PlanOrigin] = field(default_factory=dict)

    def is_about(self, item: PlanItem, topic: str) -> bool:
        return self.origins[item.plan_id].topic == topic


class CoachingPast:
    """Always the asking person's own; where others read along, only what was said there."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def last_talk(self, where: Conversation, user_id: str) -> OpenTalk | None:
        """The person's newest talk in a conversation."""
        async with self._database.reading() as session:
            return await TalkRepository(session, self._cipher).last_talk(where.team_id, user_id, where.key)

    async def talk_for(self, where: Conversation, user_id: str, *, has_earlier: bool) -> tuple[Conversation, OpenTalk | None]:
        """The thread whose talk a message belongs to, and that talk: where it stands, or, in a DM, where the open talk is.

        People write below what they read, not into threads: what they say elsewhere in the DM soon after goes on with their talk.
        ``has_earlier``: something may have been said in ``where`` before.
        """
        own = await self.last_talk(where, user_id) if has_earlier else None
        if own is not None or not where.is_direct:
            return where, own
        there = await self.latest_place(where, user_id)
        last = await self.last_talk(there, user_id) if there != where else None
        return (there, last) if last is not None and last.is_open else (where, None)

    async def latest_place(self, where: Conversation, user_id: str) -> Conversation:
        """The thread of the DM with the talk the person was in a moment ago; else ``where`` itself."""
        async with self._database.reading() as session:
            thread = await TalkRepository(session, self._cipher).thread_of_direct_talk(
                where.team_id, user_id, since=self._clock.now() - SAME_TALK
            )
        return replace(where, thread_ts=thread) if thread else where

    async def is_taken(self, question: Question) -> bool:
        """Whether somebody else's talk is open in this conversation."""
        where = question.conversation
        async with self._database.reading() as session:
            return await TalkRepository(session, self._cipher).is_taken(where.team_id, question.speaker.user_id, where.key)

    async def items_of(self, talk: OpenTalk) -> tuple[PlanItem, ...]:
        """The items of the plan a talk has led to."""
        async with self._database.reading() as session:
            return tuple(await PlanRepository(session, self._cipher).items_of_talk(talk.team_id, talk.user_id, talk.id))

    async def has_items_to_check(self, question: Question) -> bool:
        """Whether there is something to ask about when the person comes back."""
        items, _ = await self._items_to_check(question)
        return bool(items)

    async def memory_for(self, question: Question, language: Language, *, is_greeting: bool) -> Memory:
        """Of the topic the message names; a greeting is about the plan that is under way."""
        items, origins = await self._items_to_check(question)
        topic = origins[items[0].plan_id].topic if is_greeting and items else topic_of(question.text, language).name
        where = question.conversation
        async with self._database.reading() as session:
            talk = await TalkRepository(session, self._cipher).remembered(
                where.team_id, question.speaker.user_id, topic=topic, channel_id=None if where.is_direct else where.channel_id
            )
        about = [item for item in items if origins[item.plan_id].topic == topic]
        return Memory(talk, (*about, *(item for item in items if item not in about)), origins)

    async def earlier_items(self, question: Question) -> list[PlanItem]:
        """What was planned lately, done or not. Where others read along, none is mentioned."""
        if not question.conversation.is_direct:
            return []
        person = question.speaker
        async with self._database.reading() as session:
            return await PlanRepository(session, self._cipher).latest_items(person.team_id, person.user_id, limit=MOST_EARLIER)

    async def _items_to_check(self, question: Question) -> tuple[list[PlanItem], dict[int, PlanOrigin]]:
        if not question.conversation.is_direct:
            return [], {}
        person, latest = question.speaker, self._clock.now() - CHECK_AFTER
        async with self._database.reading() as session:
            plans = PlanRepository(session, self._cipher)
            items = await plans.open_items(person.team_id, person.user_id, limit=MOST_EARLIER)
            origins = await plans.origins(person.team_id, person.user_id, {item.plan_id for item in items}) if items else {}
        return [item for item in items if origins[item.plan_id].made_at <= latest], origins
