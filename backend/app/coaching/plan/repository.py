"""Action plans and their items in PostgreSQL, always by their owner; every text is encrypted."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority
from app.core.encryption import Cipher
from app.storage.database import Record, Session

MOST_OPEN_ITEMS = 100


class ItemStatus(StrEnum):
    """Where an item stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True)
class PlanItem:
    """One item of a plan. ``settled_at``: when it was done or dropped; ``postponed``: how often its date was moved."""

    id: int
    plan_id: int
    action: PlannedAction
    status: ItemStatus
    postponed: int
    remind_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True)
class DueReminder:
    """A reminder that is due: whom to tell about which item."""

    team_id: str
    user_id: str
    item: PlanItem


@dataclass(frozen=True)
class Completion:
    """How many items a person finished, of those that are settled or overdue."""

    done: int
    dropped: int
    open: int
    overdue: int


class PlanRepository:
    """Plans of one workspace's people."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def keep(
        self, team_id: str, user_id: str, plan: ActionPlan, *, talk_id: int | None, topic: str, language: str, made_by: str,
        reminders: tuple[datetime, ...],
    ) -> int | None:  # fmt: skip
        """Stores a plan with its items; ``None`` when this talk has its plan already. ``reminders``: one moment per action."""
        plan_id: int | None = await self._session.fetch_value(
            """
            insert into action_plans (team_id, user_id, talk_id, topic, language, summary, rhythm, entries, made_by)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (talk_id) do nothing returning id
            """,
            team_id, user_id, talk_id, topic, language, self._seal(team_id, user_id, "summary", plan.summary),
            plan.rhythm.value, list(plan.entries), made_by,
        )  # fmt: skip
        if plan_id is None:
            return None
        await self._session.execute_many(
            """
            insert into plan_items (team_id, user_id, plan_id, position, title, description, success_metric, priority,
                                    category, due_on, remind_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                (team_id, user_id, plan_id, position, *self._sealed_texts(team_id, user_id, action), action.priority.value,
                 action.category.value, action.due_on, remind_at)
                for position, (action, remind_at) in enumerate(zip(plan.actions, reminders, strict=True))
            ],
        )  # fmt: skip
        return plan_id

    async def items_of_plan(self, team_id: str, user_id: str, plan_id: int) -> list[PlanItem]:
        """All items of one plan in their order."""
        rows = await self._session.fetch(
            "select * from plan_items where team_id = $1 and user_id = $2 and plan_id = $3 order by position",
            team_id, user_id, plan_id,
        )  # fmt: skip
        return [self._item(row) for row in rows]

    async def open_items(self, team_id: str, user_id: str, *, limit: int = MOST_OPEN_ITEMS) -> list[PlanItem]:
        """What is still to do, the next due first."""
        rows = await self._session.fetch(
            "select * from plan_items where team_id = $1 and user_id = $2 and status = 'open' order by due_on, id limit $3",
            team_id, user_id, limit,
        )  # fmt: skip
        return [self._item(row) for row in rows]

    async def item(self, team_id: str, user_id: str, item_id: int) -> PlanItem | None:
        """One item, for its owner."""
        row = await self._session.fetch_row(
            "select * from plan_items where team_id = $1 and user_id = $2 and id = $3", team_id, user_id, item_id
        )
        return self._item(row) if row else None

    async def settle(self, team_id: str, user_id: str, item_id: int, status: ItemStatus) -> bool:
        """Marks an item done, dropped, or open again; false when it is not this person's or stands so already."""
        return bool(
            await self._session.execute(
                """
                update plan_items set status = $4, settled_at = case when $4 = 'open' then null else now() end
                where team_id = $1 and user_id = $2 and id = $3 and status <> $4
                """,
                team_id,
                user_id,
                item_id,
                status.value,
            )
        )

    async def postpone(self, team_id: str, user_id: str, item_id: int, *, due_on: date, remind_at: datetime | None) -> bool:
        """Moves the due date of an open item; its reminder comes again on the new one."""
        return bool(
            await self._session.execute(
                """
                update plan_items set due_on = $4, remind_at = $5, reminded_at = null, postponed = postponed + 1
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id,
                user_id,
                item_id,
                due_on,
                remind_at,
            )
        )

    async def edit(self, team_id: str, user_id: str, item_id: int, action: PlannedAction, *, remind_at: datetime | None) -> bool:
        """Replaces what an open item says, in the person's own words."""
        title, description, metric = self._sealed_texts(team_id, user_id, action)
        return bool(
            await self._session.execute(
                """
                update plan_items set title = $4, description = $5, success_metric = $6, priority = $7, category = $8,
                    due_on = $9, remind_at = $10
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id,
                user_id,
                item_id,
                title,
                description,
                metric,
                action.priority.value,
                action.category.value,
                action.due_on,
                remind_at,
            )
        )

    async def snooze(self, team_id: str, user_id: str, item_id: int, *, remind_at: datetime | None) -> bool:
        """Another reminder at ``remind_at``, or none any more."""
        return bool(
            await self._session.execute(
                """
                update plan_items set remind_at = $4, reminded_at = null
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id,
                user_id,
                item_id,
                remind_at,
            )
        )

    async def take_due_reminders(self, now: datetime, *, limit: int = 100) -> list[DueReminder]:
        """Reminders that are due and not given yet, marked as given: each is returned to one caller only."""
        rows = await self._session.fetch(
            """
            update plan_items set reminded_at = $1 where id in (
                select id from plan_items
                where status = 'open' and remind_at <= $1 and reminded_at is null
                order by remind_at limit $2 for update skip locked
            ) returning *
            """,
            now, limit,
        )  # fmt: skip
        return [DueReminder(row["team_id"], row["user_id"], self._item(row)) for row in rows]

    async def completion(self, team_id: str, user_id: str, *, since: datetime, today: date) -> Completion:
        """How a person's items stand, for those made since a moment."""
        row = await self._session.fetch_row(
            """
            select count(*) filter (where i.status = 'done') as done,
                   count(*) filter (where i.status = 'dropped') as dropped,
                   count(*) filter (where i.status = 'open') as open,
                   count(*) filter (where i.status = 'open' and i.due_on < $4) as overdue
            from plan_items i join action_plans p on p.id = i.plan_id
            where i.team_id = $1 and i.user_id = $2 and p.made_at >= $3
            """,
            team_id, user_id, since, today,
        )  # fmt: skip
        return Completion(**dict(row)) if row else Completion(0, 0, 0, 0)

    def _item(self, row: Record) -> PlanItem:
        team_id, user_id = row["team_id"], row["user_id"]
        action = PlannedAction(
            title=self._open(team_id, user_id, "title", row["title"]),
            description=self._open(team_id, user_id, "description", row["description"]),
            priority=Priority(row["priority"]),
            due_on=row["due_on"],
            category=Category(row["category"]),
            success_metric=self._open(team_id, user_id, "success_metric", row["success_metric"]),
        )
        return PlanItem(
            row["id"], row["plan_id"], action, ItemStatus(row["status"]), row["postponed"], row["remind_at"], row["settled_at"]
        )

    def _sealed_texts(self, team_id: str, user_id: str, action: PlannedAction) -> tuple[bytes, bytes, bytes]:
        return (
            self._seal(team_id, user_id, "title", action.title),
            self._seal(team_id, user_id, "description", action.description),
            self._seal(team_id, user_id, "success_metric", action.success_metric),
        )

    def _seal(self, team_id: str, user_id: str, field: str, text: str) -> bytes:
        return self._cipher.encrypt(text, place=f"{team_id}|plan|{user_id}:{field}")

    def _open(self, team_id: str, user_id: str, field: str, value: bytes) -> str:
        return self._cipher.decrypt(value, place=f"{team_id}|plan|{user_id}:{field}")
