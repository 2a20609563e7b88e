"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, a company's gateway."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import openai

from app.core.config import Settings
from app.core.errors import ConfigurationError, ModelMisconfigured
from app.llm.interface import Provider, ProviderEvent, ProviderRequest, TextPiece
from app.llm.providers.chat_completions import chat_body, stream_chat, streaming
from app.llm.providers.transport import http_client
from app.llm.providers.wall import transport_errors_as_ours

FIRST_LISTED = "auto"
_OPEN, _CLOSE = "<think>", "</think>"


class OpenAICompatible:
    """``model`` may be ``auto``: the first one the server lists, asked for once."""

    name = "openai_compatible"

    def __init__(self, *, base_url: str, key: str | None = None) -> None:
        # The SDK refuses to be built without a key; local servers do not look at it.
        self._client = openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0, http_client=http_client())
        self._completions = streaming(self._client)
        self._first_listed: str | None = None

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
        if request.model == FIRST_LISTED:
            request = replace(request, model=await self._first_model())
        thoughts = ThoughtFilter()
        async with aclosing(
            stream_chat(self._completions, self.name, chat_body(request), silence_seconds=request.silence_seconds)
        ) as events:
            async for event in events:
                if isinstance(event, TextPiece):
                    yield TextPiece(thoughts.without(event.text))
                    continue
                if rest := thoughts.rest():
                    yield TextPiece(rest)
                yield event

    async def close(self) -> None:
        await self._client.close()

    async def _first_model(self) -> str:
        if self._first_listed is None:
            try:
                async with transport_errors_as_ours(self.name):
                    listed = (await self._client.models.list(timeout=10.0)).data
            except openai.OpenAIError as error:
                raise ModelMisconfigured("LLM_MODEL is not set, and the server at LLM_BASE_URL lists none") from error
            if not listed:
                raise ModelMisconfigured("LLM_MODEL is not set, and the server at LLM_BASE_URL lists no model")
            self._first_listed = listed[0].id
        return self._first_listed


class ThoughtFilter:
    """Leaves out the thoughts that some open models write, tagged, before their reply."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def without(self, piece: str) -> str:
        """What of the text so far is reply and has not been given yet; empty while it is unclear or thought."""
        if self._state == "reply":
            return piece
        self._held += piece
        if self._state == "start":
            begun = self._held.lstrip()
            if begun.startswith(_OPEN):
                self._state = "thought"
            elif not _OPEN.startswith(begun):
                self._state = "reply"
                return self.rest()
        if self._state == "thought" and _CLOSE in self._held:
            self._state = "reply"
            self._held = self._held.partition(_CLOSE)[2]
            return self.rest()
        return ""

    def rest(self) -> str:
        """What was held back and is reply after all; a thought that never ended is none."""
        held, self._held = self._held, ""
        return "" if self._state == "thought" else held


def open_provider(settings: Settings) -> Provider:
    if settings.llm_base_url is None:
        raise ConfigurationError("LLM_BASE_URL is missing")
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    return OpenAICompatible(base_url=settings.llm_base_url, key=key)
