"""Which request and which Slack event the current task works for, so that every log line can say so."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
event_id: ContextVar[str | None] = ContextVar("event_id", default=None)

_ACCEPTABLE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@contextmanager
def working_for(*, request: str | None = None, event: str | None = None) -> Iterator[None]:
    """Binds the ids that are given for the block; ids that are not given stay as they are."""
    tokens = [(variable, variable.set(value)) for variable, value in ((request_id, request), (event_id, event)) if value]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def new_request_id() -> str:
    """Sixteen random hexadecimal digits: short enough that no redaction rule takes it for a key."""
    return secrets.token_hex(8)


def is_acceptable_request_id(value: str) -> bool:
    """Whether an id that a caller sent may go into our logs and answers as it stands."""
    return _ACCEPTABLE_REQUEST_ID.fullmatch(value) is not None
