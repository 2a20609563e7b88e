"""The vectors of the starter library, which take some minutes to compute: kept in a file, so that tests can search in all of it.

    python -m tests.with_services.remembered_vectors

writes the file anew; what it does not know (an edited entry) is computed when it is asked for, so it may be late but never wrong.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.embeddings.embedder import Vectors
from app.embeddings.local import LocalEmbedder
from app.knowledge.chunking import chunks_of
from app.knowledge.importing.files import read_files
from app.knowledge.starter_library import STARTER_FOLDER

FILE = Path(__file__).parent / "starter_vectors.npz"


class RememberingEmbedder(LocalEmbedder):
    """The local model, which has read the starter library already."""

    def __init__(self, file: Path = FILE) -> None:
        super().__init__(core_share=1)
        stored = np.load(file) if file.exists() else {"keys": [], "vectors": []}
        self._known = dict(zip(map(bytes, stored["keys"]), stored["vectors"], strict=True))

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([await self._passage(text) for text in texts])

    async def _passage(self, text: str) -> Vectors:
        known = self._known.get(_key(self.model, text))
        return (await super().embed_passages([text]))[0] if known is None else known.astype(np.float32)


def _key(model: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()[:16]


async def write(file: Path = FILE) -> None:
    embedder = RememberingEmbedder(file)
    drafts = [draft for result in read_files(STARTER_FOLDER) for draft in result.drafts]
    texts = [text for draft in drafts for text in (draft.title, *(f"{draft.title}\n{c.text}" for c in chunks_of(draft.body)))]
    vectors = (await embedder.embed_passages(texts)).astype(np.float16)
    keys = np.frombuffer(b"".join(_key(embedder.model, text) for text in texts), np.uint8).reshape(len(texts), -1)
    np.savez_compressed(file, keys=keys, vectors=vectors)
    await embedder.close()


if __name__ == "__main__":
    asyncio.run(write())
