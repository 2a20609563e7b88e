"""Talks and plans on real PostgreSQL: kept for their owner, unreadable for everybody else."""

from datetime import UTC, date, datetime, timedelta

from app.coaching.plan.by_rules import plan_by_rules
from app.coaching.plan.due_dates import reminder_moment
from app.coaching.plan.plan import ActionPlan
from app.coaching.plan.repository import ItemStatus, PlanRepository
from app.coaching.talk.repository import TalkRepository
from app.coaching.talk.state import Known, Point, Talk, learn, put_questions
from app.core.encryption import Cipher
from app.i18n.language import Language
from app.storage.database import Database, Session

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
CIPHER = Cipher({"k1": bytes(32)})


async def session_of(session: Session, user_id: str, conversation: str) -> str:
    session_id = await session.fetch_value(
        """
        insert into dialogue_sessions (team_id, user_id, conversation, channel_id, is_direct) values ('T1', $1, $2, 'D1', true)
        returning id
        """,
        user_id,
        conversation,
    )
    return str(session_id)


def problem(text: str = "アポが取れない", turn: int = 1) -> Known:
    return Known(Point.PROBLEM, text, turn, NOW)


async def test_a_talk_is_what_was_said_and_only_its_owner_reads_it(database: Database) -> None:
    async with database.transaction() as session:
        talks, session_id = TalkRepository(session, CIPHER), await session_of(session, "U1", "T1:D1:1")
        opened = await talks.begin("T1", "U1", session_id, topic="prospecting", language="ja")
        await talks.save(opened, put_questions(learn(opened.talk, [problem()]), ["prospecting.goal.1"]))
    async with database.transaction() as session:
        talks = TalkRepository(session, CIPHER)
        again = await talks.open_talk("T1", "U1", "T1:D1:1")
        assert again is not None
        assert again.talk == Talk("prospecting", (problem(),), ("prospecting.goal.1",), ("prospecting.goal.1",))
        assert await talks.open_talk("T1", "U2", "T1:D1:1") is None
        assert await talks.open_talk("T2", "U1", "T1:D1:1") is None
        stored = await session.fetch_value("select content from talk_points")
    assert "アポ".encode() not in stored


async def test_a_returning_person_is_not_asked_again(database: Database) -> None:
    async with database.transaction() as session:
        talks = TalkRepository(session, CIPHER)
        first = await talks.begin("T1", "U1", await session_of(session, "U1", "T1:D1:1"), topic="prospecting", language="ja")
        await talks.save(first, put_questions(learn(first.talk, [problem()]), ["prospecting.problem.1"]))
        await talks.close("T1", first.id, outcome="planned")
        second = await talks.begin("T1", "U1", await session_of(session, "U1", "T1:D1:2"), topic="prospecting", language="ja")
        stranger = await talks.begin("T1", "U2", await session_of(session, "U2", "T1:D2:1"), topic="prospecting", language="ja")
    assert second.talk.progress == 25
    assert second.talk.asked == ("prospecting.problem.1",)
    assert stranger.talk.progress == 0


def a_plan() -> ActionPlan:
    return plan_by_rules(Talk("prospecting"), Language.JAPANESE, now=NOW, time_zone="Asia/Tokyo")


async def keep(session: Session, plan: ActionPlan, *, talk_id: int | None = None, user_id: str = "U1") -> int | None:
    reminders = tuple(reminder_moment(action.due_on, "Asia/Tokyo") for action in plan.actions)
    return await PlanRepository(session, CIPHER).keep(
        "T1", user_id, plan, talk_id=talk_id, topic="prospecting", language="ja", made_by="rules", reminders=reminders
    )


async def test_items_are_ticked_postponed_and_counted_by_their_owner_only(database: Database) -> None:
    async with database.transaction() as session:
        plans, plan = PlanRepository(session, CIPHER), a_plan()
        plan_id = await keep(session, plan)
        assert plan_id is not None
        items = await plans.items_of_plan("T1", "U1", plan_id)
        assert tuple(item.action for item in items) == plan.actions
        assert await plans.settle("T1", "U1", items[0].id, ItemStatus.DONE)
        assert not await plans.settle("T1", "U1", items[0].id, ItemStatus.DONE)
        assert not await plans.settle("T1", "U2", items[1].id, ItemStatus.DONE)
        later = date(2026, 6, 1)
        assert await plans.postpone("T1", "U1", items[1].id, due_on=later, remind_at=reminder_moment(later, "Asia/Tokyo"))
        moved = await plans.item("T1", "U1", items[1].id)
        assert moved is not None
        assert (moved.action.due_on, moved.postponed) == (later, 1)
        assert await plans.item("T1", "U2", items[1].id) is None
        completion = await plans.completion("T1", "U1", since=NOW - timedelta(days=3650), today=date(2027, 1, 1))
    assert (completion.done, completion.open, completion.overdue) == (1, len(items) - 1, len(items) - 1)


async def test_a_talk_has_one_plan(database: Database) -> None:
    async with database.transaction() as session:
        talk = await TalkRepository(session, CIPHER).begin(
            "T1", "U1", await session_of(session, "U1", "T1:D1:1"), topic="prospecting", language="ja"
        )
        assert await keep(session, a_plan(), talk_id=talk.id) is not None
        assert await keep(session, a_plan(), talk_id=talk.id) is None


async def test_a_reminder_is_given_once(database: Database) -> None:
    async with database.transaction() as session:
        await keep(session, a_plan())
    first_morning = datetime(2026, 12, 1, tzinfo=UTC)
    async with database.transaction() as session:
        taken = await PlanRepository(session, CIPHER).take_due_reminders("T1", first_morning)
        assert [(reminder.user_id, reminder.epoch) for reminder in taken] == [("U1", 1)] * len(a_plan().actions)
    async with database.transaction() as session:
        plans = PlanRepository(session, CIPHER)
        assert await plans.take_due_reminders("T1", first_morning) == []
        assert await plans.snooze("T1", "U1", taken[0].item.id, remind_at=first_morning + timedelta(days=1))
        assert len(await plans.take_due_reminders("T1", first_morning + timedelta(days=2))) == 1
