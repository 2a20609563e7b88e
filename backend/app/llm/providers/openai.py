"""OpenAI's own service."""

from collections.abc import AsyncGenerator

import openai

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.llm.interface import Provider, ProviderEvent, ProviderRequest
from app.llm.providers.chat_completions import chat_body, stream_chat, streaming
from app.llm.providers.transport import http_client


class OpenAI:
    """Chat completions; nothing is kept at the vendor."""

    name = "openai"

    def __init__(self, *, key: str, base_url: str | None = None) -> None:
        self._client = openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, http_client=http_client())
        self._completions = streaming(self._client)

    def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
        body = {**chat_body(request), "store": False}
        if request.effort is not None:
            body["reasoning_effort"] = request.effort
        return stream_chat(self._completions, self.name, body, silence_seconds=request.silence_seconds)

    async def close(self) -> None:
        await self._client.close()


def open_provider(settings: Settings) -> Provider:
    if settings.openai_api_key is None:
        raise ConfigurationError("OPENAI_API_KEY is missing")
    return OpenAI(key=settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url)
