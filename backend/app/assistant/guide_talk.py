"""A trouble, from its first words to a plan.

Read, listen, write, as in ``answer_question``: what is known is read first, a model may help to read the message and to write
the plan while no connection is held, and one transaction writes turns, the talk's state, the plan and the draft. What is known
is what the person said; stage and progress are computed from it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.assistant.answer_question import Drafts, Knowledge
from app.assistant.coaching_past import CoachingPast, Memory
from app.assistant.question import Question
from app.coaching.ask_for_json import LanguageModel
from app.coaching.memory.by_rules import ends_talk
from app.coaching.plan.by_model import PlanMaterial
from app.coaching.plan.due_dates import reminder_moment
from app.coaching.plan.make_plan import BY_RULES, make_plan
from app.coaching.plan.plan import MAX_ITEMS, ActionPlan
from app.coaching.plan.repository import PlanItem, PlanRepository
from app.coaching.remark import Remark, remark_of
from app.coaching.talk import speak
from app.coaching.talk.listen import Listener, Said, noted_by_the_way
from app.coaching.talk.repository import OpenTalk, TalkRepository
from app.coaching.talk.speak import Heard
from app.coaching.talk.state import (
    PLAN_THRESHOLD,
    Known,
    Point,
    Stage,
    Talk,
    learn,
    point_asked_about,
    put_questions,
    request_plan,
)
from app.coaching.talk.topics import next_questions
from app.coaching.talk.understand import (
    Intent,
    asks_clearly,
    intent_of,
    is_correction,
    wants_plan_now,
)
from app.core.clock import Clock, SystemClock
from app.core.encryption import Cipher
from app.core.errors import AppError
from app.dialogue.conversation import Conversation
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import Citation, Exchange, MadeWith, Recorded
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage
from app.llm.interface import ModelCall
from app.storage.database import Database, Session

logger = logging.getLogger(__name__)

GUIDED = "guided_talk"
"""What the coach's turns of a guided talk bear in the place of a skill."""

MOST_PASSAGES = 3
MOST_SHOWN = 3
BOOKING_SECONDS = 2.0


class Way(StrEnum):
    """What becomes of a message."""

    ANSWER = "answer"
    TALK = "talk"


class Wish(StrEnum):
    """What a person asks for by button, on the message that stands above it."""

    ANSWER = "answer"
    TALK = "talk"
    PLAN = "plan"


@dataclass(frozen=True)
class Course:
    """How a message is taken. ``question`` is what is to be answered or taken in. ``talk``: the open one, or the one that a
    button belongs to. ``offers_talk``: the answer could have been a talk. ``is_taken``: the thread is somebody else's.
    """

    way: Way
    question: Question
    talk: OpenTalk | None = None
    wish: Wish | None = None
    offers_talk: bool = False
    is_taken: bool = False


@dataclass(frozen=True)
class Guided:
    """A turn of the coach. ``items``: those of the plan just made, or open ones of an earlier plan."""

    text: str
    language: Language
    is_open: bool
    is_plan: bool = False
    items: tuple[PlanItem, ...] = ()
    sources: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class _Turn:
    """What is to be said and written. Without ``state`` nothing changes but the dialogue."""

    parts: tuple[str, ...]
    state: Talk | None = None
    plan: ActionPlan | None = None
    made_by: str = BY_RULES
    items: tuple[PlanItem, ...] = ()
    sources: tuple[Passage, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(self.parts)


@dataclass(frozen=True)
class Patience:
    """How long a model may take, in seconds. The rules have an answer at once."""

    reading: float = 8.0
    planning: float = 45.0


class GuideTalk:
    """The use case behind every trouble. Whatever interrupts it before its transaction leaves no trace."""

    def __init__(
        self, *, database: Database, cipher: Cipher, recent_turns: RecentTurns, knowledge: Knowledge, llm: LanguageModel,
        drafts: Drafts, clock: Clock | None = None, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._cipher = cipher
        self._recent_turns = recent_turns
        self._knowledge = knowledge
        self._llm = llm
        self._drafts = drafts
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        self._past = CoachingPast(database, cipher, self._clock)
        self._listener = Listener(llm, seconds=self._patience.reading)

    # Which way

    async def consider(self, question: Question, *, wish: Wish | None = None) -> Course:
        """Whether the message is answered or taken into a talk."""
        user_id = question.speaker.user_id
        has_earlier = not question.is_first or wish is not None
        where, last = await self._past.talk_for(question.conversation, user_id, has_earlier=has_earlier)
        if where != question.conversation:
            question = replace(question, conversation=where, is_first=False)
        if wish is not None:
            return await self._wished(question, wish, last)
        if last is not None and last.is_open:
            return await self._in_talk(question, last)
        if await self._begins_talk(question):
            return await self._new_talk(question, in_thread=not question.is_first)
        remark = remark_of(question.text, in_talk=not question.is_first)
        return Course(Way.ANSWER, question, offers_talk=remark is Remark.QUESTION)

    async def _wished(self, question: Question, wish: Wish, last: OpenTalk | None) -> Course:
        if wish is Wish.ANSWER:
            if last is not None and last.is_open:
                async with self._database.transaction() as session:
                    await TalkRepository(session, self._cipher).close(last.team_id, last.id, outcome="answered")
            return Course(Way.ANSWER, _with_problem(question, last), wish=wish, offers_talk=True)
        if wish is Wish.PLAN and last is not None and (last.is_open or await self._past.items_of(last)):
            label = message("talk.button.plan_now", question.language)
            return Course(Way.TALK, replace(question, text=label), talk=last, wish=wish)
        if last is not None and last.is_open:
            return Course(Way.TALK, question, talk=last, wish=wish)
        return await self._new_talk(question, in_thread=True, wish=wish)

    async def _in_talk(self, question: Question, open_talk: OpenTalk) -> Course:
        """The talk goes on until it is planned or switched; greetings, thanks and clear questions leave it open."""
        text, language = question.text, question.language
        if remark_of(text, in_talk=True) in {Remark.GREETING, Remark.THANKS} or ends_talk(text):
            return Course(Way.ANSWER, question, talk=open_talk)
        if asks_clearly(text, language) and not (wants_plan_now(text, language) or is_correction(text, language)):
            await self._note(question, open_talk)
            return Course(Way.ANSWER, question, talk=open_talk)
        return Course(Way.TALK, question, talk=open_talk)

    async def _begins_talk(self, question: Question) -> bool:
        text, language = question.text, question.language
        match remark_of(text, in_talk=True):
            case Remark.QUESTION | Remark.FOLLOW_UP:
                asks = asks_clearly(text, language)
                return intent_of(text, language) is Intent.TROUBLE or (wants_plan_now(text, language) and not asks)
            case Remark.GREETING:
                return any(map(str.isalpha, text)) and await self._past.has_items_to_check(question)
            case _:
                return False

    async def _new_talk(self, question: Question, *, in_thread: bool, wish: Wish | None = None) -> Course:
        is_taken = in_thread and not question.conversation.is_direct and await self._past.is_taken(question)
        return Course(Way.TALK, question, wish=wish, is_taken=is_taken)

    async def _note(self, question: Question, open_talk: OpenTalk) -> None:
        """A second time for one event changes nothing."""
        state = noted_by_the_way(open_talk.talk, _said(question, question.language))
        if state != open_talk.talk:
            async with self._database.transaction() as session:
                await TalkRepository(session, self._cipher).save(open_talk, state)

    # One turn

    async def __call__(self, question: Question, course: Course) -> Guided:
        """What the coach says now. ``LostClaim`` and ``StorageUnavailable`` pass; a model that fails is done without."""
        dialogue = await self._recent_turns.recall(question.conversation, is_first=question.is_first)
        language = dialogue.language or question.language
        calls: list[ModelCall] = []
        try:
            turn = await self._turn(question, course, language, calls)
        except BaseException:
            await self._book(question, calls)
            raise
        exchange = self._exchange(question, turn, language, calls)
        recorded, items = await self._record(question, course, turn, exchange)
        await self._recent_turns.remember(dialogue, exchange, recorded)
        is_open = turn.state is not None and turn.plan is None
        return Guided(turn.text, language, is_open, is_plan=turn.plan is not None, items=items, sources=turn.sources)

    async def shown_before(self, where: Conversation, user_id: str, language: Language) -> Guided:
        """How the talk of a turn stands whose text was kept from an earlier attempt: nothing has happened to it since."""
        last = await self._past.last_talk(where, user_id)
        if last is None and where.is_direct:
            last = await self._past.last_talk(await self._past.latest_place(where, user_id), user_id)
        if last is None:
            return Guided("", language, is_open=False)
        items = () if last.is_open else await self._past.items_of(last)
        return Guided("", language, last.is_open, is_plan=bool(items), items=items)

    async def _turn(self, question: Question, course: Course, language: Language, calls: list[ModelCall]) -> _Turn:
        if course.is_taken:
            return _Turn((message("talk.say.taken", language),))
        if course.talk is None:
            return await self._open(question, course, language, calls)
        if not course.talk.is_open:
            return _Turn((message("talk.say.plan_again", language),), items=await self._past.items_of(course.talk))
        return await self._go_on(question, course, course.talk.talk, language, calls)

    async def _open(self, question: Question, course: Course, language: Language, calls: list[ModelCall]) -> _Turn:
        is_greeting = course.wish is None and remark_of(question.text, in_talk=True) is Remark.GREETING
        memory = await self._past.memory_for(question, language, is_greeting=is_greeting)
        told = () if is_greeting else await self._listener.opening(_said(question, language), calls)
        state = learn(memory.talk, told)
        if course.wish is Wish.PLAN or Talk(state.topic, told).progress >= PLAN_THRESHOLD:
            return await self._planned(question, state, Heard(told), language, calls, reason="enough")
        check = _check(memory, state, question, language)
        questions = _questions(state, check, language, most=question.speaker.dose.most)
        if not questions:
            return await self._planned(question, state, Heard(told), language, calls, reason="no_more")
        others = tuple(item for item in memory.items if not memory.is_about(item, state.topic))
        parts = (
            *self._welcome_back(memory, language),
            *([] if is_greeting else [speak.opening(state.topic, language)]),
            *speak.mirror(Heard(told), language),
            *speak.remembered(_remembered(memory.talk, told), language),
            *speak.asked([text for _, text in questions], language),
            *(message("talk.say.other_plan", language, title=item.action.title) for item in others[:1]),
            speak.progress(state, language),
        )
        asked = put_questions(state, [question_id for question_id, _ in questions])
        return _Turn(parts, asked, items=memory.items[:MOST_SHOWN])

    async def _go_on(self, question: Question, course: Course, before: Talk, language: Language, calls: list[ModelCall]) -> _Turn:
        if course.wish is Wish.PLAN or wants_plan_now(question.text, language):
            return await self._planned(question, request_plan(before), Heard(), language, calls, reason="requested")
        state, heard = await self._listener.reply(_said(question, language), before, calls)
        if heard.tells_nothing:
            # After "that is wrong" nothing is asked: what comes next says what is right.
            waiting = replace(state, last_asked=()) if heard.is_correction else state
            return _Turn((*speak.mirror(heard, language), speak.progress(state, language)), waiting)
        if state.stage is Stage.PLANNING:
            return await self._planned(question, state, heard, language, calls, reason="enough")
        if heard.is_correction and (pending := _pending(state)):
            parts = (*speak.mirror(heard, language), message("talk.say.go_on", language), speak.progress(state, language))
            return _Turn(parts, replace(state, last_asked=pending))
        questions = [(one.id, one.text) for one in next_questions(state, language, most=question.speaker.dose.most)]
        if not questions:
            return await self._planned(question, state, heard, language, calls, reason="no_more")
        asked = speak.asked([text for _, text in questions], language)
        parts = (*speak.mirror(heard, language), *asked, speak.progress(state, language))
        return _Turn(parts, put_questions(state, [question_id for question_id, _ in questions]))

    # Planning

    async def _planned(
        self, question: Question, state: Talk, heard: Heard, language: Language, calls: list[ModelCall], *, reason: str
    ) -> _Turn:
        material = await self._material(question, state, language)
        person = question.speaker
        made = await make_plan(
            self._llm, material, team_id=person.team_id, user_id=person.user_id, calls=calls, seconds=self._patience.planning
        )
        presented = speak.plan_presented(
            made.plan, state, language, reason=reason, is_instead=made.is_instead, is_reminded=person.reminders_on
        )
        return _Turn(
            (*speak.mirror(heard, language), *presented), state, plan=made.plan, made_by=made.made_by,
            sources=tuple(one for one in material.passages if one.entry_id in made.plan.entries),
        )  # fmt: skip

    async def _material(self, question: Question, state: Talk, language: Language) -> PlanMaterial:
        told = (state.statement_of(point) for point in (Point.PROBLEM, Point.SITUATION, Point.GOAL))
        subject = "\n".join(known.text for known in told if known)
        passages = await self._knowledge.search(subject, actor=question.actor, limit=MOST_PASSAGES) if subject else []
        return PlanMaterial(
            talk=state, language=language, now=self._clock.now(), time_zone=question.speaker.time_zone,
            passages=tuple(passage for passage in passages if passage.is_strong),
            earlier=await self._past.earlier_items(question),
            most_actions=min(MAX_ITEMS, question.speaker.dose.most + 1),
        )  # fmt: skip

    def _welcome_back(self, memory: Memory, language: Language) -> list[str]:
        if not memory.items:
            return []
        newest = max(memory.origins[item.plan_id].made_at for item in memory.items)
        days = (self._clock.now() - newest).days
        return [message("talk.say.back", language, days=days) if days > 1 else message("talk.say.back_soon", language)]

    # Writing

    async def _record(
        self, question: Question, course: Course, turn: _Turn, exchange: Exchange
    ) -> tuple[Recorded, tuple[PlanItem, ...]]:
        """Everything or nothing. The draft first: whoever was overtaken writes nothing."""
        items = turn.items
        async with self._database.transaction() as session:
            await self._drafts.keep_draft(session, question.claim, turn.text)
            recorded = await DialogueRepository(session, self._cipher).record(exchange)
            if turn.state is not None:
                begun = course.talk or await self._begin(session, question, turn.state, recorded.session_id, exchange.language)
                talk = await TalkRepository(session, self._cipher).save(begun, turn.state)
                if turn.plan is not None:
                    await self._keep_plan(session, question, talk, turn, exchange.language)
                    items = tuple(await PlanRepository(session, self._cipher).items_of_talk(talk.team_id, talk.user_id, talk.id))
        return recorded, items

    async def _begin(self, session: Session, question: Question, state: Talk, session_id: str, language: Language) -> OpenTalk:
        where = question.conversation
        return await TalkRepository(session, self._cipher).begin(
            where.team_id, question.speaker.user_id, session_id, topic=state.topic, language=language,
            channel_id=None if where.is_direct else where.channel_id,
        )  # fmt: skip

    async def _keep_plan(self, session: Session, question: Question, talk: OpenTalk, turn: _Turn, language: Language) -> None:
        """The plan of a talk, its reminders, and the talk's end."""
        assert turn.plan is not None
        person = question.speaker
        await PlanRepository(session, self._cipher).keep(
            person.team_id, person.user_id, turn.plan, talk_id=talk.id, topic=talk.talk.topic, language=language,
            made_by=turn.made_by, made_at=self._clock.now(),
            reminders=tuple(reminder_moment(action.due_on, person.time_zone) for action in turn.plan.actions),
        )  # fmt: skip
        await TalkRepository(session, self._cipher).close(talk.team_id, talk.id, outcome="planned")

    def _exchange(self, question: Question, turn: _Turn, language: Language, calls: Sequence[ModelCall]) -> Exchange:
        said = f"{turn.text}\n\n{speak.plan_in_words(turn.plan, language)}" if turn.plan else turn.text
        return Exchange(
            conversation=question.conversation, inbox_id=question.claim.inbox_id, user_id=question.speaker.user_id,
            question=question.text, answer=said, language=language, skill=GUIDED,
            sources=tuple(passage.entry_id for passage in turn.sources), asked_at=question.asked_at,
            answered_at=self._clock.now(), calls=tuple(calls), thread_language=language_of(question.text),
            made_with=MadeWith(
                model=turn.made_by, is_by_rules=turn.made_by == BY_RULES,
                citations=tuple(Citation(passage.entry_id, passage.heading) for passage in turn.sources),
            ),
        )  # fmt: skip

    async def _book(self, question: Question, calls: Sequence[ModelCall]) -> None:
        """What was asked was paid for, also when somebody has pressed stop."""
        if not calls:
            return
        try:
            async with asyncio.timeout(BOOKING_SECONDS), self._database.reading() as session:
                await DialogueRepository(session, self._cipher).book(
                    calls, team_id=question.speaker.team_id, user_id=question.speaker.user_id,
                    inbox_id=question.claim.inbox_id, called_at=self._clock.now(),
                )  # fmt: skip
        except (AppError, TimeoutError) as error:
            logger.warning("model_calls_not_booked", extra={"calls": len(calls), "error": type(error).__name__})


def _check(memory: Memory, state: Talk, question: Question, language: Language) -> tuple[str, str] | None:
    """What a returning person is asked first: how the plan went; without one, what is new since then."""
    item = next((item for item in memory.items if memory.is_about(item, state.topic)), None)
    if item is not None and (by_item := f"return.{Point.SITUATION}.{item.id}") not in state.asked:
        return by_item, message("talk.say.check_item", language, title=item.action.title)
    if memory.talk.progress >= PLAN_THRESHOLD:
        return f"return.{Point.SITUATION}.{question.claim.inbox_id}", message("talk.say.check_change", language)
    return None


def _questions(state: Talk, check: tuple[str, str] | None, language: Language, *, most: int) -> list[tuple[str, str]]:
    """Ids and texts of the first turn's questions, most important first. Who told enough before is only asked how it went."""
    if check is not None and state.progress >= PLAN_THRESHOLD:
        return [check]
    of_bank = [one for one in next_questions(state, language, most=most) if not (check and one.point is Point.SITUATION)]
    return [*([check] if check else []), *((one.id, one.text) for one in of_bank)][:most]


def _remembered(talk: Talk, told: Sequence[Known]) -> list[Known]:
    points = {known.point for known in told}
    held = (talk.statement_of(point) for point in (Point.GOAL, Point.SKILL, Point.RESOURCES) if point not in points)
    return [known for known in held if known]


def _pending(talk: Talk) -> tuple[str, ...]:
    return tuple(question_id for question_id in talk.last_asked if point_asked_about(question_id) in talk.missing)


def _said(question: Question, language: Language) -> Said:
    who = question.speaker
    return Said(question.text, language, question.claim.inbox_id, question.asked_at, who.team_id, who.user_id)


def _with_problem(question: Question, talk: OpenTalk | None) -> Question:
    """A late wish for an answer is about the whole trouble, not only about what was said last."""
    problem = talk.talk.statement_of(Point.PROBLEM) if talk else None
    if problem is None or problem.text in question.text:
        return question
    return replace(question, text=f"{problem.text}\n{question.text}")
