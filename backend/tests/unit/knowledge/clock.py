"""A clock that is moved by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Starts at a fixed moment."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds
