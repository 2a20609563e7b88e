"""Somebody who has talked with the coach for years: what speed and query counts are measured with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid5

from app.coaching.growth.taxonomy import own_taxonomy
from app.coaching.memory.insight import Insight, Kind
from app.coaching.memory.repository import MemoryRepository
from app.coaching.plan.due_dates import reminder_moment
from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.plan.repository import PlanRepository
from app.core.encryption import Cipher
from app.storage.database import Database, Session

TEAM, USER = "TBENCH", "UBENCH"
SESSIONS, TURNS, MEMORIES, PLANS = 500, 10_000, 2_000, 60
_NAMES = UUID(int=0)

QUERYING = ("fetch", "fetch_row", "fetch_value", "execute", "execute_many")


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements sent while the block lasts."""
    sent: list[str] = []

    def counting(method: Any) -> Any:
        async def call(self: Session, query: Any, *args: Any) -> Any:
            sent.append(str(query))
            return await method(self, query, *args)

        return call

    with mock.patch.multiple(Session, **{name: counting(getattr(Session, name)) for name in QUERYING}):
        yield sent


async def furnish(database: Database, cipher: Cipher, *, now: datetime, sessions: int = SESSIONS, turns: int = TURNS,
                  memories: int = MEMORIES, plans: int = PLANS) -> None:  # fmt: skip
    """Sessions with their turns over two years, memories from them, plans with five items each, evidence for every skill."""
    async with database.transaction() as session:
        await session.execute(
            "insert into people (team_id, user_id, locale, time_zone, looked_up_at) values ($1, $2, 'ja-JP', 'Asia/Tokyo', $3)",
            TEAM, USER, now,
        )  # fmt: skip
        await _sessions(session, cipher, now, sessions)
        await _turns(session, cipher, now, sessions, turns)
        await _memories(session, cipher, now, sessions, memories)
        await _plans(session, cipher, now, plans)
        await _evidence(session, now)
    async with database.reading() as session:
        await session.execute("analyze")


def _conversation(number: int) -> str:
    return f"{TEAM}:D1:{number}.000100"


def _session_id(number: int) -> str:
    return str(uuid5(_NAMES, str(number)))


def _moment(number: int, of: int, now: datetime) -> datetime:
    return now - timedelta(days=730) * (of - 1 - number) / of


async def _sessions(session: Session, cipher: Cipher, now: datetime, count: int) -> None:
    await session.execute_many(
        """
        insert into dialogue_sessions (id, team_id, user_id, conversation, channel_id, thread_ts, is_direct, language, title,
                                       started_at, last_turn_at)
        values ($1, $2, $3, $4, 'D1', $5, true, 'ja', $6, $7, $7)
        """,
        [
            (_session_id(n), TEAM, USER, _conversation(n), f"{n}.000100",
             cipher.encrypt(f"A社の値引き交渉についての相談 {n}", place=f"{TEAM}|dialogue_sessions|{_conversation(n)}"),
             _moment(n, count, now))
            for n in range(count)
        ],
    )  # fmt: skip


async def _turns(session: Session, cipher: Cipher, now: datetime, sessions: int, count: int) -> None:
    text = "お客様から値引きを求められました。" * 12
    await session.execute_many(
        """
        insert into dialogue_messages (team_id, session_id, inbox_id, user_id, role, content, language, said_at)
        values ($1, $2, $3, $4, $5, $6, 'ja', $7)
        """,
        [
            (TEAM, _session_id(n * sessions // count), 10_000_000 + n // 2, USER, role,
             cipher.encrypt(text, place=f"{TEAM}|dialogue_messages|{10_000_000 + n // 2}:{role}"), _moment(n, count, now))
            for n in range(count) for role in [("speaker", "coach")[n % 2]]
        ],
    )  # fmt: skip


async def _memories(session: Session, cipher: Cipher, now: datetime, sessions: int, count: int) -> None:
    kinds = tuple(Kind)
    insights = [
        Insight(
            kinds[n % len(kinds)], f"価格の話になると沈黙を埋めてしまう。場面{n}", 0.7, _moment(n, count, now),
            session_id=_session_id(n * sessions // count),
        )
        for n in range(count)
    ]  # fmt: skip
    await MemoryRepository(session, cipher).add(TEAM, USER, insights, [None] * count)


async def _plans(session: Session, cipher: Cipher, now: datetime, count: int) -> None:
    plans = PlanRepository(session, cipher)
    for n in range(count):
        due_on: date = (now + timedelta(days=n - count // 3)).date()
        actions = tuple(
            PlannedAction(f"行動{n}-{m}", "相手の言葉で書き直す。" * 20, Priority.MEDIUM, due_on, Category.CUSTOMER, "3件")
            for m in range(5)
        )
        await plans.keep(
            TEAM, USER, ActionPlan("値引きに備える計画", actions, Rhythm.WEEKLY), talk_id=None, topic="negotiation",
            language="ja", made_by="rules", reminders=(reminder_moment(due_on, "Asia/Tokyo"),) * 5,
        )  # fmt: skip
    await session.execute(
        "update plan_items set status = 'done', settled_at = $1 where team_id = $2 and id % 3 = 0", now - timedelta(days=3), TEAM
    )


async def _evidence(session: Session, now: datetime) -> None:
    await session.execute_many(
        """
        insert into skill_evidence (team_id, user_id, skill, kind, source, value, weight, observed_at)
        values ($1, $2, $3, 'plan_item', $4, 0.8, 1, $5)
        """,
        [
            (TEAM, USER, skill.id, f"plan_item:{n}", now - timedelta(days=n)) for skill in own_taxonomy().skills
            for n in range(120)
        ],
    )  # fmt: skip
