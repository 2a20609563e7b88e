"""Keeps the vectors of recent questions: the same words are often asked again, and a question costs more than its search."""

from collections import OrderedDict
from collections.abc import Sequence

from app.embeddings.embedder import Embedder, Vectors

MOST_REMEMBERED = 2_000  # 384 dimensions: 3 MB


class RememberingEmbedder:
    """Another embedder with a memory for questions. In memory only: vectors of what people ask are not stored."""

    def __init__(self, embedder: Embedder, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._embedder = embedder
        self._most_remembered = most_remembered
        self._questions: OrderedDict[str, Vectors] = OrderedDict()

    @property
    def model(self) -> str:
        return self._embedder.model

    async def prepare(self) -> None:
        await self._embedder.prepare()

    def known(self, text: str) -> Vectors | None:
        """The vector of a question that was embedded lately, if it is still at hand. Computes nothing."""
        return self._questions.get(text)

    async def embed_question(self, text: str) -> Vectors:
        known = self._questions.get(text)
        if known is None:
            known = await self._embedder.embed_question(text)
            self._questions[text] = known
            if len(self._questions) > self._most_remembered:
                self._questions.popitem(last=False)
        else:
            self._questions.move_to_end(text)
        return known

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return await self._embedder.embed_passages(texts)

    async def close(self) -> None:
        await self._embedder.close()
