"""What is left of a talk when it is over: insights about the person, a summary, and no guided talk that waits for ever.

A session is over when its person says so, or when nobody has spoken in it for half an hour. The work may be done twice, by two
processes or after a crash: what counts is the one write that finds the session as it was read.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from app.coaching.memory.by_model import Digest, digest_from, digest_request
from app.coaching.memory.by_rules import Statement, insights_by_rules, summary_by_rules
from app.coaching.memory.insight import Vector
from app.coaching.memory.merge import superseded_in
from app.coaching.memory.recollection import Recollection
from app.coaching.memory.repository import MemoryRepository
from app.coaching.memory.vectors import PassageVectors, vectors_of
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import AppError, ModelError
from app.core.metrics import count_error
from app.dialogue.recent_turns import RecentTurns
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import StoredTurn, TurnRole, Undigested
from app.i18n.language import Language
from app.llm.interface import ModelCall, ModelReply, ModelRequest
from app.storage.database import Database, Session

logger = logging.getLogger(__name__)

IDLE = timedelta(minutes=30)
TALK_IDLE = timedelta(days=1)
"""A guided talk waits longer than a session: the answer to its question may need a night, or a visit to the customer."""

LEASE = timedelta(minutes=10)
MOST_SESSIONS = 100
MOST_TURNS = 200
WORTH_A_MODEL = 20  # characters: greetings and thanks are no reason to pay for a call


class Completes(Protocol):
    """As ``llm.service.LLMService``."""

    @property
    def is_offline(self) -> bool: ...

    async def complete(self, request: ModelRequest) -> ModelReply: ...


@dataclass(frozen=True)
class _Learnt:
    """What one person's words in a session came to. ``vectors`` has one for each insight, or ``None``."""

    user_id: str
    digest: Digest
    vectors: Sequence[Vector | None]
    calls: Sequence[ModelCall]


class CloseSessions:
    """Called every few seconds by every process; a session is worked on by one. Returns how many were closed."""

    def __init__(
        self, *, database: Database, cipher: Cipher, llm: Completes, recollection: Recollection, recent_turns: RecentTurns,
        clock: Clock, embedder: PassageVectors | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._cipher = cipher
        self._llm = llm
        self._recollection = recollection
        self._recent_turns = recent_turns
        self._clock = clock
        self._embedder = embedder

    async def __call__(self) -> int:
        await self._close_idle_talks()
        closed = 0
        for _ in range(MOST_SESSIONS):
            undigested = await self._take()
            if undigested is None:
                break
            try:
                closed += await self._close(undigested)
            except AppError as error:  # the others are closed all the same; this one comes again when its lease is over
                count_error(error)
                logger.warning("session_not_closed", extra={"session_id": undigested.session_id, "error": type(error).__name__})
        return closed

    async def _take(self) -> Undigested | None:
        """One at a time: a model may be slow, and what is taken and waits is kept from everybody else."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            taken = await DialogueRepository(session, self._cipher).take_undigested(
                idle_since=now - IDLE, now=now, lease=LEASE, limit=1
            )
        return taken[0] if taken else None

    async def _close(self, undigested: Undigested) -> bool:
        async with self._database.reading() as session:
            turns = await DialogueRepository(session, self._cipher).turns_after(undigested, limit=MOST_TURNS)
        speakers = dict.fromkeys(turn.user_id for turn in turns if turn.role is TurnRole.SPEAKER)
        learnt = [await self._learn(undigested, user_id, turns) for user_id in speakers]
        until = max((turn.id for turn in turns), default=undigested.digested_until)
        async with self._database.transaction() as session:
            is_ours = await DialogueRepository(session, self._cipher).finish_digest(
                undigested, until=until, summary=_summary(undigested, learnt), now=self._clock.now(),
                is_whole=len(turns) < MOST_TURNS,
            )  # fmt: skip
            if not is_ours:
                return False
            for one in learnt:
                await self._remember(session, undigested.conversation.team_id, one)
        for one in learnt:
            await self._recollection.drop(undigested.conversation.team_id, one.user_id)
        await self._recent_turns.drop(undigested.conversation)
        logger.info(
            "session_closed",
            extra={"session_id": undigested.session_id, "insights": sum(len(one.digest.insights) for one in learnt)},
        )
        return True

    async def _learn(self, undigested: Undigested, user_id: str, turns: Sequence[StoredTurn]) -> _Learnt:
        statements = [
            Statement(turn.id, turn.text, turn.said_at)
            for turn in turns
            if turn.user_id == user_id and turn.role is TurnRole.SPEAKER
        ]
        digest, calls = await self._digest(undigested, user_id, statements)
        vectors = await vectors_of([insight.text for insight in digest.insights], self._embedder)
        return _Learnt(user_id, digest, vectors, calls)

    async def _digest(
        self, undigested: Undigested, user_id: str, statements: Sequence[Statement]
    ) -> tuple[Digest, Sequence[ModelCall]]:
        """By the model where one answers with something usable, else by rules."""
        calls: Sequence[ModelCall] = ()
        if not self._llm.is_offline and sum(len(one.text) for one in statements) >= WORTH_A_MODEL:
            request = digest_request(
                statements, before=undigested.summary, language=undigested.language or Language.JAPANESE,
                team_id=undigested.conversation.team_id, user_id=user_id,
            )  # fmt: skip
            with suppress(ModelError):
                reply = await self._llm.complete(request)
                calls = reply.calls
                if not reply.is_by_rules:
                    try:
                        return digest_from(reply.text, statements, session_id=undigested.session_id), calls
                    except ValueError:
                        count_error("InsightsInvalid")
        summary = summary_by_rules(statements, before=undigested.summary)
        return Digest(summary, tuple(insights_by_rules(statements, session_id=undigested.session_id))), calls

    async def _remember(self, session: Session, team_id: str, learnt: _Learnt) -> None:
        """Stores what was learnt and sees what holds now. One process at a time does so for a person."""
        now = self._clock.now()
        await DialogueRepository(session, self._cipher).book(
            learnt.calls, team_id=team_id, user_id=learnt.user_id, inbox_id=None, called_at=now
        )
        if not learnt.digest.insights:
            return
        memories = MemoryRepository(session, self._cipher)
        await memories.lock(team_id, learnt.user_id)
        await memories.add(team_id, learnt.user_id, learnt.digest.insights, learnt.vectors)
        insights, vectors = await memories.all_of(team_id, learnt.user_id)
        standing = await asyncio.to_thread(superseded_in, insights, vectors)
        changes = {
            insight.id: standing.get(insight.id) for insight in insights if insight.superseded_by != standing.get(insight.id)
        }
        if changes:
            await memories.supersede(team_id, learnt.user_id, changes, now)

    async def _close_idle_talks(self) -> None:
        async with self._database.transaction() as session:
            closed = await MemoryRepository(session, self._cipher).close_idle_talks(self._clock.now() - TALK_IDLE)
        if closed:
            logger.info("idle_talks_closed", extra={"talks": closed})


def _summary(undigested: Undigested, learnt: Sequence[_Learnt]) -> str:
    """In a thread of several people each one's part follows the other's."""
    return "\n".join(one.digest.summary for one in learnt if one.digest.summary) or undigested.summary
