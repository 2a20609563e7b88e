"""Decides who is asked next when an attempt failed, and after how long. No input or output of its own."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.errors import AppError, ModelRateLimited, ModelRefused
from app.llm.profiles import ModelProfile

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 8.0
# Somebody else's answer at once is better than this one's after so long.
_PATIENCE_SECONDS = 3.0
_SLOW_SECONDS = 5.0


@dataclass(frozen=True)
class Attempt:
    """Ask this one, after so many seconds."""

    profile: ModelProfile
    wait_seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """How an attempt ended. ``seconds_left``: until the whole turn must be over."""

    error: AppError
    text_was_given: bool
    seconds: float
    seconds_left: float


class Attempts:
    """One turn's attempts over a chain of profiles.

    A profile is tried again only while nothing of its reply has been shown, once when others wait behind it and
    ``max_retries`` times when it is the last. When a shown reply breaks off, exactly one more attempt is made.
    """

    def __init__(
        self, chain: Sequence[ModelProfile], *, max_retries: int, admits: Callable[[str], bool], chance: random.Random
    ) -> None:
        self._waiting = list(chain)
        self._max_retries = max_retries
        self._admits = admits
        self._chance = chance
        self._current: ModelProfile | None = None
        self._tries = 0
        self._is_last = False

    def first(self) -> Attempt | None:
        return self._move_on()

    def after(self, failure: Failure) -> Attempt | None:
        """The next attempt, or ``None``: the failure is final."""
        if self._is_last or isinstance(failure.error, ModelRefused) or failure.seconds_left <= 0:
            return None
        self._is_last = failure.text_was_given
        wait = self._wait(failure.error)
        if self._is_worth_waiting(failure, wait) and (again := self._again(wait)):
            return again
        # With nobody left to move on to, a time-out is answered by patience after all.
        return self._move_on() or (self._again(wait) if self._may_repeat(failure, wait) else None)

    def _is_worth_waiting(self, failure: Failure, wait: float) -> bool:
        if not self._waiting:
            return self._may_repeat(failure, wait)
        is_quick = wait <= _PATIENCE_SECONDS and failure.seconds <= _SLOW_SECONDS
        return self._may_repeat(failure, wait) and is_quick and not failure.text_was_given and self._tries < 2

    def _may_repeat(self, failure: Failure, wait: float) -> bool:
        return failure.error.is_retryable and self._tries <= self._max_retries and wait < failure.seconds_left

    def _again(self, wait: float) -> Attempt | None:
        if self._current is None or not self._admits(self._current.key):
            return None
        self._tries += 1
        return Attempt(self._current, wait)

    def _move_on(self) -> Attempt | None:
        while self._waiting:
            profile = self._waiting.pop(0)
            if self._admits(profile.key):
                self._current, self._tries = profile, 1
                return Attempt(profile)
        return None

    def _wait(self, error: AppError) -> float:
        if isinstance(error, ModelRateLimited) and error.retry_after_seconds is not None:
            # Everybody was told the same number: whoever comes a little later is served.
            return error.retry_after_seconds + self._chance.uniform(0.0, 0.25)
        longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (self._tries - 1))
        return self._chance.uniform(longest / 2, longest)
