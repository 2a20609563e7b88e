from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ConfigurationError
from app.slack.ingress import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    Ingress,
    Refused,
    check_addressee,
    form_fields,
    json_object,
)
from tests.doubles.slack_requests import NOW, SECRET, StoppedClock, as_json, mention, request, signed_headers

BODY = as_json(mention())
TIMESTAMP, SIGNATURE = signed_headers(BODY)["x-slack-request-timestamp"], signed_headers(BODY)["x-slack-signature"]


def ingress(*secrets: str, now=NOW) -> Ingress:
    return Ingress(signing_secrets=secrets or (SECRET,), clock=StoppedClock(now))


async def status_of(body: bytes, headers, gate: Ingress | None = None) -> int:
    try:
        await (gate or ingress()).signed_body(request(body, headers))
    except Refused as refused:
        return refused.status
    return 200


async def test_a_signed_request_gives_its_raw_body_however_it_is_cut() -> None:
    for pieces in (1, 2, 7):
        assert await ingress().signed_body(request(BODY, signed_headers(BODY), pieces=pieces)) == BODY


async def test_both_secrets_are_accepted_while_one_is_rotated() -> None:
    gate = ingress("new secret", SECRET)
    assert await status_of(BODY, signed_headers(BODY), gate) == 200
    assert await status_of(BODY, signed_headers(BODY, secret="new secret"), gate) == 200
    assert await status_of(BODY, signed_headers(BODY, secret="older still"), gate) == 401


def test_without_a_secret_nothing_starts() -> None:
    with pytest.raises(ConfigurationError, match="SLACK_SIGNING_SECRET"):
        ingress("", "")


@pytest.mark.parametrize("seconds, status", [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
async def test_a_request_is_believed_for_five_minutes_and_not_longer(seconds: int, status: int) -> None:
    assert await status_of(BODY, signed_headers(BODY), ingress(now=NOW + timedelta(seconds=seconds))) == status


@pytest.mark.parametrize("timestamp", ["", "abc", "1.5", "1e9", "-1", " 1", "１７００", "9" * 400, "0x10"])
async def test_a_timestamp_that_is_no_number_is_refused_even_when_it_is_signed(timestamp: str) -> None:
    headers = [(b"x-slack-request-timestamp", timestamp.encode()), (b"x-slack-signature", SIGNATURE.encode())]
    assert await status_of(BODY, headers) == 401


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-slack-signature", SIGNATURE.encode())],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode())],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode()), (b"x-slack-signature", "v0=ü日本".encode())],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode()), (b"x-slack-signature", b"\xff\xfe")],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode()), *[(b"x-slack-signature", SIGNATURE.encode())] * 2],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode()), (b"x-slack-signature", SIGNATURE.upper().encode())],
        [(b"x-slack-request-timestamp", TIMESTAMP.encode()), (b"x-slack-signature", SIGNATURE.encode() + b" ")],
    ],
)
async def test_odd_signature_headers_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    assert await status_of(BODY, headers) == 401


async def test_no_more_than_a_mebibyte_is_read() -> None:
    large = b"x" * (MAX_BODY_BYTES + 1)
    assert await status_of(large, signed_headers(large)) == 413
    assert await status_of(large[:-1], signed_headers(large[:-1])) == 200


async def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    async def never() -> None:
        raise AssertionError("the body was read")

    asked = request(b"", {**signed_headers(b""), "content-length": str(MAX_BODY_BYTES + 1)})
    asked._receive = never
    with pytest.raises(Refused) as refused:
        await ingress().signed_body(asked)
    assert refused.value.status == 413


@settings(max_examples=1500, deadline=None)
@given(position=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
async def test_no_changed_byte_of_the_body_is_believed(position: int, byte: int) -> None:
    changed = BODY[:position] + bytes([byte]) + BODY[position + 1 :]
    assert await status_of(changed, signed_headers(BODY)) == (200 if changed == BODY else 401)


@settings(max_examples=500, deadline=None)
@given(
    name=st.sampled_from(["x-slack-request-timestamp", "x-slack-signature"]),
    position=st.integers(0, 80),
    byte=st.integers(0, 255),
    is_inserted=st.booleans(),
)
async def test_no_changed_byte_of_the_headers_is_believed(name: str, position: int, byte: int, *, is_inserted: bool) -> None:
    headers = {key: value.encode() for key, value in signed_headers(BODY).items()}
    right = headers[name]
    position = min(position, len(right) - 1)
    headers[name] = right[:position] + bytes([byte]) + right[position + (not is_inserted) :]
    raw = [(key.encode(), value) for key, value in headers.items()]
    assert await status_of(BODY, raw) == (200 if headers[name] == right else 401)


@settings(max_examples=500, deadline=None)
@given(body=st.binary(max_size=300), timestamp=st.binary(max_size=20), signature=st.binary(max_size=90))
async def test_junk_is_always_refused_and_never_an_error(body: bytes, timestamp: bytes, signature: bytes) -> None:
    headers = [(b"x-slack-request-timestamp", timestamp), (b"x-slack-signature", signature)]
    assert await status_of(body, headers) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"1",
        b'"a"',
        b"{",
        b"{}x",
        b"\xff\xfe",
        b'{"a":' * 200_000,
        b"[" * 500_000,
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_readable_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        json_object(body)
    assert refused.value.status == 400


@pytest.mark.parametrize("depth, is_fine", [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (900, False)])
def test_json_may_nest_so_deep_and_no_deeper(depth: int, *, is_fine: bool) -> None:
    body = b'{"a":' * depth + b"1" + b"}" * depth
    if is_fine:
        assert json_object(body)
    else:
        with pytest.raises(Refused, match="too_deep"):
            json_object(body)


def test_many_brackets_side_by_side_are_no_depth() -> None:
    assert len(json_object(b'{"a":[' + b",".join([b"{}"] * 5000) + b"]}")["a"]) == 5000


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=500))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    for read in (json_object, form_fields):
        try:
            assert isinstance(read(body), dict)
        except Refused as refused:
            assert refused.status == 400


def test_a_form_is_read_as_utf8_and_bounded() -> None:
    assert form_fields(b"text=%E5%80%A4%E5%BC%95%E3%81%8D+payload&empty=") == {"text": "値引き payload", "empty": ""}
    for body in (b"a=%ff", b"a=\xff", b"&".join([b"a=1"] * 101)):
        with pytest.raises(Refused) as refused:
            form_fields(body)
        assert refused.value.status == 400


@pytest.mark.parametrize(
    "payload, app_id, team_id, status",
    [
        ({"api_app_id": "A1", "team_id": "T1"}, "A1", "T1", 200),
        ({"api_app_id": "A2", "team_id": "T1"}, "A1", "T1", 403),
        ({"api_app_id": "A1", "team_id": "T2"}, "A1", "T1", 403),
        ({"api_app_id": "A1", "team_id": "T2", "authorizations": [{"team_id": "T1"}]}, "A1", "T1", 200),
        ({"api_app_id": "A1", "team_id": "T1", "authorizations": [{"team_id": "T2"}]}, "A1", "T1", 403),
        ({"api_app_id": "A1", "team": {"id": "T1"}}, "A1", "T1", 200),
        ({"api_app_id": "A1"}, "A1", "T1", 403),
        ({"api_app_id": ["A1"], "team_id": "T1"}, "A1", "T1", 403),
        ({"api_app_id": "A9", "team_id": "T9"}, None, None, 200),
    ],
)
def test_what_another_app_or_workspace_should_get_is_refused(payload: dict, app_id: str, team_id: str, status: int) -> None:
    if status == 200:
        check_addressee(payload, app_id=app_id, team_id=team_id)
    else:
        with pytest.raises(Refused) as refused:
            check_addressee(payload, app_id=app_id, team_id=team_id)
        assert refused.value.status == status
