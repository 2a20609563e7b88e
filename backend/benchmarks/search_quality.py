"""How well the product's own search finds things: nDCG@10 and hit@5 on question sets.

    python backend/benchmarks/search_quality.py [FOLDER] [--sets NAME …] [--no-vectors] [--vector-cache FILE] [--questions N]

FOLDER holds question sets (see question_sets.py); default: the variable RETRIEVAL_DATA. The documents are saved through
``Library``, embedded by ``EmbeddingQueue`` and found through ``KnowledgeSearch``: the same path, with the same settings for all
sets, that an answer takes. A vector cache (any file outside the project) spares embedding the same texts again.
"""

import argparse
import asyncio
import hashlib
import math
import pickle
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from marks import Row
from question_sets import MISSING, documents_of, draft_of, questions_of, sets_in, slugs_of, take_folder, take_vector_cache

from app.embedded.services import THROW_AWAY, EmbeddedServices
from app.embeddings.embedder import Vectors
from app.embeddings.local import LocalEmbedder
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.entry import system_actor
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.tokens import Tokenizer
from app.storage.database import Database
from app.storage.migrations import upgrade_to_newest

# Floor and target of the sets we are measured by: with the local model, and with words alone. The settings are the same for all.
MARKS = {
    "ja-localgovfaq": {"nDCG@10": (0.61, 0.66), "hit@5": (0.80, 0.85)},
    "ja-jsquad": {"nDCG@10": (0.94, 0.95)},
    "ja-jaquad": {"nDCG@10": (0.88, 0.90)},
    "en-stackfaq": {"nDCG@10": (0.88, 0.92)},
    "zh-cmrc": {"nDCG@10": (0.98, 0.985)},
    "x-zh2en": {"nDCG@10": (0.75, 0.83)},
}
MARKS_OF_WORDS_ALONE = {"ja-localgovfaq": {"nDCG@10": (0.50, 0.53)}}


async def measure(folder: Path, database: Database, *, embedder: Any, most_questions: int | None) -> dict[str, float]:
    """Loads one set as a workspace of its own and asks all its questions."""
    actor = system_actor(f"T-{folder.name}")
    documents, questions = documents_of(folder), questions_of(folder, most_questions)
    tokenizer = Tokenizer()
    began = time.perf_counter()
    await Library(database, tokenizer).save([draft_of(document) for document in documents], actor=actor)
    saving_seconds = time.perf_counter() - began
    if embedder is not None:
        await EmbeddingQueue(database, embedder).embed_pending(limit=len(documents))
    search = KnowledgeSearch(database, tokenizer, embedder=embedder, meaning_deadline_seconds=60)
    await search.prepare(actor.team_id)
    gains, hits, milliseconds = [], [], []
    slugs = await slugs_of(database, actor.team_id)
    for question in questions:
        began = time.perf_counter()
        passages = await search.search(question["text"], actor=actor, limit=10)
        milliseconds.append((time.perf_counter() - began) * 1000)
        ranked = [slugs[passage.entry_id] for passage in passages]
        gains.append(gain_of(ranked, question))
        hits.append(any(name in question["relevant"] for name in ranked[:5]))
    await search.close()
    return {
        "nDCG@10": statistics.fmean(gains), "hit@5": statistics.fmean(hits), "p50 ms": statistics.median(milliseconds),
        "p95 ms": statistics.quantiles(milliseconds, n=20)[-1], "saved/s": len(documents) / saving_seconds,
    }  # fmt: skip


def rows_of(name: str, result: dict[str, float], *, has_vectors: bool) -> list[Row]:
    """Empty for sets that nothing was promised of."""
    marks = (MARKS if has_vectors else MARKS_OF_WORDS_ALONE).get(name, {})
    return [Row(f"{name} {figure}", result[figure], *both, at_most=False, digits=3) for figure, both in marks.items()]


def gain_of(ranked: Sequence[str], question: dict[str, Any]) -> float:
    """nDCG@10: the gain of a document is its grade, 1 where the set has none."""
    grades = question.get("grades") or dict.fromkeys(question["relevant"], 1)
    found = sum(grades.get(name, 0) / math.log2(place + 2) for place, name in enumerate(ranked[:10]))
    best = sum(grade / math.log2(place + 2) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:10]))
    return found / best


class CachedEmbedder:
    """The local embedder with its vectors kept in a file between runs."""

    def __init__(self, file: Path | None) -> None:
        self._embedder = LocalEmbedder(core_share=1)
        self._file = file
        self._known: dict[bytes, Any] = pickle.loads(file.read_bytes()) if file and file.exists() else {}
        self.model = self._embedder.model

    async def prepare(self) -> None:
        pass

    async def embed_question(self, text: str) -> Vectors:
        return await self._embed("q", text)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.concatenate([await self._embed("p", text) for text in texts])

    async def close(self) -> None:
        if self._file:
            self._file.write_bytes(pickle.dumps(self._known))
        await self._embedder.close()

    async def _embed(self, kind: str, text: str) -> Vectors:
        key = hashlib.sha256(f"{kind}\0{text}".encode()).digest()[:16]
        if key not in self._known:
            row = (await self._embedder.embed_passages([text])) if kind == "p" else await self._embedder.embed_question(text)
            self._known[key] = row[0].astype(np.float16)
        return np.asarray(self._known[key], dtype=np.float32)[None, :]


@contextmanager
def throw_away_servers() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sa-bench-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServices(Path(folder), THROW_AWAY) as embedded:
            yield embedded.database_url


async def run(options: argparse.Namespace, url: str) -> None:
    upgrade_to_newest(url)
    database = await Database.open(url, max_connections=5, command_timeout_seconds=600)
    embedder = None if options.no_vectors else CachedEmbedder(options.vector_cache)
    for folder in sets_in(options.folder, options.sets):
        result = await measure(folder, database, embedder=embedder, most_questions=options.questions)
        print(f"{folder.name:16}", "  ".join(f"{name} {value:.4f}" for name, value in result.items()), flush=True)
        for row in rows_of(folder.name, result, has_vectors=embedder is not None):
            print(f"  {row}", flush=True)
    if embedder:
        await embedder.close()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    take_folder(parser)
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--no-vectors", action="store_true")
    take_vector_cache(parser)
    parser.add_argument("--questions", type=int)
    options = parser.parse_args()
    if options.folder is None:
        print(MISSING)
        return
    with throw_away_servers() as url:
        asyncio.run(run(options, url))


if __name__ == "__main__":
    main()
