"""Text → vectors, whoever computes them."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]  # one row per text, each of length 1


class EmbedderBusy(Exception):
    """More is asked than the share of the machine that embedding may take: no fault, the caller goes on without vectors."""


class EmbedderFailed(Exception):
    """The endpoint did not answer, or not with vectors. The text names endpoint and reason, never the texts."""


class Embedder(Protocol):
    """Vectors of one model. Those of different ``model`` names must never be compared."""

    @property
    def model(self) -> str:
        """Name and dimensions; stored beside each vector."""

    async def prepare(self) -> None:
        """Loads what the first question would otherwise wait for. Calls nobody."""

    async def embed_question(self, text: str) -> Vectors:
        """One row. ``EmbedderBusy`` at once rather than after a wait; ``EmbedderFailed`` when there is no answer."""

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One row per text. May take long: for background work."""

    async def close(self) -> None:
        """Gives threads and connections back."""
