"""Reminders under workers that freeze, die and race: on real PostgreSQL, with a messenger that stops where a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from app.assistant.send_reminders import ReminderMessage, SendReminders, StandingMessage
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.plan.due_dates import reminder_moment, today_of
from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.plan.repository import PlanRepository
from app.core.encryption import Cipher
from app.core.errors import SlackRateLimited, SlackRefused, SlackUnavailable
from app.people.directory import PeopleDirectory
from app.people.lookup import LookedUpPerson
from app.people.person import Standing
from app.storage.database import Database
from tests.with_services.redis_faults import SteppingClock

CIPHER = Cipher({"k1": bytes(32)})
TOKYO = "Asia/Tokyo"


async def look_up(_team: str, _user: str) -> LookedUpPerson:
    return LookedUpPerson("佐藤", "ja-JP", TOKYO, Standing.MEMBER, is_external=False)


class Messenger:
    """Everybody's direct messages. ``before`` and ``after`` are awaited around a post, once each."""

    team_id = "T1"

    def __init__(self) -> None:
        self.standing: dict[str, int] = {}
        self.posts = 0
        self.before: list[Callable[[], Awaitable[None]]] = []
        self.after: list[Callable[[], Awaitable[None]]] = []

    async def find(self, message: ReminderMessage) -> StandingMessage | None:
        return next((StandingMessage("D1", ts) for ts, number in self.standing.items() if number == message.number), None)

    async def post(self, message: ReminderMessage, *, still_wanted_by: Callable[[], Awaitable[None]]) -> StandingMessage:
        if self.before:
            await self.before.pop(0)()
        await still_wanted_by()
        self.posts += 1
        ts = f"{self.posts}.0"
        self.standing[ts] = message.number
        if self.after:
            await self.after.pop(0)()
        return StandingMessage("D1", ts)

    async def remove(self, message: ReminderMessage, standing: StandingMessage) -> None:
        del self.standing[standing.ts]


class Morning:
    """The morning on which one item is due."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self.database, self.clock, self.messenger = database, SteppingClock(), Messenger()
        self.people = PeopleDirectory(database, CIPHER, cache, look_up, clock=self.clock)

    def worker(self) -> SendReminders:
        return SendReminders(
            database=self.database, cipher=CIPHER, people=self.people, messenger=self.messenger, clock=self.clock
        )

    async def begin(self) -> None:
        due_on = today_of(self.clock.now(), TOKYO) + timedelta(days=1)
        action = PlannedAction("電話する", "朝に", Priority.HIGH, due_on, Category.CUSTOMER, "3社")
        async with self.database.transaction() as session:
            await PlanRepository(session, CIPHER).keep(
                "T1", "U1", ActionPlan("計画", (action,), Rhythm.WEEKLY), talk_id=None, topic="closing", language="ja",
                made_by="rules", reminders=(reminder_moment(due_on, TOKYO),),
            )  # fmt: skip
        self.clock.step((reminder_moment(due_on, TOKYO) - self.clock.now()).total_seconds() + 60)

    async def ends(self) -> list[tuple[str | None, str | None]]:
        async with self.database.reading() as session:
            return [(row["outcome"], row["ts"]) for row in await session.fetch("select outcome, ts from plan_reminders")]


@pytest.fixture
async def morning(database: Database, redis_url: str) -> AsyncIterator[Morning]:
    redis = RedisConnection.open(RedisOptions(redis_url))
    made = Morning(database, Cache(redis))
    await made.begin()
    yield made
    await made.people.close()
    await redis.close()


async def test_ten_workers_at_once_post_once(morning: Morning) -> None:
    assert sum(await asyncio.gather(*(morning.worker()() for _ in range(10)))) == 1
    assert morning.messenger.posts == 1 and await morning.ends() == [("sent", "1.0")]


async def test_a_worker_frozen_before_posting_does_not_post_after_another_has(morning: Morning) -> None:
    async def freeze() -> None:
        morning.clock.step(301)
        await morning.worker()()

    morning.messenger.before.append(freeze)
    await morning.worker()()
    assert morning.messenger.posts == 1 and await morning.ends() == [("sent", "1.0")]


async def test_a_worker_frozen_after_posting_is_adopted(morning: Morning) -> None:
    async def freeze() -> None:
        morning.clock.step(301)
        await morning.worker()()

    morning.messenger.after.append(freeze)
    await morning.worker()()
    assert morning.messenger.posts == 1 and await morning.ends() == [("sent", "1.0")]


async def test_of_two_posts_in_the_same_moment_the_second_is_taken_back(morning: Morning) -> None:
    async def another_looked_before_this_one_was_to_be_seen() -> None:
        [(ts, number)] = morning.messenger.standing.items()
        del morning.messenger.standing[ts]  # on its way, and not to be found yet
        morning.clock.step(301)

        async def arrives() -> None:
            morning.messenger.standing[ts] = number

        morning.messenger.after.append(arrives)
        await morning.worker()()

    morning.messenger.after.append(another_looked_before_this_one_was_to_be_seen)
    await morning.worker()()
    assert morning.messenger.posts == 2
    [(outcome, ts)] = await morning.ends()
    assert outcome == "sent" and list(morning.messenger.standing) == [ts]


async def test_a_worker_that_dies_anywhere_leaves_exactly_one_message(morning: Morning) -> None:
    async def die() -> None:
        raise asyncio.CancelledError

    morning.messenger.before.append(die)
    with pytest.raises(asyncio.CancelledError):
        await morning.worker()()
    assert await morning.worker()() == 0, "it may still be alive"
    morning.clock.step(301)
    morning.messenger.after.append(die)
    with pytest.raises(asyncio.CancelledError):
        await morning.worker()()
    morning.clock.step(301)
    assert await morning.worker()() == 1
    assert morning.messenger.posts == 1 and await morning.ends() == [("sent", "1.0")]


async def fails(morning: Morning, error: Exception, *, times: int = 1) -> None:
    async def fail() -> None:
        raise error

    morning.messenger.before += [fail] * times


async def test_whether_a_lost_call_took_effect_is_looked_up(morning: Morning) -> None:
    await fails(morning, SlackUnavailable("chat.postMessage"))
    await morning.worker()()
    assert await morning.ends() == [(None, None)]
    morning.clock.step(301)
    await morning.worker()()
    assert await morning.ends() == [("sent", "1.0")]


async def test_who_cannot_be_written_to_is_not_written_to_again(morning: Morning) -> None:
    await fails(morning, SlackRefused("conversations.open", code="user_disabled"))
    await morning.worker()()
    morning.clock.step(301)
    await morning.worker()()
    assert morning.messenger.posts == 0 and await morning.ends() == [("refused", None)]


async def test_a_token_that_is_mended_within_the_day_loses_no_reminder(morning: Morning) -> None:
    await fails(morning, SlackRefused("chat.postMessage", code="token_revoked"), times=3)
    for _ in range(4):
        await morning.worker()()
        morning.clock.step(3600)
    assert await morning.ends() == [("sent", "1.0")]


async def test_what_could_not_be_sent_for_a_day_is_given_up_and_logged(
    morning: Morning, caplog: pytest.LogCaptureFixture
) -> None:
    await fails(morning, SlackUnavailable("chat.postMessage"), times=99)
    for _ in range(4):
        await morning.worker()()
        morning.clock.step(8 * 3600)
    assert await morning.ends() == [("given_up", None)]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["reminder_given_up"]


async def test_when_slack_asks_to_wait_the_rest_comes_later(morning: Morning) -> None:
    await fails(morning, SlackRateLimited("chat.postMessage", retry_after_seconds=30))
    assert await morning.worker()() == 0
    morning.clock.step(301)
    assert await morning.worker()() == 1
    assert await morning.ends() == [("sent", "1.0")]
