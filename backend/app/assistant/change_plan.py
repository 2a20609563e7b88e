"""A person changes an item of their own plan: done, open again, later, in other words, dropped, reminded again or not any more.

Each change goes through the item's id and the person together: somebody else's item is not there. Twice is as good as once.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.coaching.growth.repository import EvidenceRepository, item_source
from app.coaching.growth.taxonomy import Taxonomy
from app.coaching.plan.due_dates import Snooze, postponed_to, reminder_moment, snooze_day, today_of
from app.coaching.plan.plan import PlannedAction
from app.coaching.plan.repository import ItemStatus, PlanItem, PlanRepository
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.people.person import Actor, Person
from app.storage.database import Database, Session


class Outcome(StrEnum):
    """What came of the wish to change an item."""

    CHANGED = "changed"
    ALREADY = "already"  # it stands so, or it is settled and cannot be changed that way any more
    GONE = "gone"  # not this person's, or not there any more
    NO_SUCH_DAY = "no_such_day"  # not in the future, or too far in it


@dataclass(frozen=True)
class Changed:
    """``item``: as it stands now. ``was_moved``: the day that was asked for is a holiday, the next working day was taken."""

    outcome: Outcome
    item: PlanItem | None = None
    was_moved: bool = False
    remind_on: date | None = None


class ChangePlan:
    """Every change is one transaction."""

    def __init__(self, *, database: Database, cipher: Cipher, clock: Clock, taxonomy: Taxonomy) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._taxonomy = taxonomy

    async def item(self, actor: Actor, item_id: int) -> PlanItem | None:
        async with self._database.reading() as session:
            return await self._plans(session).item(actor.team_id, actor.user_id, item_id)

    async def items_beside(self, actor: Actor, item_id: int) -> list[PlanItem]:
        """All items of the plan this one stands in, for showing them again."""
        async with self._database.reading() as session:
            plans = self._plans(session)
            item = await plans.item(actor.team_id, actor.user_id, item_id)
            return await plans.items_of_plan(actor.team_id, actor.user_id, item.plan_id) if item else []

    async def tick(self, actor: Actor, item_id: int) -> Changed:
        """Done: evidence for the skills its topic exercises."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            changed = await self._settle(session, actor, item_id, ItemStatus.DONE, now)
            if changed.outcome is Outcome.CHANGED and changed.item is not None:
                topic = await self._plans(session).topic_of(actor.team_id, actor.user_id, item_id)
                await EvidenceRepository(session).note_item_done(
                    actor.team_id, actor.user_id, item_id, skills=self._taxonomy.of_topic(topic or ""),
                    category=changed.item.action.category, done_at=now,
                )  # fmt: skip
            return changed

    async def reopen(self, actor: Actor, item_id: int) -> Changed:
        """Open again: what ticking it showed is taken back."""
        async with self._database.transaction() as session:
            changed = await self._settle(session, actor, item_id, ItemStatus.OPEN, self._clock.now())
            if changed.outcome is Outcome.CHANGED:
                await EvidenceRepository(session).withdraw(actor.team_id, actor.user_id, item_source(item_id))
            return changed

    async def drop(self, actor: Actor, item_id: int, *, reason: str = "") -> Changed:
        """Not to be done after all; for what was done already there is :meth:`reopen`."""
        async with self._database.transaction() as session:
            item = await self._plans(session).item(actor.team_id, actor.user_id, item_id)
            if item is not None and item.status is ItemStatus.DONE:
                return Changed(Outcome.ALREADY, item)
            return await self._settle(session, actor, item_id, ItemStatus.DROPPED, self._clock.now(), reason=reason or None)

    async def postpone(self, person: Person, item_id: int, asked: date) -> Changed:
        """To the day asked for, or the first working day after it."""
        day = postponed_to(asked, self._clock.now(), time_zone=person.time_zone)
        if day is None:
            return Changed(Outcome.NO_SUCH_DAY, await self.item(_actor(person), item_id))
        async with self._database.transaction() as session:
            done = await self._plans(session).postpone(
                person.team_id, person.user_id, item_id, due_on=day, remind_at=reminder_moment(day, person.time_zone)
            )
            return await self._after(session, _actor(person), item_id, done=done, was_moved=day != asked)

    async def edit(self, person: Person, item_id: int, action: PlannedAction) -> Changed:
        """In the person's own words. A due date that stays may have passed; another one must be to come."""
        async with self._database.transaction() as session:
            plans = self._plans(session)
            item = await plans.item(person.team_id, person.user_id, item_id)
            if item is None:
                return Changed(Outcome.GONE)
            day: date | None = action.due_on
            if action.due_on != item.action.due_on:
                day = postponed_to(action.due_on, self._clock.now(), time_zone=person.time_zone)
            if day is None:
                return Changed(Outcome.NO_SUCH_DAY, item)
            wanted = PlannedAction(
                title=action.title, description=action.description, priority=action.priority, due_on=day,
                category=action.category, success_metric=action.success_metric,
            )  # fmt: skip
            done = await plans.edit(
                person.team_id, person.user_id, item_id, wanted, remind_at=reminder_moment(day, person.time_zone)
            )
            return await self._after(session, _actor(person), item_id, done=done, was_moved=day != action.due_on)

    async def snooze(self, person: Person, item_id: int, choice: Snooze) -> Changed:
        """Reminded again on another morning; the due date stays."""
        day = snooze_day(choice, today_of(self._clock.now(), person.time_zone))
        return await self._remind(_actor(person), item_id, reminder_moment(day, person.time_zone), day)

    async def stop_reminding(self, actor: Actor, item_id: int) -> Changed:
        """No reminder of this item any more, until its date is moved."""
        return await self._remind(actor, item_id, None, None)

    async def _remind(self, actor: Actor, item_id: int, remind_at: datetime | None, day: date | None) -> Changed:
        async with self._database.transaction() as session:
            done = await self._plans(session).snooze(actor.team_id, actor.user_id, item_id, remind_at=remind_at)
            return await self._after(session, actor, item_id, done=done, remind_on=day)

    async def _settle(
        self, session: Session, actor: Actor, item_id: int, status: ItemStatus, now: datetime, *, reason: str | None = None
    ) -> Changed:
        plans = self._plans(session)
        done = await plans.settle(actor.team_id, actor.user_id, item_id, status, at=now, reason=reason)
        return await self._after(session, actor, item_id, done=done)

    async def _after(
        self, session: Session, actor: Actor, item_id: int, *, done: bool, was_moved: bool = False, remind_on: date | None = None
    ) -> Changed:
        item = await self._plans(session).item(actor.team_id, actor.user_id, item_id)
        if item is None:
            return Changed(Outcome.GONE)
        return Changed(Outcome.CHANGED, item, was_moved, remind_on) if done else Changed(Outcome.ALREADY, item)

    def _plans(self, session: Session) -> PlanRepository:
        return PlanRepository(session, self._cipher)


def _actor(person: Person) -> Actor:
    return Actor(person.team_id, person.user_id, person.standing)
