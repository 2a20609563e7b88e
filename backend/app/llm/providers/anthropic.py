"""Anthropic's messages."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anthropic

from app.core.config import Settings
from app.core.errors import ConfigurationError, ModelRefused, ModelReplyInvalid, ModelUnavailable
from app.llm.interface import Finished, Provider, ProviderEvent, ProviderRequest, TextPiece, Usage
from app.llm.providers.transport import CONNECT_SECONDS, chunks_of, http_client, read_rest
from app.llm.providers.wall import error_in_stream, events, refused_call, transport_errors_as_ours

_WHOLE = frozenset({"end_turn", "stop_sequence"})
_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})


class Anthropic:
    """Messages. The instructions are marked for the vendor's prompt cache: they are the same for everybody."""

    name = "anthropic"

    def __init__(self, *, key: str, base_url: str | None = None) -> None:
        self._client = anthropic.AsyncAnthropic(api_key=key, base_url=base_url, max_retries=0, http_client=http_client())
        # The SDK imports its parts at first use, which would hold up the first question by up to two seconds.
        self._messages = self._client.messages.with_streaming_response

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
        timeout = anthropic.Timeout(request.silence_seconds, connect=CONNECT_SECONDS)
        headers = {"accept-encoding": "identity"}
        try:
            async with (
                transport_errors_as_ours(self.name),
                self._messages.create(**_body(request), stream=True, extra_headers=headers, timeout=timeout) as response,
                aclosing(_parsed(chunks_of(response.http_response), request.model)) as parsed,
            ):
                async for event in parsed:
                    yield event
        except anthropic.APIStatusError as error:
            # Without the cause: its text is the vendor's, and may quote the prompt.
            raise refused_call(self.name, error.status_code, headers=error.response.headers, body=error.body) from None
        except anthropic.APITimeoutError as error:
            raise ModelUnavailable("anthropic did not answer in time") from error
        except anthropic.APIConnectionError as error:
            raise ModelUnavailable("anthropic cannot be reached") from error
        except anthropic.AnthropicError as error:
            raise ModelReplyInvalid("anthropic answered in an unknown form") from error

    async def close(self) -> None:
        await self._client.close()


def _body(request: ProviderRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": [{"role": message.role.value, "content": message.text} for message in request.messages],
    }
    if request.instructions:
        body["system"] = [{"type": "text", "text": request.instructions, "cache_control": {"type": "ephemeral"}}]
    output: dict[str, Any] = {}
    if request.effort is not None:
        output["effort"] = request.effort
    if request.schema is not None:
        output["format"] = {"type": "json_schema", "schema": _closed(request.schema)}
    if output:
        body["output_config"] = output
    return body


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with every object closed to further properties, as the vendor demands."""
    closed = {name: _closed_value(value) for name, value in schema.items()}
    return {**closed, "additionalProperties": False} if schema.get("type") == "object" else closed


def _closed_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _closed(value)
    return [_closed_value(item) for item in value] if isinstance(value, list) else value


async def _parsed(chunks: AsyncIterator[bytes], model: str) -> AsyncGenerator[ProviderEvent]:
    reason, usage = None, Usage()
    async with aclosing(events(chunks)) as lines:
        async for data in lines:
            event = json.loads(data)
            kind = event["type"]
            if kind == "content_block_delta":
                # Thinking arrives as deltas of other kinds: no text, but no silence either.
                yield TextPiece(event["delta"].get("text", ""))
            elif kind == "message_start":
                usage, model = _usage(event["message"].get("usage") or {}), event["message"].get("model") or model
            elif kind == "message_delta":
                reason = event["delta"].get("stop_reason") or reason
                usage = replace(usage, output_tokens=(event.get("usage") or {}).get("output_tokens") or usage.output_tokens)
            elif kind == "error":
                raise error_in_stream("anthropic", event.get("error"))
            elif kind == "message_stop":
                break
    await read_rest(chunks)
    if reason == "refusal":
        raise ModelRefused("anthropic declined")
    if reason not in _WHOLE and reason not in _CUT:
        raise ModelReplyInvalid(f"the stream of anthropic ended without its finish ({reason})")
    yield Finished(usage, model, was_cut=reason in _CUT)


def _usage(counted: dict[str, Any]) -> Usage:
    """The vendor counts what it read from its cache and what it wrote there apart from the rest."""
    cached = counted.get("cache_read_input_tokens") or 0
    written = counted.get("cache_creation_input_tokens") or 0
    return Usage((counted.get("input_tokens") or 0) + cached + written, counted.get("output_tokens") or 0, cached, written)


def open_provider(settings: Settings) -> Provider:
    # Unlike OpenAI's, this SDK accepts a missing key and fails at the first call.
    if settings.anthropic_api_key is None:
        raise ConfigurationError("ANTHROPIC_API_KEY is missing")
    return Anthropic(key=settings.anthropic_api_key.get_secret_value(), base_url=settings.anthropic_base_url)
