"""Reminds people of plan items on the morning they are due: each item once per moment, whatever breaks on the way.

The order is the promise: take it up (a row with an epoch), post with the row's number in the message's metadata, write down which
message stands. A worker that dies in between leaves a row without an end; after LEFT_ALONE_FOR another one takes it up, looks in
the person's direct messages for that number, and posts only when it is not there. Of two workers that both have posted, the
second finds the first one's message written down and removes its own.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from app.coaching.plan.due_dates import this_mornings_moment, today_of
from app.coaching.plan.repository import DueReminder, ItemStatus, PlanItem, PlanRepository
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import AppError, LostClaim, SlackRateLimited, SlackRefused
from app.core.metrics import count_error
from app.people.directory import PeopleDirectory
from app.people.person import Person
from app.storage.database import Database

logger = logging.getLogger(__name__)

AT_A_TIME = 20
LEFT_ALONE_FOR = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=1)

ABOUT_US = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"})
"""Refusals that say nothing about the person: an operator may mend them within the day."""


@dataclass(frozen=True)
class ReminderMessage:
    """What is to be said, and to whom. ``number`` is written into the message, and is how it is found again."""

    number: int
    person: Person
    item: PlanItem
    today: date


@dataclass(frozen=True)
class StandingMessage:
    """A message in Slack."""

    channel_id: str
    ts: str


class RemindsPeople(Protocol):
    """Slack's side."""

    @property
    def team_id(self) -> str | None:
        """The workspace that can be reached, once it is known."""

    async def find(self, message: ReminderMessage) -> StandingMessage | None:
        """The message if it stands already."""

    async def post(self, message: ReminderMessage, *, still_wanted_by: Callable[[], Awaitable[None]]) -> StandingMessage:
        """Posts it; ``still_wanted_by`` is asked right before and raises when it is not."""

    async def remove(self, message: ReminderMessage, standing: StandingMessage) -> None:
        """Takes one back that stands twice."""


class SendReminders:
    """Called every minute by one process, and safe when several do."""

    def __init__(
        self, *, database: Database, cipher: Cipher, people: PeopleDirectory, messenger: RemindsPeople, clock: Clock
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._people = people
        self._messenger = messenger
        self._clock = clock

    async def __call__(self) -> int:
        """How many were taken up. Goes on until nothing is due; Slack's own pace ends it until the next minute."""
        count = 0
        while taken := await self._take():
            for reminder in taken:
                try:
                    await self._remind(reminder)
                except LostClaim:
                    logger.info("reminder_overtaken", extra={"reminder_id": reminder.id})
                except SlackRateLimited:
                    logger.warning("reminders_wait_for_slack", extra={"reminder_id": reminder.id})
                    return count
                except AppError as error:  # it stays taken up, and is tried again when it has been left alone long enough
                    count_error(error)
                    logger.warning("reminder_not_sent", extra={"reminder_id": reminder.id, "error": type(error).__name__})
                count += 1
        return count

    async def _take(self) -> list[DueReminder]:
        team_id, now = self._messenger.team_id, self._clock.now()
        if team_id is None:
            return []
        async with self._database.transaction() as session:
            plans = PlanRepository(session, self._cipher)
            left = await plans.retake_reminders(team_id, now, taken_before=now - LEFT_ALONE_FOR, limit=AT_A_TIME)
            return left + await plans.take_due_reminders(team_id, now, limit=AT_A_TIME - len(left))

    async def _remind(self, reminder: DueReminder) -> None:
        now = self._clock.now()
        person = await self._people.find(reminder.team_id, reminder.user_id)
        if (reason := _why_not(reminder, person)) is not None:
            await self._end(reminder, reason)
        elif (moment := this_mornings_moment(now, person.time_zone)) is not None and not reminder.is_taken_again:
            await self._put_off(reminder, moment)
        else:
            message = ReminderMessage(reminder.id, person, reminder.item, today_of(now, person.time_zone))
            await self._say(reminder, message, is_too_late=now - reminder.remind_at > GIVE_UP_AFTER and reminder.is_taken_again)

    async def _say(self, reminder: DueReminder, message: ReminderMessage, *, is_too_late: bool) -> None:
        try:
            standing = await self._messenger.find(message) if reminder.is_taken_again else None
            if standing is None and is_too_late:
                logger.error("reminder_given_up", extra={"reminder_id": reminder.id})
                await self._end(reminder, "given_up")
                return
            standing = standing or await self._messenger.post(message, still_wanted_by=lambda: self._insist(reminder))
        except SlackRefused as error:
            if error.code in ABOUT_US:
                raise
            logger.warning("reminder_refused", extra={"reminder_id": reminder.id, "code": error.code})
            await self._end(reminder, "refused")
            return
        ts = await self._end(reminder, "sent", standing)
        if ts != standing.ts:
            await self._messenger.remove(message, standing)

    async def _insist(self, reminder: DueReminder) -> None:
        async with self._database.reading() as session:
            if not await PlanRepository(session, self._cipher).is_reminder_mine(reminder):
                raise LostClaim("the reminder has been taken up by another worker")

    async def _put_off(self, reminder: DueReminder, moment: datetime) -> None:
        async with self._database.transaction() as session:
            plans = PlanRepository(session, self._cipher)
            await plans.end_reminder(reminder, outcome="moved", at=self._clock.now())
            await plans.put_off_reminder(reminder, remind_at=moment)

    async def _end(self, reminder: DueReminder, outcome: str, standing: StandingMessage | None = None) -> str | None:
        """The ts of the message that counts."""
        channel_id, ts = (standing.channel_id, standing.ts) if standing else (None, None)
        async with self._database.transaction() as session:
            return await PlanRepository(session, self._cipher).end_reminder(
                reminder, outcome=outcome, at=self._clock.now(), channel_id=channel_id, ts=ts
            )


def _why_not(reminder: DueReminder, person: Person) -> str | None:
    if person.is_external:
        return "stranger"
    if not person.reminders_on:
        return "off"
    return None if reminder.item.status is ItemStatus.OPEN else "settled"
