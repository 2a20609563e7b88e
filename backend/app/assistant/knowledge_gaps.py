"""ナレッジの穴: once a week, those who look after the knowledge read what people asked and got no good answer to.

Private questions stay private: they are shown only when two people have asked alike, and never with a name. What has been written
meanwhile is left out.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

from app.coaching.remark import Remark, remark_of
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.asked import AskedQuestion, AskedQuestions
from app.i18n.language import Language
from app.knowledge.notices.notice import DECIDERS, NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.passage import Passage
from app.knowledge.requests.anonymous import anonymous, fingerprint_of
from app.knowledge.requests.clusters import Cluster, Unanswered, clusters_of
from app.knowledge.requests.repository import RequestRepository
from app.knowledge.tokens import Tokenizer
from app.people.person import Actor
from app.storage.database import Database

WEEK = timedelta(days=7)
MOST_QUESTIONS = 300  # of one workspace and week, the latest
MOST_SHOWN = 8


class Knowledge(Protocol):
    """As ``knowledge.search.KnowledgeSearch``."""

    async def search(self, text: str, *, actor: Actor, limit: int = 5) -> list[Passage]: ...


class KnowledgeGaps:
    """Idempotent per workspace and week: the second run of a week finds its notice written."""

    def __init__(self, *, database: Database, cipher: Cipher, knowledge: Knowledge, tokenizer: Tokenizer, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._knowledge = knowledge
        self._tokenizer = tokenizer
        self._clock = clock

    async def __call__(self) -> int:
        """In how many workspaces there is something to tell."""
        now = self._clock.now()
        async with self._database.reading() as session:
            teams = await AskedQuestions(session, self._cipher).workspaces(since=now - WEEK)
        return sum([await self._tell(team_id, now) for team_id in teams])

    async def _tell(self, team_id: str, now: datetime) -> bool:
        week = "{}-W{:02}".format(*now.isocalendar()[:2])
        async with self._database.reading() as session:
            if await NoticeRepository(session).is_told(team_id, NoticeKind.GAPS, week):
                return False
            asked = await AskedQuestions(session, self._cipher).unanswered(
                team_id, since=now - WEEK, until=now, limit=MOST_QUESTIONS
            )
        questions = [question for question in asked if remark_of(question.text, in_talk=True) is Remark.QUESTION]
        clusters = await asyncio.to_thread(self._clusters, questions)
        shown = [cluster for cluster in clusters if cluster.shown and not await self._is_known(team_id, cluster)][:MOST_SHOWN]
        return await self._write(team_id, week, shown, now)

    def _clusters(self, questions: list[AskedQuestion]) -> list[Cluster]:
        unanswered = [
            Unanswered(
                anonymous(question.text, question.language, self._tokenizer), question.language, question.user_id,
                not question.is_private,
            )
            for question in questions
        ]  # fmt: skip
        return clusters_of(unanswered, self._tokenizer)

    async def _is_known(self, team_id: str, cluster: Cluster) -> bool:
        assert cluster.shown is not None
        nobody = Actor(team_id, user_id="", is_private=False)
        return any(passage.is_strong for passage in await self._knowledge.search(cluster.shown.text, actor=nobody, limit=1))

    async def _write(self, team_id: str, week: str, clusters: list[Cluster], now: datetime) -> bool:
        async with self._database.transaction() as session:
            requests = RequestRepository(session, self._cipher, team_id)
            waiting = [request.request_id for request in await requests.open_ones(limit=MOST_SHOWN)]
            listed = [await self._ask(requests, cluster, now) for cluster in clusters]
            details = list(dict.fromkeys([*listed, *waiting]))[:MOST_SHOWN]
            if not details:
                return False
            await NoticeRepository(session).add(team_id, NoticeKind.GAPS, week, to=[DECIDERS], at=now, details=details)
        return True

    async def _ask(self, requests: RequestRepository, cluster: Cluster, now: datetime) -> int:
        assert cluster.shown is not None
        request = await requests.ask(
            cluster.shown.text, fingerprint=fingerprint_of(cluster.shown.text, self._tokenizer),
            language=Language(cluster.shown.language), at=now, asked_by=None, times=len(cluster.questions),
        )  # fmt: skip
        return request.request_id
