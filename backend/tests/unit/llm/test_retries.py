"""Who is asked next, and after how long."""

import random

import pytest

from app.core.errors import (
    AppError,
    ModelMisconfigured,
    ModelRateLimited,
    ModelRefused,
    ModelReplyInvalid,
    ModelUnavailable,
    TooLong,
)
from app.llm.profiles import ModelProfile
from app.llm.retries import Attempt, Attempts, Failure
from app.llm.traits import traits_of


def profile(model: str) -> ModelProfile:
    return ModelProfile(model, "openai", model, None, 100, 8_000, traits_of("openai", model))


ONE, TWO = profile("one"), profile("two")


def attempts(*chain: ModelProfile, max_retries: int = 2, closed_to: tuple[str, ...] = ()) -> Attempts:
    made = Attempts(chain, max_retries=max_retries, admits=lambda key: key not in closed_to, chance=random.Random(1))
    assert closed_to or made.first() == Attempt(chain[0])
    return made


def failed(error: AppError, *, text: bool = False, seconds: float = 0.1, left: float = 100.0) -> Failure:
    return Failure(error, text, seconds, left)


def models(made: Attempts, failure: Failure) -> list[str]:
    """Whom it asks when every attempt fails the same way."""
    asked = []
    while attempt := made.after(failure):
        asked.append(attempt.profile.model)
        assert len(asked) < 20
    return asked


def test_alone_a_model_is_asked_again_as_often_as_allowed() -> None:
    assert models(attempts(ONE, max_retries=2), failed(ModelUnavailable())) == ["one", "one"]
    assert models(attempts(ONE, max_retries=0), failed(ModelUnavailable())) == []


def test_with_a_fallback_it_is_asked_once_more_before_the_other() -> None:
    assert models(attempts(ONE, TWO), failed(ModelUnavailable())) == ["one", "two", "two", "two"]


@pytest.mark.parametrize("error", [ModelMisconfigured(), TooLong()])
def test_what_cannot_get_better_moves_on_at_once(error: AppError) -> None:
    assert models(attempts(ONE, TWO), failed(error)) == ["two"]


def test_a_refusal_is_not_taken_elsewhere() -> None:
    assert models(attempts(ONE, TWO), failed(ModelRefused())) == []


def test_after_text_was_shown_exactly_one_more_attempt_is_made_elsewhere_where_possible() -> None:
    assert models(attempts(ONE, TWO), failed(ModelReplyInvalid(), text=True)) == ["two"]
    assert models(attempts(ONE), failed(ModelReplyInvalid(), text=True)) == ["one"]


def test_who_kept_people_waiting_is_not_asked_again_while_others_are_there() -> None:
    assert models(attempts(ONE, TWO), failed(ModelUnavailable(), seconds=30))[0] == "two"
    assert models(attempts(ONE), failed(ModelUnavailable(), seconds=30)) == ["one", "one"]


def test_the_wait_is_what_the_vendor_said_and_a_little_chance() -> None:
    attempt = attempts(ONE).after(failed(ModelRateLimited(retry_after_seconds=7)))
    assert attempt is not None and 7 <= attempt.wait_seconds <= 7.25


def test_a_long_wait_is_spent_elsewhere() -> None:
    attempt = attempts(ONE, TWO).after(failed(ModelRateLimited(retry_after_seconds=7)))
    assert attempt == Attempt(TWO)


def test_a_wait_beyond_the_end_of_the_turn_is_not_begun() -> None:
    assert attempts(ONE).after(failed(ModelRateLimited(retry_after_seconds=200))) is None
    assert attempts(ONE).after(failed(ModelUnavailable(), left=0)) is None


def test_waits_grow() -> None:
    made = attempts(ONE, max_retries=6)
    waits = []
    while attempt := made.after(failed(ModelUnavailable())):
        waits.append(attempt.wait_seconds)
    assert waits[0] <= 0.5 and waits[-1] >= 4 and max(waits) <= 8


def test_open_circuits_are_passed_over() -> None:
    made = attempts(ONE, TWO, closed_to=(ONE.key,))
    assert made.first() == Attempt(TWO)
    assert attempts(ONE, closed_to=(ONE.key,)).first() is None
