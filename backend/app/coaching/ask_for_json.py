"""Asks a model for a JSON object and takes no for an answer: what a model cannot give, the rules give."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.core.errors import ModelError, ModelReplyInvalid, TooLong
from app.llm.interface import ModelCall, ModelReply, ModelRequest, ReplyEvent

logger = logging.getLogger(__name__)


class StreamingReply(Protocol):
    """As ``llm.service.ReplyStream``."""

    @property
    def result(self) -> ModelReply: ...

    @property
    def calls(self) -> Sequence[ModelCall]: ...

    def __aiter__(self) -> AsyncIterator[ReplyEvent]: ...


class LanguageModel(Protocol):
    """As ``llm.service.LLMService``."""

    @property
    def is_offline(self) -> bool: ...

    def open(self, request: ModelRequest) -> AbstractAsyncContextManager[StreamingReply]: ...


async def ask_for_json(llm: LanguageModel, request: ModelRequest, *, seconds: float, calls: list[ModelCall]) -> ModelReply | None:
    """The reply, whose text is an object with the schema's required members; ``None`` when there is none in time.

    ``ModelReplyInvalid`` says what is wrong with the text, for those who ask to have it repaired. ``calls`` grows by what was
    paid for, whatever comes of it.
    """
    try:
        async with asyncio.timeout(seconds), llm.open(request) as reply:
            try:
                async for _ in reply:
                    pass
                return reply.result
            finally:
                calls.extend(reply.calls)
    except ModelReplyInvalid:
        raise
    except (ModelError, TooLong, TimeoutError) as error:
        logger.info("model_did_without", extra={"purpose": request.purpose, "error_type": type(error).__name__})
        return None
