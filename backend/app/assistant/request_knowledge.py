"""Somebody misses something in the company's knowledge: those who look after it are asked, without hearing by whom."""

import asyncio

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import NotAllowed
from app.dialogue.asked import AskedQuestions
from app.i18n.language import Language
from app.knowledge.entry import may_publish
from app.knowledge.notices.notice import DECIDERS, NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.requests.anonymous import anonymous, fingerprint_of
from app.knowledge.requests.repository import RequestRepository
from app.knowledge.requests.request import KnowledgeRequest
from app.knowledge.tokens import Tokenizer
from app.people.person import Actor
from app.storage.database import Database


class RequestKnowledge:
    """The question behind an answer, or a search that found nothing, becomes a request."""

    def __init__(self, *, database: Database, cipher: Cipher, tokenizer: Tokenizer, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._tokenizer = tokenizer
        self._clock = clock

    async def behind(self, actor: Actor, *, channel_id: str, message_ts: str) -> KnowledgeRequest | None:
        """``None`` when the question is no longer known, or was another person's private one."""
        async with self._database.reading() as session:
            asked = await AskedQuestions(session, self._cipher).behind(actor, channel_id=channel_id, message_ts=message_ts)
        return await self(actor, asked.text, language=asked.language) if asked else None

    async def __call__(self, actor: Actor, question: str, *, language: Language) -> KnowledgeRequest:
        """Asking for the same again only adds to its count. Whoever asked is told when there is an answer."""
        if actor.is_external:
            raise NotAllowed("guests do not ask for knowledge")
        text = await asyncio.to_thread(anonymous, question, language, self._tokenizer)
        fingerprint = await asyncio.to_thread(fingerprint_of, text, self._tokenizer)
        now = self._clock.now()
        async with self._database.transaction() as session:
            request = await RequestRepository(session, self._cipher, actor.team_id).ask(
                text, fingerprint=fingerprint, language=language, at=now, asked_by=actor.user_id
            )
            await NoticeRepository(session).add(actor.team_id, NoticeKind.REQUEST, str(request.request_id), to=[DECIDERS], at=now)
        return request

    async def request(self, actor: Actor, request_id: int) -> KnowledgeRequest | None:
        """For whoever writes the answer. ``NotAllowed`` for everybody else."""
        if not may_publish(actor):
            raise NotAllowed("requests are for those who look after the knowledge")
        async with self._database.reading() as session:
            return await RequestRepository(session, self._cipher, actor.team_id).request(request_id)

    async def open_ones(self, actor: Actor) -> list[KnowledgeRequest]:
        """What is asked for, the most wanted first. ``NotAllowed`` as above."""
        if not may_publish(actor):
            raise NotAllowed("requests are for those who look after the knowledge")
        async with self._database.reading() as session:
            return await RequestRepository(session, self._cipher, actor.team_id).open_ones()
