"""Any server with OpenAI's ``/v1/embeddings``: OpenAI itself, Azure, Ollama, llama.cpp, vLLM, text-embeddings-inference …"""

import asyncio
from collections.abc import Sequence

import numpy as np
from openai import AsyncOpenAI, OpenAIError, omit
from openai.types import CreateEmbeddingResponse

from app.core.transaction_guard import refuse_inside_transaction
from app.embeddings.embedder import EmbedderFailed, Vectors

TEXTS_PER_CALL = 64


class OpenAIStyleEmbedder:
    """``prefixes`` are put before questions and passages for models that were trained with them (e5, bge …)."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str | None = None,
        dimensions: int | None = None,
        prefixes: tuple[str, str] = ("", ""),
        question_timeout_seconds: float = 1.0,
        passage_timeout_seconds: float = 60.0,
    ) -> None:
        self._name = model
        self._dimensions = dimensions
        self._question_prefix, self._passage_prefix = prefixes
        self._question_timeout_seconds = question_timeout_seconds
        self._passage_timeout_seconds = passage_timeout_seconds
        self._client = AsyncOpenAI(api_key=api_key or "none", base_url=base_url, max_retries=0, timeout=passage_timeout_seconds)

    @property
    def model(self) -> str:
        return f"{self._name}/{self._dimensions or 'full'}"

    async def prepare(self) -> None:
        """Nothing to load."""

    async def embed_question(self, text: str) -> Vectors:
        return await self._embed([self._question_prefix + text], self._question_timeout_seconds)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        parts = [
            await self._embed(
                [self._passage_prefix + text for text in texts[start : start + TEXTS_PER_CALL]], self._passage_timeout_seconds
            )
            for start in range(0, len(texts), TEXTS_PER_CALL)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    async def close(self) -> None:
        await self._client.close()

    async def _embed(self, texts: list[str], timeout_seconds: float) -> Vectors:
        refuse_inside_transaction("an embeddings endpoint")
        try:
            async with asyncio.timeout(timeout_seconds):
                # As floats: the client would otherwise ask for base64, which not every compatible server knows.
                reply = await self._client.embeddings.create(
                    model=self._name,
                    input=texts,
                    encoding_format="float",
                    dimensions=omit if self._dimensions is None else self._dimensions,
                )
        except (OpenAIError, TimeoutError, ValueError) as error:
            raise EmbedderFailed(f"embeddings model {self._name}: {type(error).__name__}") from error
        if not isinstance(reply, CreateEmbeddingResponse):  # the client hands a web page over as text
            raise EmbedderFailed(f"embeddings model {self._name}: the answer is no list of vectors")
        return _unit_rows([item.embedding for item in sorted(reply.data, key=lambda item: item.index)], expected=len(texts))


def _unit_rows(rows: list[list[float]], *, expected: int) -> Vectors:
    """Made unit length here: some servers, and shortened vectors of any server, are not."""
    if len(rows) != expected or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise EmbedderFailed("embeddings endpoint: the number or the length of the vectors is wrong")
    vectors = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise EmbedderFailed("embeddings endpoint: a vector is empty or not finite")
    return np.asarray(vectors / lengths, dtype=np.float32)
