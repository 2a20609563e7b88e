"""Computes the vectors of the starter library's new and changed entries and writes the file that comes along with the product.

Run it from the project's root after entries have been written:
``PYTHONPATH=backend .venv/bin/python backend/scripts/embed_starter_library.py``
"""

import asyncio

from app.embeddings.local import LocalEmbedder
from app.embeddings.prepared import PREPARED, PreparedEmbedder, write_vectors
from app.knowledge.starter_library import starter_passages


async def main() -> None:
    texts = starter_passages()
    embedder = PreparedEmbedder(LocalEmbedder(core_share=1))
    try:
        write_vectors(PREPARED, embedder.model, texts, await embedder.embed_passages(texts))
    finally:
        await embedder.close()
    print(f"{len(texts)} vectors: {PREPARED.relative_to(PREPARED.parents[3])}")


if __name__ == "__main__":
    asyncio.run(main())
