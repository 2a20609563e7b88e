"""What somebody did with the coach in the last days, for their own eyes: talks, actions, growth, insights, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from app.assistant.past_talks import PastTalks
from app.assistant.show_growth import Growth, ShowGrowth
from app.assistant.show_home import ShowsMemories
from app.coaching.growth.repository import DoneItem, ProgressRepository, Tally
from app.coaching.memory.repository import ShownMemory
from app.coaching.plan.due_dates import today_of, zone_of
from app.coaching.plan.repository import PlanItem, PlanRepository
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.dialogue.turn import PastSession
from app.people.person import Actor, Person
from app.storage.database import Database

MOST_ITEMS = 5
MOST_INSIGHTS = 5
MOST_DONE_LOOKED_AT = 200


@dataclass(frozen=True)
class PersonalHistory:
    """What ``/ai_history`` shows. ``unjudged``: the latest finished item of which the person has not said how it went."""

    days: int
    sessions: Sequence[PastSession]
    tally: Tally
    open_items: Sequence[PlanItem]
    unjudged: PlanItem | None
    growth: Growth
    insights: Sequence[ShownMemory]
    weeks_in_a_row: int

    @property
    def is_empty(self) -> bool:
        """Nothing to show yet: no talk, no plan, no growth, no insight."""
        return not (
            self.sessions or self.open_items or self.insights or self.growth.known or self.tally.due or self.weeks_in_a_row
        )


class ShowHistory:
    """Reads only what belongs to the person who asks."""

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

    async def __call__(self, person: Person, *, days: int) -> PersonalHistory:
        actor = Actor(person.team_id, person.user_id, person.standing, is_private=True)
        team_id, user_id = person.team_id, person.user_id
        now, zone = self._clock.now(), zone_of(person.time_zone)
        since, today = now - timedelta(days=days), today_of(now, person.time_zone)
        sessions = await self._talks.latest_of(actor, days=days)
        insights = await self._memories.latest(actor, MOST_INSIGHTS)
        async with self._database.reading() as session:
            progress, plans = ProgressRepository(session), PlanRepository(session, self._cipher)
            tally = await progress.tally(team_id, user_id, since=since, today=today)
            done = await progress.done_since(team_id, user_id, since, limit=MOST_DONE_LOOKED_AT)
            unjudged = next((item for item in done if item.outcome is None), None)
            return PersonalHistory(
                days=days,
                sessions=sessions,
                tally=tally,
                open_items=await plans.open_items(team_id, user_id, limit=MOST_ITEMS),
                unjudged=await plans.item(team_id, user_id, unjudged.id) if unjudged else None,
                growth=await self._growth.within(session, actor, days=days),
                insights=insights,
                weeks_in_a_row=weeks_in_a_row(_active_days(sessions, done, zone), today),
            )


def _active_days(sessions: Sequence[PastSession], done: Sequence[DoneItem], zone: tzinfo) -> set[date]:
    moments = [session.last_turn_at for session in sessions] + [item.done_at for item in done]
    return {moment.astimezone(zone).date() for moment in moments}


def weeks_in_a_row(days: set[date], today: date) -> int:
    """How many calendar weeks without a gap somebody talked with the coach or finished something, up to this or the last one.

    A week that has only begun does not break the row.
    """
    mondays = {day - timedelta(days=day.weekday()) for day in days}
    week = today - timedelta(days=today.weekday())
    if week not in mondays:
        week -= timedelta(days=7)
    count = 0
    while week in mondays:
        count, week = count + 1, week - timedelta(days=7)
    return count
