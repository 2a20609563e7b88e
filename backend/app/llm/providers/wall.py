"""What vendors say when something is wrong, in our words. Shared by all providers that speak HTTP."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from app.core.errors import ModelError, ModelMisconfigured, ModelRateLimited, ModelRefused, ModelReplyInvalid, ModelUnavailable

# 429 and 400 carry meanings that the status alone does not tell.
_NEVER_HELPS = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_TRY_AGAIN = frozenset({408, 409, 425})


def refused_call(vendor: str, status: int, *, headers: Mapping[str, str], body: object) -> ModelError:
    """The error for an HTTP answer. Names status, type and parameter: the vendor's sentence may quote what was sent."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    details = error if isinstance(error, dict) else {}
    words = {str(details[name]) for name in ("type", "code") if details.get(name)}
    text = _described(vendor, status, details, headers)
    if words & _FILTERED:
        return ModelRefused(text)
    if status == 429 and not words & _NEVER_HELPS:
        return ModelRateLimited(text, retry_after_seconds=retry_after(headers))
    if status >= 500 or status in _TRY_AGAIN:
        return ModelUnavailable(text)
    return ModelMisconfigured(text)


def error_in_stream(vendor: str, error: object) -> ModelError:
    """The error for an event that says so after a 200."""
    details = error if isinstance(error, dict) else {}
    kind = str(details.get("type") or details.get("code") or "")
    text = f"{vendor} ended the stream with {kind or 'an error'}"
    if kind in _FILTERED:
        return ModelRefused(text)
    if kind == "rate_limit_error":
        return ModelRateLimited(text)
    if kind in {"authentication_error", "permission_error", "not_found_error", "invalid_request_error", "billing_error"}:
        return ModelMisconfigured(text)
    return ModelUnavailable(text)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to wait, from any of the forms in use; ``None`` when it is not said."""
    if milliseconds := _number(headers.get("retry-after-ms")):
        return milliseconds / 1000
    given = headers.get("retry-after")
    if given is None or (seconds := _number(given)) is not None:
        return None if given is None else seconds
    try:
        return max(0.0, (parsedate_to_datetime(given) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None


@asynccontextmanager
async def transport_errors_as_ours(vendor: str) -> AsyncIterator[None]:
    """For what no SDK translates once a stream has begun: lost connections, silence, broken JSON."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise ModelUnavailable(f"{vendor} went silent") from error
    except httpx2.HTTPError as error:
        raise ModelReplyInvalid(f"the stream of {vendor} broke off") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelReplyInvalid(f"the stream of {vendor} cannot be understood") from error


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The data of each server-sent event. Vendors put an event's data on one line; names and comments are skipped."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def _described(vendor: str, status: int, details: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    names = ", ".join(f"{name} {details[name]}" for name in ("type", "code", "param") if details.get(name))
    number = headers.get("x-request-id") or headers.get("request-id")
    return f"{vendor} answered {status}" + (f" ({names})" if names else "") + (f", request {number}" if number else "")


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None
