"""What stands on somebody's Home: this week's focus, their plan, growth, insights, talks. Only their own, in seven queries."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from app.assistant.past_talks import PastTalks
from app.assistant.show_growth import Growth, ShowGrowth
from app.coaching.growth.repository import ProgressRepository, Tally
from app.coaching.growth.taxonomy import Skill, Taxonomy
from app.coaching.memory.repository import ShownMemory
from app.coaching.plan.due_dates import today_of
from app.coaching.plan.repository import PlanItem, PlanRepository
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.turn import PastSession
from app.people.person import Actor, Person
from app.storage.database import Database

DAYS = 30  # what the figures look back on
MOST_ITEMS = 10
MOST_MEMORIES = 5
MOST_TALKS = 5


class ShowsMemories(Protocol):
    """The person's own memories."""

    async def latest(self, actor: Actor, limit: int) -> Sequence[ShownMemory]:
        """The newest first."""


@dataclass(frozen=True)
class Focus:
    """What this week is about. ``items``: open ones that are due by Sunday or overdue; ``next_item``: the first thing to do.

    ``skill`` is the one the plan exercises next, else the one with the weakest evidence, else the one the latest talk is about.
    """

    topic: str | None
    skill: Skill | None
    next_item: PlanItem | None
    due_this_week: int
    overdue: int


@dataclass(frozen=True)
class HomePage:
    """All that Home shows of one person."""

    person: Person
    today: date
    focus: Focus
    items: Sequence[PlanItem]
    open_count: int
    growth: Growth
    memories: Sequence[ShownMemory]
    talks: Sequence[PastSession]
    talk_count: int
    tally: Tally


class ShowHome:
    """Reads side by side; nothing here asks a model or Slack."""

    def __init__(
        self, *, database: Database, cipher: Cipher, clock: Clock, talks: PastTalks, growth: ShowGrowth,
        memories: ShowsMemories,
    ) -> None:  # fmt: skip
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._talks = talks
        self._growth = growth
        self._memories = memories

    async def __call__(self, person: Person) -> HomePage:
        actor = Actor(person.team_id, person.user_id, person.standing, is_private=True)
        today = today_of(self._clock.now(), person.time_zone)
        try:
            async with asyncio.TaskGroup() as tasks:
                talks = tasks.create_task(self._talks.latest_of(actor, days=DAYS))
                growth = tasks.create_task(self._growth(actor))
                plan = tasks.create_task(self._plan(actor, today))
                memories = tasks.create_task(self._latest_memories(actor))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        items, tally, topic = plan.result()
        return HomePage(
            person=person,
            today=today,
            focus=focus_of(items, topic, growth.result(), self._growth.taxonomy, today=today),
            items=items[:MOST_ITEMS],
            open_count=max(tally.open, len(items)),
            growth=growth.result(),
            memories=memories.result(),
            talks=talks.result()[:MOST_TALKS],
            talk_count=len(talks.result()),
            tally=tally,
        )

    async def _plan(self, actor: Actor, today: date) -> tuple[list[PlanItem], Tally, str | None]:
        since = self._clock.now() - timedelta(days=DAYS)
        async with self._database.reading() as session:
            plans = PlanRepository(session, self._cipher)
            items = await plans.open_items(actor.team_id, actor.user_id)
            tally = await ProgressRepository(session).tally(actor.team_id, actor.user_id, since=since, today=today)
            return items, tally, await plans.latest_topic(actor.team_id, actor.user_id)

    async def _latest_memories(self, actor: Actor) -> Sequence[ShownMemory]:
        return await self._memories.latest(actor, MOST_MEMORIES)


def focus_of(items: Sequence[PlanItem], topic: str | None, growth: Growth, taxonomy: Taxonomy, *, today: date) -> Focus:
    """``items``: open ones, the next due first. ``topic``: of the latest talk."""
    sunday = today + timedelta(days=6 - today.weekday())
    skill = growth.focus
    if skill is None and topic is not None:
        skill = next((found for name in taxonomy.of_topic(topic) if (found := taxonomy.find(name))), None)
    return Focus(
        topic=topic,
        skill=skill,
        next_item=items[0] if items else None,
        due_this_week=sum(today <= item.action.due_on <= sunday for item in items),
        overdue=sum(item.action.due_on < today for item in items),
    )
