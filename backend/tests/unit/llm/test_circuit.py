"""A failing model is left alone for a while."""

from datetime import UTC, datetime

from app.llm.circuit import FAILURES_TO_OPEN, OPEN_SECONDS, CircuitBreaker


class HandClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


def opened() -> tuple[CircuitBreaker, HandClock]:
    clock = HandClock()
    breaker = CircuitBreaker(clock)
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.admits("a/m")
        breaker.failed("a/m")
    return breaker, clock


def test_failures_in_a_row_open_it_for_that_model_alone() -> None:
    breaker, _ = opened()
    assert not breaker.admits("a/m") and breaker.is_open("a/m")
    assert breaker.admits("b/m")


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker(HandClock())
    for _ in range(FAILURES_TO_OPEN * 2):
        breaker.failed("a/m")
        breaker.succeeded("a/m")
    assert breaker.admits("a/m")


def test_after_a_while_one_call_at_a_time_tries() -> None:
    breaker, clock = opened()
    clock.seconds += OPEN_SECONDS
    assert breaker.admits("a/m")
    assert not breaker.admits("a/m")
    breaker.succeeded("a/m")
    assert breaker.admits("a/m") and breaker.admits("a/m")


def test_a_failed_try_opens_it_for_as_long_again() -> None:
    breaker, clock = opened()
    clock.seconds += OPEN_SECONDS
    assert breaker.admits("a/m")
    breaker.failed("a/m")
    clock.seconds += OPEN_SECONDS - 1
    assert not breaker.admits("a/m")


def test_a_stopped_try_lets_the_next_one_try() -> None:
    breaker, clock = opened()
    clock.seconds += OPEN_SECONDS
    assert breaker.admits("a/m")
    breaker.abandoned("a/m")
    assert breaker.admits("a/m")
