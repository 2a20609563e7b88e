"""Action plans for people who have not talked with the coach for them."""

from datetime import date, datetime, timedelta

from app.coaching.plan.due_dates import reminder_moment
from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.plan.repository import PlanRepository
from app.core.encryption import Cipher
from app.storage.database import Session


async def keep_plan(
    session: Session, cipher: Cipher, *, team_id: str, user_id: str, now: datetime, topic: str = "prospecting",
    titles: tuple[str, ...] = ("10社に連絡する",), due_in_days: int = 3, category: Category = Category.CUSTOMER,
) -> list[int]:  # fmt: skip
    """Stores a plan with an item per title; their ids in order."""
    due_on: date = now.date() + timedelta(days=due_in_days)
    actions = tuple(PlannedAction(title, title, Priority.HIGH, due_on, category, f"{title}の記録がある") for title in titles)
    plans = PlanRepository(session, cipher)
    plan_id = await plans.keep(
        team_id, user_id, ActionPlan("計画", actions, Rhythm.WEEKLY), talk_id=None, topic=topic, language="ja",
        made_by="rules", reminders=tuple(reminder_moment(due_on, "Asia/Tokyo") for _ in actions),
    )  # fmt: skip
    assert plan_id is not None
    return [item.id for item in await plans.items_of_plan(team_id, user_id, plan_id)]
