"""Vectors of what is remembered, where an embedder is at hand; without them words alone are compared."""

import logging
from collections.abc import Sequence
from typing import Protocol

from app.coaching.memory.insight import Vector
from app.embeddings.embedder import EmbedderBusy, EmbedderFailed, Vectors

logger = logging.getLogger(__name__)


class PassageVectors(Protocol):
    """As ``embeddings.embedder.Embedder``."""

    @property
    def model(self) -> str: ...

    async def embed_passages(self, texts: Sequence[str]) -> Vectors: ...


async def vectors_of(texts: Sequence[str], embedder: PassageVectors | None) -> list[Vector | None]:
    """One per text, all ``None`` when there is nobody to compute them."""
    if embedder is None or not texts:
        return [None] * len(texts)
    try:
        return [Vector(embedder.model, row) for row in await embedder.embed_passages(texts)]
    except (EmbedderBusy, EmbedderFailed) as error:
        logger.warning("memories_not_embedded", extra={"reason": type(error).__name__})
        return [None] * len(texts)
