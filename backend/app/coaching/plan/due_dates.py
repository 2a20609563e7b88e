"""When an action is due: in the person's time zone, on a working day of Japan, never in the past."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

REMINDER_HOUR = 9  # local time, on the morning of the due day
LATEST = timedelta(days=365)
USUAL_ZONE = "Asia/Tokyo"


class Snooze(StrEnum):
    """When to be reminded again."""

    TOMORROW = "tomorrow"
    IN_THREE_DAYS = "three_days"
    NEXT_MONDAY = "next_monday"


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The zone Slack names; a name nobody knows is taken for Tokyo's."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(USUAL_ZONE)


@lru_cache(maxsize=8)
def _holidays_of(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


def today_of(now: datetime, time_zone: str) -> date:
    """The calendar day a person lives in at ``now``."""
    return now.astimezone(zone_of(time_zone)).date()


def is_working_day(day: date, *, country: str = "JP") -> bool:
    """Monday to Friday, no public holiday."""
    return day.weekday() < 5 and day not in _holidays_of(country)


def next_working_day(day: date, *, country: str = "JP") -> date:
    """``day`` itself when it is a working day, else the first one after it."""
    while not is_working_day(day, country=country):
        day += timedelta(days=1)
    return day


def due_after(now: datetime, days: int, *, time_zone: str, country: str = "JP") -> date:
    """A due date ``days`` calendar days from the person's today, moved forward to a working day. At least tomorrow."""
    return next_working_day(today_of(now, time_zone) + timedelta(days=max(1, days)), country=country)


def accepted_due_date(asked: date, now: datetime, *, time_zone: str, country: str = "JP") -> date:
    """A date somebody (or a model) proposed, made valid: not before tomorrow, at most a year ahead, on a working day."""
    today = today_of(now, time_zone)
    within = min(max(asked, today + timedelta(days=1)), today + LATEST)
    return next_working_day(within, country=country)


def postponed_to(asked: date, now: datetime, *, time_zone: str, country: str = "JP") -> date | None:
    """The working day a person's own new date means; ``None`` for today, the past, and more than a year ahead."""
    today = today_of(now, time_zone)
    return next_working_day(asked, country=country) if today < asked <= today + LATEST else None


def snooze_day(choice: Snooze, today: date) -> date:
    """Always after ``today``: on a Monday, the next one is a week away."""
    match choice:
        case Snooze.TOMORROW:
            return today + timedelta(days=1)
        case Snooze.IN_THREE_DAYS:
            return today + timedelta(days=3)
        case Snooze.NEXT_MONDAY:
            return today + timedelta(days=7 - today.weekday())


def reminder_moment(due_on: date, time_zone: str) -> datetime:
    """Nine in the morning of the due day where the person is; in a gap of daylight saving the clock's next valid moment."""
    return datetime.combine(due_on, time(REMINDER_HOUR), tzinfo=zone_of(time_zone)).astimezone(UTC)


def this_mornings_moment(now: datetime, time_zone: str) -> datetime | None:
    """Nine o'clock today where the person is, while it is still to come: who has travelled is not woken by a reminder."""
    moment = reminder_moment(today_of(now, time_zone), time_zone)
    return moment if now < moment else None
