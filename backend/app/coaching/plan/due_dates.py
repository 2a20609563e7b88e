"""When an action is due: in the person's time zone, on a working day of Japan, never in the past."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

REMINDER_HOUR = 9  # local time, on the morning of the due day


@lru_cache(maxsize=8)
def _holidays_of(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)


def today_of(now: datetime, time_zone: str) -> date:
    """The calendar day a person lives in at ``now``."""
    return now.astimezone(ZoneInfo(time_zone)).date()


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
    within = min(max(asked, today + timedelta(days=1)), today + timedelta(days=365))
    return next_working_day(within, country=country)


def reminder_moment(due_on: date, time_zone: str) -> datetime:
    """Nine in the morning of the due day where the person is; in a gap of daylight saving the clock's next valid moment."""
    local = datetime.combine(due_on, time(REMINDER_HOUR), tzinfo=ZoneInfo(time_zone))
    return local.astimezone(ZoneInfo("UTC"))
