"""Action plans and their items in PostgreSQL, always by their owner; every text is encrypted."""

from collections.abc import Collection
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
class PlanOrigin:
    """Where an item comes from: its plan's topic, and when that was made."""

    topic: str
    made_at: datetime


@dataclass(frozen=True)
class DueReminder:
    """A reminder that somebody has taken up: whom to tell about which item. ``remind_at``: the moment it is for."""

    team_id: str
    user_id: str
    item: PlanItem
    id: int
    epoch: int
    remind_at: datetime

    @property
    def is_taken_again(self) -> bool:
        """An earlier worker may have posted it already."""
        return self.epoch > 1


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
        reminders: tuple[datetime, ...], made_at: datetime | None = None,
    ) -> int | None:  # fmt: skip
        """Stores a plan with its items; ``None`` when this talk has its plan already. ``reminders``: one moment per action;
        ``made_at``: now, unless told otherwise.
        """
        plan_id: int | None = await self._session.fetch_value(
            """
            insert into action_plans (team_id, user_id, talk_id, topic, language, summary, rhythm, entries, made_by, made_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, now())) on conflict (talk_id) do nothing returning id
            """,
            team_id, user_id, talk_id, topic, language, self._seal(team_id, user_id, "summary", plan.summary),
            plan.rhythm.value, list(plan.entries), made_by, made_at,
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

    async def items_of_talk(self, team_id: str, user_id: str, talk_id: int) -> list[PlanItem]:
        """All items of the plan a talk has led to, in their order."""
        rows = await self._session.fetch(
            """
            select i.* from plan_items i join action_plans p on p.id = i.plan_id
            where i.team_id = $1 and i.user_id = $2 and p.talk_id = $3 order by i.position
            """,
            team_id, user_id, talk_id,
        )  # fmt: skip
        return [self._item(row) for row in rows]

    async def origins(self, team_id: str, user_id: str, plan_ids: Collection[int]) -> dict[int, PlanOrigin]:
        """What these plans are about and when they were made."""
        rows = await self._session.fetch(
            "select id, topic, made_at from action_plans where team_id = $1 and user_id = $2 and id = any($3)",
            team_id, user_id, list(plan_ids),
        )  # fmt: skip
        return {row["id"]: PlanOrigin(row["topic"], row["made_at"]) for row in rows}

    async def latest_items(self, team_id: str, user_id: str, *, limit: int) -> list[PlanItem]:
        """The items planned last, settled ones too, newest first."""
        rows = await self._session.fetch(
            "select * from plan_items where team_id = $1 and user_id = $2 order by id desc limit $3", team_id, user_id, limit
        )
        return [self._item(row) for row in rows]

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

    async def settle(
        self,
        team_id: str,
        user_id: str,
        item_id: int,
        status: ItemStatus,
        *,
        at: datetime | None = None,
        reason: str | None = None,
    ) -> bool:
        """Marks an item done, dropped, or open again; false when it is not this person's or stands so already.

        Opened again, it is not reminded of at once: a moment that has passed by then has passed. What was said about how it
        went, or why it was dropped, is void with that.
        """
        return bool(
            await self._session.execute(
                """
                update plan_items set status = $4, drop_reason = $6,
                    settled_at = case when $4 = 'open' then null else coalesce($5, now()) end,
                    outcome = case when $4 = 'done' then outcome end,
                    reminded_at = case when $4 = 'open' and remind_at <= coalesce($5, now())
                                       then coalesce(reminded_at, $5, now()) else reminded_at end
                where team_id = $1 and user_id = $2 and id = $3 and status <> $4
                """,
                team_id, user_id, item_id, status.value, at,
                self._seal(team_id, user_id, "drop_reason", reason) if reason else None,
            )
        )  # fmt: skip

    async def topic_of(self, team_id: str, user_id: str, item_id: int) -> str | None:
        """What the item's plan is about."""
        topic: str | None = await self._session.fetch_value(
            """
            select p.topic from plan_items i join action_plans p on p.id = i.plan_id
            where i.team_id = $1 and i.user_id = $2 and i.id = $3
            """,
            team_id, user_id, item_id,
        )  # fmt: skip
        return topic

    async def latest_topic(self, team_id: str, user_id: str) -> str | None:
        """What the person's latest guided talk, finished or not, is about."""
        topic: str | None = await self._session.fetch_value(
            "select topic from coaching_talks where team_id = $1 and user_id = $2 order by opened_at desc, id desc limit 1",
            team_id, user_id,
        )  # fmt: skip
        return topic

    async def postpone(self, team_id: str, user_id: str, item_id: int, *, due_on: date, remind_at: datetime | None) -> bool:
        """Moves the due date of an open item; its reminder comes again on the new one."""
        return bool(
            await self._session.execute(
                """
                update plan_items set due_on = $4, remind_at = $5, reminded_at = null, postponed = postponed + 1
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id, user_id, item_id, due_on, remind_at,
            )
        )  # fmt: skip

    async def edit(self, team_id: str, user_id: str, item_id: int, action: PlannedAction, *, remind_at: datetime | None) -> bool:
        """Replaces what an open item says, in the person's own words. ``remind_at`` counts when the due date is another one."""
        title, description, metric = self._sealed_texts(team_id, user_id, action)
        return bool(
            await self._session.execute(
                """
                update plan_items set title = $4, description = $5, success_metric = $6, priority = $7, category = $8,
                    remind_at = case when due_on = $9 then remind_at else $10 end,
                    reminded_at = case when due_on = $9 then reminded_at end,
                    postponed = postponed + (due_on < $9)::int, due_on = $9
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id, user_id, item_id, title, description, metric, action.priority.value, action.category.value,
                action.due_on, remind_at,
            )
        )  # fmt: skip

    async def snooze(self, team_id: str, user_id: str, item_id: int, *, remind_at: datetime | None) -> bool:
        """Another reminder at ``remind_at``, or none any more."""
        return bool(
            await self._session.execute(
                """
                update plan_items set remind_at = $4, reminded_at = null
                where team_id = $1 and user_id = $2 and id = $3 and status = 'open'
                """,
                team_id, user_id, item_id, remind_at,
            )
        )  # fmt: skip

    async def take_due_reminders(self, team_id: str, now: datetime, *, limit: int = 100) -> list[DueReminder]:
        """Reminders that are due, taken up by the caller: each goes to one caller, and an item has one per moment."""
        rows = await self._session.fetch(
            """
            with due as (
                select id, team_id, user_id, remind_at from plan_items
                where team_id = $3 and status = 'open' and remind_at <= $1 and reminded_at is null
                order by remind_at, id limit $2 for update skip locked
            ), noted as (
                insert into plan_reminders (team_id, user_id, item_id, remind_at, taken_at)
                select team_id, user_id, id, remind_at, $1 from due
                on conflict (item_id, remind_at) do nothing returning id, item_id, epoch, taken_at
            ), marked as (
                update plan_items i set reminded_at = $1 from due where i.id = due.id returning i.*
            )
            select marked.*, noted.id as reminder_id, noted.epoch from marked join noted on noted.item_id = marked.id
            order by marked.remind_at, marked.id
            """,
            now, limit, team_id,
        )  # fmt: skip
        return [self._due(row) for row in rows]

    async def retake_reminders(
        self, team_id: str, now: datetime, *, taken_before: datetime, limit: int = 100
    ) -> list[DueReminder]:
        """Reminders whose worker has not come to an end: nobody knows whether their message stands."""
        rows = await self._session.fetch(
            """
            with again as (
                update plan_reminders set taken_at = $1, epoch = epoch + 1 where id in (
                    select id from plan_reminders where team_id = $4 and done_at is null and taken_at < $2
                    order by taken_at, id limit $3 for update skip locked
                ) returning id, item_id, epoch, remind_at as for_moment
            )
            select i.*, again.id as reminder_id, again.epoch, again.for_moment
            from again join plan_items i on i.id = again.item_id
            order by again.id
            """,
            now, taken_before, limit, team_id,
        )  # fmt: skip
        return [self._due(row) for row in rows]

    async def is_reminder_mine(self, reminder: DueReminder) -> bool:
        """Whether nobody else has taken it up since, and nobody has ended it."""
        return bool(
            await self._session.fetch_value(
                "select true from plan_reminders where team_id = $1 and id = $2 and epoch = $3 and done_at is null",
                reminder.team_id, reminder.id, reminder.epoch,
            )
        )  # fmt: skip

    async def end_reminder(
        self, reminder: DueReminder, *, outcome: str, at: datetime, channel_id: str | None = None, ts: str | None = None
    ) -> str | None:
        """Ends it unless it has ended. Returns the ts of the message that stands for it: whoever writes first is right."""
        await self._session.execute(
            """
            update plan_reminders set outcome = $3, done_at = $4, channel_id = $5, ts = $6
            where team_id = $1 and id = $2 and done_at is null
            """,
            reminder.team_id, reminder.id, outcome, at, channel_id, ts,
        )  # fmt: skip
        standing: str | None = await self._session.fetch_value(
            "select ts from plan_reminders where team_id = $1 and id = $2", reminder.team_id, reminder.id
        )
        return standing

    async def put_off_reminder(self, reminder: DueReminder, *, remind_at: datetime) -> None:
        """Not now but then: as if it had not been due yet."""
        await self._session.execute(
            """
            update plan_items set remind_at = $3, reminded_at = null
            where team_id = $1 and id = $2 and status = 'open' and remind_at = $4
            """,
            reminder.team_id, reminder.item.id, remind_at, reminder.remind_at,
        )  # fmt: skip

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

    def _due(self, row: Record) -> DueReminder:
        return DueReminder(
            row["team_id"], row["user_id"], self._item(row), row["reminder_id"], row["epoch"],
            row.get("for_moment") or row["remind_at"],
        )  # fmt: skip

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
