"""Days and mornings wherever people live: summer time, leap days, the date line, names of zones nobody knows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coaching.plan.due_dates import (
    REMINDER_HOUR,
    Snooze,
    is_working_day,
    postponed_to,
    reminder_moment,
    snooze_day,
    this_mornings_moment,
    today_of,
    zone_of,
)

ALL_ZONES = sorted(available_timezones() - {"Factory", "localtime"})
zones = st.sampled_from(ALL_ZONES)
days = st.dates(date(2024, 1, 1), date(2033, 12, 31)) | st.sampled_from(
    # Leap days, and the days on which clocks go forward or back in Europe, America, Australia and on Lord Howe Island.
    [date(2024, 2, 29), date(2028, 2, 29), date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1),
     date(2026, 4, 5), date(2026, 10, 4)]
)  # fmt: skip
moments = st.datetimes(datetime(2024, 1, 1), datetime(2033, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - made UTC


@given(due=days, zone=zones)
def test_the_reminder_comes_at_nine_of_that_day_wherever_the_person_lives(due: date, zone: str) -> None:
    local = reminder_moment(due, zone).astimezone(ZoneInfo(zone))
    assert (local.date(), local.hour, local.minute) == (due, REMINDER_HOUR, 0)


@given(due=days, zone=zones)
def test_reminders_of_two_days_are_about_a_day_apart(due: date, zone: str) -> None:
    apart = reminder_moment(due + timedelta(days=1), zone) - reminder_moment(due, zone)
    assert timedelta(hours=22) <= apart <= timedelta(hours=26), "a day with a change of the clock is an hour or two off"


@given(now=moments, zone=zones)
def test_nobody_is_reminded_before_nine(now: datetime, zone: str) -> None:
    moment = this_mornings_moment(now, zone)
    local = now.astimezone(ZoneInfo(zone))
    if moment is None:
        assert local.hour >= REMINDER_HOUR
    else:
        assert now < moment and moment.astimezone(ZoneInfo(zone)).date() == local.date()


@given(now=moments, zone=zones, ahead=st.integers(-800, 800))
def test_an_item_is_postponed_into_the_future_only_to_a_working_day(now: datetime, zone: str, ahead: int) -> None:
    asked = today_of(now, zone) + timedelta(days=ahead)
    day = postponed_to(asked, now, time_zone=zone)
    assert (day is not None) == (0 < ahead <= 365)
    if day is not None:
        assert day >= asked and is_working_day(day) and day > today_of(now, zone)
        assert (day == asked) == is_working_day(asked)


@given(today=days)
def test_a_snooze_always_ends_on_a_later_day(today: date) -> None:
    tomorrow, third, monday = (snooze_day(choice, today) for choice in Snooze)
    assert (tomorrow - today).days == 1 and (third - today).days == 3
    assert monday.weekday() == 0 and 1 <= (monday - today).days <= 7


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "a" * 5000, "Asia/Tokyo\x00"])
def test_a_zone_nobody_knows_is_taken_for_tokyo(name: str) -> None:
    assert zone_of(name).key == "Asia/Tokyo"
    assert today_of(datetime(2026, 3, 31, 20, tzinfo=UTC), name) == date(2026, 4, 1)
