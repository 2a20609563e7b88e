"""Entries that have grown old ask their owner whether they still hold, a few at a time."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import NotAllowed
from app.knowledge.entry import Entry, Status, may_publish
from app.knowledge.library import Library
from app.knowledge.notices.notice import DECIDERS, NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.repository import KnowledgeRepository, workspaces_with_knowledge
from app.people.person import Actor
from app.people.repository import PeopleRepository
from app.storage.database import Database

USED_WITHIN = timedelta(days=90)
MOST_AT_ONCE = 5  # per owner and week: a heap of questions is answered by nobody
MOST_LOOKED_AT = 500
DAYS_OF_A_MONTH = 30


class ReviewStale:
    """The questions, and what follows from the answers."""

    def __init__(self, *, database: Database, cipher: Cipher, library: Library, clock: Clock, months: int) -> None:
        self._database = database
        self._cipher = cipher
        self._library = library
        self._clock = clock
        self._months = months

    async def __call__(self) -> int:
        """How many entries ask. Once per entry and quarter of a year, however often this runs."""
        async with self._database.reading() as session:
            teams = await workspaces_with_knowledge(session)
        return sum([await self._ask_in(team_id) for team_id in teams])

    async def confirm(self, actor: Actor, entry_id: int) -> Entry:
        """It holds as of today: a new version that says the same, so that everybody sees when it was checked, and by whom."""
        entry = await self._entry(actor, entry_id)
        checked = replace(entry.draft, updated_on=self._clock.now().date(), review_on=None)
        await self._library.save([checked], actor=actor, status=entry.status)
        return await self._library.entry(entry_id, actor=actor)

    async def retire(self, actor: Actor, entry_id: int) -> Entry:
        """Nobody finds it any more; it keeps its versions and can be published again."""
        entry = await self._entry(actor, entry_id)
        return entry if entry.status is Status.ARCHIVED else await self._library.archive(entry_id, actor=actor)

    async def _entry(self, actor: Actor, entry_id: int) -> Entry:
        if not may_publish(actor):
            raise NotAllowed("only managers and owners review knowledge")
        return await self._library.entry(entry_id, actor=actor)

    async def _ask_in(self, team_id: str) -> int:
        now = self._clock.now()
        async with self._database.transaction() as session:
            stale = await KnowledgeRepository(session, team_id).stale(
                today=now.date(), checked_before=now.date() - timedelta(days=self._months * DAYS_OF_A_MONTH),
                used_since=now - USED_WITHIN, limit=MOST_LOOKED_AT,
            )  # fmt: skip
            leaders = frozenset(await PeopleRepository(session, self._cipher).leaders(team_id))
            asked: Counter[str] = Counter()
            for entry in stale:
                owner = _asked_about(entry, leaders)
                if asked[owner] < MOST_AT_ONCE:
                    asked[owner] += await NoticeRepository(session).add(
                        team_id, NoticeKind.STALE, f"{entry.entry_id}:{_quarter(now)}", to=[owner], at=now,
                        details=[entry.entry_id],
                    )  # fmt: skip
        return asked.total()


def _asked_about(entry: Entry, leaders: frozenset[str]) -> str:
    """Its owner, else its author, if they still decide about knowledge; else all who do."""
    return next((who for who in (entry.draft.owner_id, entry.author_id) if who in leaders and who), DECIDERS)


def _quarter(now: datetime) -> str:
    today: date = now.date()
    return f"{today.year}-Q{(today.month - 1) // 3 + 1}"
