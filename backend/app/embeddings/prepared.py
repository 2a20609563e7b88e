"""Vectors that come along with the product: its own library is found by meaning at once, not after minutes of computing."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.embeddings.embedder import Embedder, Vectors

PREPARED = Path(__file__).parents[2] / "data" / "embeddings" / "starter_library.npz"
KEY_BYTES = 16


class PreparedEmbedder:
    """Another embedder that need not compute the passages in ``file``. What is not in there (an edited entry) it computes."""

    def __init__(self, embedder: Embedder, file: Path = PREPARED) -> None:
        self._embedder = embedder
        self._file = file
        self._known: Mapping[bytes, NDArray[np.float16]] | None = None

    @property
    def model(self) -> str:
        return self._embedder.model

    async def prepare(self) -> None:
        await self._embedder.prepare()

    async def embed_question(self, text: str) -> Vectors:
        return await self._embedder.embed_question(text)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self._known is None:
            self._known = await asyncio.to_thread(read_vectors, self._file)
        rows = {text: self._known.get(key_of(self.model, text)) for text in texts}
        missing = [text for text in dict.fromkeys(texts) if rows[text] is None]
        computed = dict(zip(missing, await self._embedder.embed_passages(missing), strict=True)) if missing else {}
        vectors = [computed[text] if (row := rows[text]) is None else row.astype(np.float32) for text in texts]
        return np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)

    async def close(self) -> None:
        await self._embedder.close()


def key_of(model: str, text: str) -> bytes:
    """What a vector is found under: it says nothing about the text."""
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()[:KEY_BYTES]


def read_vectors(file: Path) -> dict[bytes, NDArray[np.float16]]:
    """Everything in the file; nothing when there is none."""
    if not file.exists():
        return {}
    with np.load(file, allow_pickle=False) as stored:
        return dict(zip(map(bytes, stored["keys"]), stored["vectors"], strict=True))


def write_vectors(file: Path, model: str, texts: Sequence[str], vectors: Vectors) -> None:
    keys = np.frombuffer(b"".join(key_of(model, text) for text in texts), np.uint8).reshape(len(texts), -1)
    np.savez_compressed(file, keys=keys, vectors=vectors.astype(np.float16))
