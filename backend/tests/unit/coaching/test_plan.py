"""Plans from outside are accepted whole or refused with a reason; due dates are valid days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coaching.plan.due_dates import accepted_due_date, due_after, is_working_day, next_working_day, reminder_moment, today_of
from app.coaching.plan.plan import ActionPlan, parse_plan
from app.core.errors import ModelReplyInvalid

EARLIEST, LATEST = date(2026, 4, 2), date(2027, 4, 1)
ZONES = ["Asia/Tokyo", "America/New_York", "Europe/London", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"]


def action(**changes: Any) -> dict[str, Any]:
    return {
        "title": "既存顧客5社に紹介を依頼する",
        "description": "感謝を伝えてから具体的な相手像を示して依頼する",
        "priority": "high",
        "due_on": "2026-04-10",
        "category": "customer",
        "success_metric": "紹介2件",
    } | changes


def plan(**changes: Any) -> dict[str, Any]:
    return {"summary": "紹介を起点に新規を増やす", "actions": [action()], "rhythm": "weekly", "entries": [3]} | changes


def parsed(value: Any) -> ActionPlan:
    return parse_plan(value, known_entries=frozenset({3}), earliest=EARLIEST, latest=LATEST)


def test_a_valid_plan_is_accepted_and_foreign_entries_are_left_out() -> None:
    result = parsed(plan(entries=[3, 99, 3]))
    assert result.actions[0].due_on == date(2026, 4, 10)
    assert result.entries == (3,)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "計画です",
        plan(summary=""),
        plan(actions=[]),
        plan(actions=[action()] * 6),
        plan(actions=[action(), action()]),
        plan(rhythm="daily"),
        plan(actions=[action(due_on="2026-03-31")]),
        plan(actions=[action(due_on="来週")]),
        plan(actions=[action(priority="最優先")]),
        plan(actions=[action(title="あ" * 81)]),
        plan(actions=[{"title": "x"}]),
        {key: value for key, value in plan().items() if key != "rhythm"},
    ],
)
def test_a_broken_plan_is_refused(broken: Any) -> None:
    with pytest.raises(ModelReplyInvalid):
        parsed(broken)


@given(
    now=st.integers(0, 7 * 365 * 24).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    days=st.integers(-400, 800),
    zone=st.sampled_from(ZONES),
)
def test_due_dates_are_working_days_in_the_persons_future(now: datetime, days: int, zone: str) -> None:
    today = today_of(now, zone)
    for due in (due_after(now, days, time_zone=zone), accepted_due_date(today + timedelta(days=days), now, time_zone=zone)):
        assert due > today
        assert is_working_day(due)


@given(due=st.dates(date(2024, 1, 1), date(2030, 12, 31)), zone=st.sampled_from(ZONES))
def test_a_reminder_comes_on_the_morning_of_the_due_day(due: date, zone: str) -> None:
    local = reminder_moment(due, zone).astimezone(ZoneInfo(zone))
    assert (local.date(), local.hour) == (due, 9)


def test_japanese_holidays_and_leap_days_are_respected() -> None:
    assert next_working_day(date(2026, 5, 2)) == date(2026, 5, 7)  # Saturday, then the holidays of Golden Week
    assert is_working_day(date(2028, 2, 29))
    assert not is_working_day(date(2026, 1, 1))


def test_today_is_the_persons_own_day() -> None:
    late_evening_utc = datetime(2026, 3, 31, 20, tzinfo=UTC)
    assert today_of(late_evening_utc, "Asia/Tokyo") == date(2026, 4, 1)
    assert today_of(late_evening_utc, "America/New_York") == date(2026, 3, 31)
