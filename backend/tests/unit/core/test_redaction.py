"""What is taken out of text before it leaves the process, and what stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.redaction import REDACTED, on_one_line, redact, redact_value
from tests.unit.core.canaries import CANARIES


@pytest.mark.parametrize("kind", sorted(CANARIES))
@pytest.mark.parametrize("around", ["{}", "値は{}です", "a b {} c d", '{{"x": "{}"}}', "({})", "b'{}'"])
def test_a_secret_goes_wherever_it_stands(kind: str, around: str) -> None:
    canary = CANARIES[kind]
    redacted = redact(around.format(canary.text))
    assert canary.secret not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "text",
    [
        "event Ev0123456789 in T012AB3CD, channel C0123456789, ts 1731234567.123456",
        "model_replied tokens=1234 seconds=0.25",
        "2026-11-21 04:31 と 2026-11-22",
        "値引きを求められたらどう返す？",
        "backend/app/core/logging_config.py line 12",
        "request 0123456789abcdef reference E-7KM3QX9A",
        "GET https://slack.com/api/auth.test → 200",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert redact(text) == text


def test_a_field_goes_by_its_name_and_numbers_stay() -> None:
    assert redact_value("bot_token", "anything") == REDACTED
    assert redact_value("text", "売上の相談です") == REDACTED
    assert redact_value("input_tokens", 42) == 42
    assert redact_value("team_id", "T1") == "T1"
    assert redact_value("details", {"password": "a", "team_id": "T1", "list": ["someone@example.com"]}) == {
        "password": REDACTED,
        "team_id": "T1",
        "list": [REDACTED],
    }


def test_a_value_that_contains_itself_ends() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert REDACTED in str(redact_value("x", endless))


@given(st.text(max_size=300))
def test_one_line_is_one_line_and_can_be_written(text: str) -> None:
    line = on_one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
