"""The wire format of OpenAI's chat completions, which most servers speak."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import openai
from openai.resources.chat.completions.completions import AsyncCompletionsWithStreamingResponse

from app.core.errors import ModelRefused, ModelReplyInvalid, ModelUnavailable
from app.llm.interface import Finished, ProviderEvent, ProviderRequest, TextPiece, Usage
from app.llm.providers.transport import CONNECT_SECONDS, chunks_of, read_rest
from app.llm.providers.wall import error_in_stream, events, refused_call, transport_errors_as_ours

_END = b"[DONE]"
# Several deltas may share one compressed block, which would hold them back.
_UNCOMPRESSED = {"accept-encoding": "identity"}


def streaming(client: openai.AsyncOpenAI) -> AsyncCompletionsWithStreamingResponse:
    """To be called at the start: the SDK imports its parts at first use, which would hold up the first question."""
    return client.chat.completions.with_streaming_response


async def stream_chat(
    completions: AsyncCompletionsWithStreamingResponse, vendor: str, body: dict[str, Any], *, silence_seconds: float
) -> AsyncGenerator[ProviderEvent]:
    """One streamed completion: the SDK calls and refuses, the lines are read here (see ``transport``)."""
    timeout = openai.Timeout(silence_seconds, connect=CONNECT_SECONDS)
    try:
        async with (
            transport_errors_as_ours(vendor),
            # As extra_body the prompt goes out as it is: as arguments, the SDK walks through all of it, which costs 1.3 ms.
            completions.create(
                model=body["model"],
                messages=[],
                stream=True,
                timeout=timeout,
                extra_headers=_UNCOMPRESSED,
                extra_body=body | {"stream": True, "stream_options": {"include_usage": True}},
            ) as response,
            aclosing(_parsed(chunks_of(response.http_response), vendor, str(body["model"]))) as parsed,
        ):
            async for event in parsed:
                yield event
    except openai.APIStatusError as error:
        # Without the cause: its text is the vendor's, and may quote the prompt or the key.
        raise refused_call(vendor, error.status_code, headers=error.response.headers, body=error.body) from None
    except openai.APITimeoutError as error:
        raise ModelUnavailable(f"{vendor} did not answer in time") from error
    except openai.APIConnectionError as error:
        raise ModelUnavailable(f"{vendor} cannot be reached") from error
    except openai.OpenAIError as error:
        raise ModelReplyInvalid(f"{vendor} answered in an unknown form") from error


async def _parsed(chunks: AsyncIterator[bytes], vendor: str, model: str) -> AsyncGenerator[ProviderEvent]:
    finish, usage = None, Usage()
    async with aclosing(events(chunks)) as lines:
        async for data in lines:
            if data == _END:
                break
            chunk = json.loads(data)
            if choices := chunk.get("choices"):
                choice = choices[0]
                delta = choice.get("delta") or {}
                if text := delta.get("content"):
                    yield TextPiece(text)
                elif delta.get("reasoning_content") or delta.get("reasoning"):
                    yield TextPiece("")
                elif delta.get("refusal"):
                    finish = "refusal"
                finish = choice.get("finish_reason") or finish
            elif error := chunk.get("error"):
                raise error_in_stream(vendor, error)
            if counted := chunk.get("usage"):
                usage = _usage(counted)
            model = chunk.get("model") or model
    await read_rest(chunks)
    yield _finished(finish, usage, vendor=vendor, model=model)


def _finished(finish: str | None, usage: Usage, *, vendor: str, model: str) -> Finished:
    if finish is None:
        raise ModelReplyInvalid(f"the stream of {vendor} ended without its finish")
    if finish in {"content_filter", "refusal"}:
        raise ModelRefused(f"{vendor} declined: {finish}")
    return Finished(usage, model, was_cut=finish == "length")


def _usage(counted: dict[str, Any]) -> Usage:
    details = counted.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=counted.get("prompt_tokens") or 0,
        output_tokens=counted.get("completion_tokens") or 0,
        cached_input_tokens=details.get("cached_tokens") or 0,
        cache_written_tokens=details.get("cache_write_tokens") or 0,
    )


def chat_body(request: ProviderRequest) -> dict[str, Any]:
    """What every such server understands."""
    messages = [{"role": "system", "content": request.instructions}] if request.instructions else []
    messages += [{"role": message.role.value, "content": message.text} for message in request.messages]
    body: dict[str, Any] = {"model": request.model, "messages": messages, request.token_parameter: request.max_tokens}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "reply", "schema": request.schema}}
    return body
