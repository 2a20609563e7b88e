"""Where the present moment comes from, so that tests can choose it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, in UTC and with its time zone."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never runs backwards."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ShiftedClock(SystemClock):
    """The machine's clock, moved ``by`` some time: for trying out tomorrow today."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by
