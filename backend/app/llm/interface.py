"""What the rest of the product knows of a language model, whoever serves it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    """Who says a message of a prompt."""

    SPEAKER = "user"
    COACH = "assistant"


@dataclass(frozen=True)
class PromptMessage:
    """One message of a prompt. ``is_expendable``: may be left out, oldest first, when the window is too small."""

    role: Role
    text: str
    is_expendable: bool = True


@dataclass(frozen=True)
class ModelRequest:
    """One question to a model.

    ``instructions`` is the stable part (cached by vendors that can); ``messages`` ends with the question and its material.
    ``by_rules`` composes the answer that is given when no model is configured or none answers: the service's last resort.
    ``schema`` asks for a JSON object of that JSON schema.
    """

    purpose: str
    instructions: str
    messages: tuple[PromptMessage, ...]
    team_id: str
    user_id: str | None = None
    profile: str = "default"
    prompt_version: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    schema: dict[str, Any] | None = None
    by_rules: Callable[[], str] | None = None


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. ``input_tokens`` includes those read from the vendor's cache and those written to it."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_written_tokens: int = 0


@dataclass(frozen=True)
class TextPiece:
    """The next piece of the reply's text. A provider gives an empty one while the model thinks: it is not silent."""

    text: str


@dataclass(frozen=True)
class StartedOver:
    """What was streamed so far is void: another provider begins again from the first word."""


@dataclass(frozen=True)
class Finished:
    """The reply is whole. A stream that ends without this never happened. ``was_cut``: stopped at its longest length."""

    usage: Usage
    model: str
    was_cut: bool = False


ProviderEvent = TextPiece | Finished
ReplyEvent = TextPiece | StartedOver


class Provider(Protocol):
    """One vendor or server. Raises only ``core.errors.ModelError`` subclasses and ``CancelledError``."""

    @property
    def name(self) -> str:
        """As in ``LLM_PROVIDER``."""

    def stream(self, request: "ProviderRequest") -> AsyncGenerator[ProviderEvent]:
        """The reply, ending with exactly one :class:`Finished`; ``ModelReplyInvalid`` when the stream breaks off.

        Closing the generator early closes the connection: the vendor stops writing, and charging.
        """

    async def close(self) -> None:
        """Gives connections back."""


@dataclass(frozen=True)
class ProviderRequest:
    """A request after the service has chosen the model, fitted the prompt and masked personal data.

    ``messages`` begins and ends with the speaker and alternates. ``temperature`` and ``effort`` are ``None`` for models that
    do not take them; ``token_parameter`` is what ``max_tokens`` is called, where a vendor has several names for it.
    """

    model: str
    instructions: str
    messages: tuple[PromptMessage, ...]
    max_tokens: int
    temperature: float | None
    silence_seconds: float
    schema: dict[str, Any] | None = None
    token_parameter: str = "max_tokens"  # noqa: S105
    effort: str | None = None
    by_rules: Callable[[], str] | None = None


@dataclass(frozen=True)
class ModelCall:
    """What one attempt cost, for the books: one per provider asked, failed ones too."""

    purpose: str
    profile: str
    provider: str
    model: str
    prompt_version: str
    usage: Usage
    cost_micro_usd: int | None
    milliseconds: int
    outcome: str


@dataclass(frozen=True)
class ModelReply:
    """A whole reply. ``is_by_rules``: no model answered; the text is the request's ``by_rules``.

    ``was_cut``: the model stopped at its longest length, so the text ends in mid-thought. Say so to the reader.
    """

    text: str
    model: str
    provider: str
    is_by_rules: bool
    calls: tuple[ModelCall, ...] = field(default=())
    was_cut: bool = False
