"""Every error this application raises on purpose.

AppError
├── ConfigurationError          a setting is missing or wrong; the start stops with its name and the mend
├── BadRequest                  what arrived cannot be understood or is not allowed to be asked
│   └── TooLong                 more text than a chat message may carry
├── NotAllowed                  the actor may not see or do this
├── NotFound                    the thing asked for does not exist, or not for this actor
├── TooManyRequests             a limit of a person or a workspace is reached
├── ModelError                  the language model gave no usable answer
│   ├── ModelUnavailable        no answer in time, refused connection, overload; another try may help
│   ├── ModelRateLimited        the vendor asks to wait
│   ├── ModelRefused            the model declined, or a vendor's filter did
│   ├── ModelMisconfigured      wrong key, unknown model, bad parameter: an operator must act
│   └── ModelReplyInvalid       the reply ended early or is not in the form asked for
├── SlackError                  Slack did not do what was asked
│   ├── SlackRateLimited        Slack asks to wait
│   ├── SlackUnavailable        Slack did not answer, or the answer was lost
│   └── SlackRefused            Slack will never accept this call (revoked token, archived channel …)
├── StorageUnavailable          PostgreSQL cannot be reached
└── LostClaim                   another worker has taken this event over; stop without a word

Each class carries the catalog key of the sentence a person reads, the status an HTTP edge answers with, and
whether trying again may help. The text of the exception itself is for operators: ids and names, never message texts.
"""

from typing import ClassVar


class AppError(Exception):
    """Base of all expected failures."""

    message_key: ClassVar[str] = "errors.unexpected"
    http_status: ClassVar[int] = 500
    is_retryable: ClassVar[bool] = False


class ConfigurationError(AppError):
    """A setting is missing or wrong. The text names the variable and says how to mend it."""

    message_key = "errors.configuration"


class BadRequest(AppError):
    """The request cannot be understood."""

    message_key = "errors.bad_request"
    http_status = 400


class TooLong(BadRequest):
    """The text is longer than ``MAX_INPUT_LENGTH`` characters."""

    message_key = "errors.too_long"
    http_status = 413


class NotAllowed(AppError):
    """The actor may not see or do this."""

    message_key = "errors.not_allowed"
    http_status = 403


class NotFound(AppError):
    """No such thing for this actor."""

    message_key = "errors.not_found"
    http_status = 404


class TooManyRequests(AppError):
    """A limit is reached; ``retry_after_seconds`` says when the next try may succeed."""

    message_key = "errors.too_many_requests"
    http_status = 429
    is_retryable = True

    def __init__(self, text: str = "", *, retry_after_seconds: float = 60.0) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class ModelError(AppError):
    """The language model gave no usable answer."""

    message_key = "errors.model"
    http_status = 502


class ModelUnavailable(ModelError):
    """Time-out, refused connection, overload or a server error at the vendor."""

    message_key = "errors.model_unavailable"
    http_status = 503
    is_retryable = True


class ModelRateLimited(ModelError):
    """The vendor asks to wait ``retry_after_seconds``; ``None`` when it did not say how long."""

    message_key = "errors.model_rate_limited"
    http_status = 503
    is_retryable = True

    def __init__(self, text: str = "", *, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class ModelRefused(ModelError):
    """The model or the vendor's filter declined to answer."""

    message_key = "errors.model_refused"


class ModelMisconfigured(ModelError):
    """Wrong key, unknown model or a parameter the model does not take."""

    message_key = "errors.model_misconfigured"


class ModelReplyInvalid(ModelError):
    """The reply ended early, was empty, or is not in the form that was asked for."""

    message_key = "errors.model_reply_invalid"
    is_retryable = True


class SlackError(AppError):
    """Slack did not do what was asked. ``code`` is Slack's own error code."""

    message_key = "errors.slack"
    http_status = 502

    def __init__(self, text: str = "", *, code: str = "") -> None:
        super().__init__(text or code)
        self.code = code


class SlackRateLimited(SlackError):
    """Slack answered 429; ``retry_after_seconds`` is its ``Retry-After``."""

    is_retryable = True

    def __init__(self, text: str = "", *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(text, code="ratelimited")
        self.retry_after_seconds = retry_after_seconds


class SlackUnavailable(SlackError):
    """No answer from Slack: whether the call took effect is unknown."""

    is_retryable = True


class SlackRefused(SlackError):
    """A permanent refusal: trying again cannot help."""


class StorageUnavailable(AppError):
    """PostgreSQL cannot be reached or did not answer in time."""

    message_key = "errors.storage_unavailable"
    http_status = 503
    is_retryable = True


class LostClaim(AppError):
    """Another worker has taken this event over: whoever holds this stops without touching anything more."""
