"""A question to the coach, from what is known about it to an answer that is remembered.

Read, ask, write: the talk and the knowledge are read side by side, the model is asked while no connection is held, and one
transaction writes turns, costs and the draft. A crash before it leaves nothing behind; a crash after it loses nothing.
"""

import asyncio
import logging
import re
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from app.assistant.question import Answer, AnswerSink, Question
from app.coaching.choose_skill import GENERAL, choose_skill
from app.coaching.citations import CitationFilter, with_verified_citations, without_citations
from app.coaching.compose_prompt import MOST_TURNS, Prompt, compose_prompt
from app.coaching.memory.by_rules import ends_talk
from app.coaching.memory.choose import Memory, choose_memories
from app.coaching.memory.remembered import NOTHING, Remembered
from app.coaching.memory.shelf import Shelf
from app.coaching.offline_coach import MOST_POINTS, answer_by_rules
from app.coaching.remark import Remark, remark_of
from app.coaching.wording import find_faults
from app.core.clock import Clock, SystemClock
from app.core.encryption import Cipher
from app.core.errors import AppError, ModelError
from app.core.metrics import count_error
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import Citation, Exchange, MadeWith, Recorded, Talk, TurnRole
from app.embeddings.embedder import Vectors
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.claim import Claim
from app.knowledge.passage import Passage
from app.knowledge.search import normalized_question
from app.llm.interface import ModelCall, ModelReply, ModelRequest, ReplyEvent, TextPiece
from app.people.person import Actor
from app.storage.database import Database, Session

logger = logging.getLogger(__name__)

MOST_PASSAGES = 5
ABOUT_SALES = frozenset({Remark.QUESTION, Remark.FOLLOW_UP})
BOOKING_SECONDS = 2.0
LONGEST_POINTER = 60  # characters: a longer question says by itself what it is about
_POINTER = re.compile(
    r"^(?:では|じゃあ?|ところで)?、?(?:それ|これ|あれ|その|この(?!業界|度)|あの|さっき|先ほど|上記|同じ)"
    r"|^(?:(?i:and|but|so|what about|how about|what does|how does|why is|is|does|can) )?"
    r"(?:[Tt]hat|[Tt]his|[Ii]t|[Tt]hose|[Tt]hese|[Tt]he same)\b|^那|^这|^它|^同样"
)


class StreamingReply(Protocol):
    """A reply that is being written. ``result`` is there when the iteration has ended; ``calls`` at any time."""

    @property
    def result(self) -> ModelReply: ...

    @property
    def calls(self) -> Sequence[ModelCall]: ...

    def __aiter__(self) -> AsyncIterator[ReplyEvent]: ...


class LanguageModel(Protocol):
    """As ``llm.service.LLMService``."""

    def open(self, request: ModelRequest) -> AbstractAsyncContextManager[StreamingReply]: ...


class Knowledge(Protocol):
    """As ``knowledge.search.KnowledgeSearch``."""

    async def search(self, text: str, *, actor: Actor, limit: int = 5) -> list[Passage]: ...


class Drafts(Protocol):
    """As ``inbox.inbox.Inbox``: keeps the finished text; ``LostClaim`` when somebody else has taken the event over."""

    async def keep_draft(self, session: Session, claim: Claim, text: str) -> None: ...


class Recalls(Protocol):
    """As ``coaching.memory.recollection.Recollection``."""

    async def of(self, team_id: str, user_id: str) -> Shelf | None: ...


class QuestionVectors(Protocol):
    """As ``embeddings.remembered.RememberingEmbedder``: the vectors that the search has computed anyway."""

    @property
    def model(self) -> str: ...

    def known(self, text: str) -> Vectors | None: ...


@dataclass(frozen=True)
class _Material:
    """All that an answer is made of. ``subject`` is the question in words that can be searched for."""

    talk: Talk
    remark: Remark
    subject: str
    skill: str
    language: Language
    passages: tuple[Passage, ...]
    remembered: Remembered = NOTHING
    most_points: int = MOST_POINTS


class AnswerQuestion:
    """The use case behind every question. Whatever interrupts it before its transaction leaves no trace."""

    def __init__(
        self,
        *,
        database: Database,
        cipher: Cipher,
        recent_turns: RecentTurns,
        knowledge: Knowledge,
        llm: LanguageModel,
        drafts: Drafts,
        recollection: Recalls | None = None,
        vectors: QuestionVectors | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._recent_turns = recent_turns
        self._knowledge = knowledge
        self._llm = llm
        self._drafts = drafts
        self._recollection = recollection
        self._vectors = vectors
        self._clock = clock or SystemClock()

    async def __call__(self, question: Question, sink: AnswerSink) -> Answer:
        """Streams into ``sink`` what the returned answer holds. ``LostClaim``, ``ModelError`` and ``StorageUnavailable`` pass."""
        material = await self._gather(question)
        prompt = _prompt(question, material)
        reply = await self._ask(question, material, prompt, sink)
        answer = _verified(reply, material)
        exchange = self._exchange(question, answer, reply, _made_with(answer, prompt, material))
        recorded = await self._record(question, exchange)
        await self._recent_turns.remember(material.talk, exchange, recorded)
        return answer

    async def keep_stopped(self, question: Question, text: str) -> None:
        """The person has pressed stop: what they had read by then is part of the talk. For after the event is finished."""
        talk = await self._recent_turns.recall(question.conversation)
        exchange = Exchange(
            conversation=question.conversation,
            inbox_id=question.claim.inbox_id,
            user_id=question.speaker.user_id,
            question=question.text,
            answer=without_citations(text),
            language=talk.language or question.language,
            skill=choose_skill(question.text, previous=talk.last_skill),
            sources=(),
            asked_at=question.asked_at,
            answered_at=self._clock.now(),
            thread_language=language_of(question.text),
            ends_talk=ends_talk(question.text),
        )
        async with self._database.transaction() as session:
            recorded = await DialogueRepository(session, self._cipher).record(exchange)
        await self._recent_turns.remember(talk, exchange, recorded)

    async def _gather(self, question: Question) -> _Material:
        """The talk and the knowledge, at the same time unless the question can only be understood from the talk."""
        remark = Remark.THANKS if ends_talk(question.text) else remark_of(question.text, in_talk=True)
        if remark is Remark.FOLLOW_UP:
            talk = await self._talk_so_far(question)
            remark, subject = _follow_up(question.text, talk)
            passages = await self._search(subject, question)
        elif remark is Remark.QUESTION and _points_back(question.text):
            talk = await self._talk_so_far(question)
            _, subject = _follow_up(question.text, talk)
            passages = await self._search(subject, question)
        elif remark is Remark.QUESTION:
            subject = question.text
            talk, passages = await self._talk_and_knowledge(question)
        else:
            subject, passages = question.text, []
            talk = await self._talk_so_far(question)
        return _Material(
            talk=talk,
            remark=remark,
            subject=subject,
            skill=choose_skill(question.text, previous=talk.last_skill),
            language=talk.language or question.language,
            passages=tuple(passage for passage in passages if passage.is_strong)[:MOST_PASSAGES],
            remembered=await self._remembered(question, subject, talk) if remark in ABOUT_SALES else NOTHING,
            # A model finds the one point that matters; the rules cannot, and give a few unless somebody wants it otherwise.
            most_points=question.speaker.dose.most if question.speaker.dose_is_chosen else MOST_POINTS,
        )

    async def _remembered(self, question: Question, subject: str, talk: Talk) -> Remembered:
        """What others may read is answered without what only this person has said elsewhere."""
        so_far = talk.summary if len(talk.turns) >= MOST_TURNS else ""
        where = question.conversation
        if not where.is_direct or self._recollection is None:
            return Remembered(so_far=so_far)
        shelf = await self._recollection.of(where.team_id, question.speaker.user_id)
        if shelf is None:
            return Remembered(so_far=so_far)
        vector = self._vectors.known(normalized_question(subject)) if self._vectors else None
        memories = choose_memories(
            shelf, subject, now=self._clock.now(), vector=vector, model=self._vectors.model if self._vectors else ""
        )
        return Remembered(memories, tuple(earlier for earlier in shelf.talks if earlier.conversation != where.key), so_far)

    async def _talk_and_knowledge(self, question: Question) -> tuple[Talk, list[Passage]]:
        try:
            async with asyncio.TaskGroup() as tasks:
                talk = tasks.create_task(self._talk_so_far(question))
                passages = tasks.create_task(self._search(question.text, question))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return talk.result(), passages.result()

    async def _talk_so_far(self, question: Question) -> Talk:
        return await self._recent_turns.recall(question.conversation, is_first=question.is_first)

    async def _search(self, subject: str, question: Question) -> list[Passage]:
        return await self._knowledge.search(subject, actor=question.actor, limit=MOST_PASSAGES)

    async def _ask(self, question: Question, material: _Material, prompt: Prompt, sink: AnswerSink) -> ModelReply:
        opened: StreamingReply | None = None
        try:
            async with self._llm.open(_request(question, material, prompt)) as reply:
                opened = reply
                return await self._show(reply, material, sink)
        except (ModelError, asyncio.CancelledError):
            if opened is not None:
                await self._book(question, opened.calls)
            raise

    async def _show(self, reply: StreamingReply, material: _Material, sink: AnswerSink) -> ModelReply:
        citations = CitationFilter(material.passages)
        async for event in reply:
            if not isinstance(event, TextPiece):
                citations = CitationFilter(material.passages)
                sink.start_over()
            elif text := citations.feed(event.text):
                sink.write(text)
        if rest := citations.finish() + _note_of_cut(reply.result, material.language):
            sink.write(rest)
        return reply.result

    async def _book(self, question: Question, calls: Sequence[ModelCall]) -> None:
        """What was asked was paid for, answered or not. Briefly: somebody has pressed stop, or waits for the apology."""
        if not calls:
            return
        try:
            async with asyncio.timeout(BOOKING_SECONDS), self._database.reading() as session:
                await DialogueRepository(session, self._cipher).book(
                    calls,
                    team_id=question.speaker.team_id,
                    user_id=question.speaker.user_id,
                    inbox_id=question.claim.inbox_id,
                    called_at=self._clock.now(),
                )
        except (AppError, TimeoutError) as error:
            logger.warning("model_calls_not_booked", extra={"calls": len(calls), "error": type(error).__name__})

    def _exchange(self, question: Question, answer: Answer, reply: ModelReply, made_with: MadeWith) -> Exchange:
        return Exchange(
            conversation=question.conversation,
            inbox_id=question.claim.inbox_id,
            user_id=question.speaker.user_id,
            question=question.text,
            answer=answer.text,
            language=answer.language,
            skill=answer.skill,
            sources=tuple(dict.fromkeys(passage.entry_id for passage in answer.sources)),
            asked_at=question.asked_at,
            answered_at=self._clock.now(),
            calls=reply.calls,
            thread_language=language_of(question.text),
            made_with=made_with,
            ends_talk=ends_talk(question.text),
        )

    async def _record(self, question: Question, exchange: Exchange) -> Recorded:
        """The draft first: whoever was overtaken writes nothing."""
        async with self._database.transaction() as session:
            await self._drafts.keep_draft(session, question.claim, exchange.answer)
            dialogue = DialogueRepository(session, self._cipher)
            recorded = await dialogue.record(exchange)
            if exchange.ends_talk and exchange.conversation.is_direct:
                await dialogue.end_direct_talks(question.speaker.team_id, question.speaker.user_id, at=exchange.answered_at)
            return recorded


def _points_back(text: str) -> bool:
    """Whether a question speaks of what was said before, as "what does that cost?" does: alone it cannot be searched for."""
    return len(text) <= LONGEST_POINTER and bool(_POINTER.search(unicodedata.normalize("NFKC", text).strip()))


def _follow_up(text: str, talk: Talk) -> tuple[Remark, str]:
    """What "more, please" is about: the last question of its own. Without a talk, or with a new subject, it is a question."""
    asked = (turn.text for turn in reversed(talk.turns) if turn.role is TurnRole.SPEAKER)
    earlier = next((one for one in asked if remark_of(one, in_talk=True) is Remark.QUESTION), None)
    if earlier is None or choose_skill(text) not in {GENERAL, talk.last_skill}:
        return Remark.QUESTION, text
    return Remark.FOLLOW_UP, f"{earlier}\n{text}"


def _prompt(question: Question, material: _Material) -> Prompt:
    return compose_prompt(
        question.text,
        skill=material.skill,
        language=material.language,
        turns=material.talk.turns,
        passages=material.passages,
        dose=question.speaker.dose,
        persona=question.speaker.persona,
        remembered=material.remembered,
    )


def _request(question: Question, material: _Material, prompt: Prompt) -> ModelRequest:
    return ModelRequest(
        purpose="answer",
        instructions=prompt.instructions,
        messages=prompt.messages,
        team_id=question.speaker.team_id,
        user_id=question.speaker.user_id,
        prompt_version=prompt.version,
        by_rules=partial(_by_rules, material),
    )


def _by_rules(material: _Material) -> str:
    """The rules' answer, after the memory that fits the question best: the person makes the connection themselves."""
    answer = answer_by_rules(
        material.subject,
        remark=material.remark,
        skill=material.skill,
        language=material.language,
        turns=material.talk.turns,
        passages=material.passages,
        most=material.most_points,
    )
    recalled = [
        message("memory.recalled", material.language, text=memory.text.rstrip("。.!！")) for memory in _used_by_rules(material)
    ]
    return "\n\n".join((*recalled, answer))


def _used_by_rules(material: _Material) -> tuple[Memory, ...]:
    """One, and only at the beginning of a talk: said again with every answer it would be a refrain."""
    fitting = (memory for memory in material.remembered.memories if memory.is_relevant)
    return () if material.talk.turns else tuple(islice(fitting, 1))


def _made_with(answer: Answer, prompt: Prompt, material: _Material) -> MadeWith:
    memories = _used_by_rules(material) if answer.is_by_rules else material.remembered.memories
    return MadeWith(
        model=answer.model,
        prompt_version="" if answer.is_by_rules else prompt.version,
        is_by_rules=answer.is_by_rules,
        found_nothing=answer.found_nothing,
        memories=tuple(memory.id for memory in memories),
        citations=tuple(Citation(passage.entry_id, passage.heading) for passage in answer.sources),
    )


def _verified(reply: ModelReply, material: _Material) -> Answer:
    text, sources = with_verified_citations(reply.text, material.passages)
    _watch_language(text, material.language, reply)
    _watch_wording(text, material.language, reply)
    return Answer(
        text=text + _note_of_cut(reply, material.language),
        language=material.language,
        sources=sources,
        is_by_rules=reply.is_by_rules,
        model=reply.model,
        skill=material.skill,
        found_nothing=material.remark in ABOUT_SALES and not material.passages,
    )


def _note_of_cut(reply: ModelReply, language: Language) -> str:
    return f"\n\n{message('coach.answer.was_cut', language)}" if reply.was_cut else ""


def _watch_language(text: str, wanted: Language, reply: ModelReply) -> None:
    """Counted, not mended: a second question to the model would cost the reader more than a wrong language does."""
    if not reply.is_by_rules and (spoken := language_of(text)) not in {None, wanted}:
        count_error("ReplyInWrongLanguage")
        logger.warning("reply_in_wrong_language", extra={"wanted": wanted, "spoken": spoken, "model": reply.model})


def _watch_wording(text: str, language: Language, reply: ModelReply) -> None:
    """The words are out when the last of them is known. The count tells whether a model or a prompt has to be changed."""
    if not reply.is_by_rules and (faults := find_faults(text, language)):
        count_error("ReplyAboutThePerson")
        logger.warning("reply_about_the_person", extra={"rules": faults, "model": reply.model})
