"""How fast the search is: its database part against ts_rank_cd over the same terms, how it grows, and the whole of it.

    python backend/benchmarks/search_speed.py [FOLDER] [--sizes 1000 10000 100000] [--questions N]

FOLDER holds a question set, or several, of which the largest is taken (see question_sets.py); default: the variable
RETRIEVAL_DATA, else sentences of the starter library, asked for its titles. Where a size needs more documents than there are,
they are repeated. Both sides are asked the same terms on the same server, one question at a time. The whole search, asked one
question after the other, embeds each with the local model and waits for it; the entries' vectors are made up, since only their
number matters.
"""

import argparse
import asyncio
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from marks import Row
from question_sets import documents_of, draft_of, questions_of, sets_in, take_folder
from search_quality import throw_away_servers

from app.embeddings.embedder import Vectors
from app.embeddings.local import LocalEmbedder
from app.i18n.language import Language
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.entry import system_actor
from app.knowledge.filters import SearchFilter
from app.knowledge.importing.files import read_files
from app.knowledge.lexical_search import search_words
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.starter_library import STARTER_FOLDER
from app.knowledge.tokens import Tokenizer
from app.knowledge.vectors import VectorMatrix
from app.storage.database import Database, Session
from app.storage.migrations import upgrade_to_newest

DIMENSIONS = 384


WHOLE_SEARCH_AT = 10_000  # entries
SHORTEST_SENTENCE = 10  # characters


@dataclass(frozen=True)
class Material:
    """What is loaded, and what is asked."""

    name: str
    documents: list[dict[str, Any]]
    questions: list[str]


@dataclass(frozen=True)
class Medians:
    """Of one size, in milliseconds."""

    size: int
    ours: float
    theirs: float

    @property
    def times_faster(self) -> float:
        return self.theirs / self.ours


def material_of(folder: Path | None, *, most_questions: int) -> Material:
    if folder is None:
        return starter_material(most_questions)
    largest = max(sets_in(folder), key=lambda one: (one / "corpus.jsonl").stat().st_size)
    questions = [line["text"] for line in questions_of(largest, most_questions)]
    return Material(largest.name, documents_of(largest), questions)


def starter_material(most_questions: int) -> Material:
    """For everybody: entries that nobody has, each put together from some sentences, since copies of a few would be all alike."""
    drafts = [draft for result in read_files(STARTER_FOLDER) for draft in result.drafts if draft.language is Language.JAPANESE]
    sentences = [
        one.strip() for draft in drafts for one in re.split(r"(?<=。)|\n", draft.body) if len(one.strip()) > SHORTEST_SENTENCE
    ]
    lots = Random(0)
    documents = [
        {"id": str(number), "title": lots.choice(sentences)[:40], "text": "".join(lots.choices(sentences, k=8)), "lang": "ja"}
        for number in range(WHOLE_SEARCH_AT)
    ]
    return Material("sentences of the starter library", documents, [draft.title for draft in drafts][:most_questions])


async def measure(database: Database, material: Material, *, size: int) -> Medians:
    """Loads a workspace of that size and times both ways to search it."""
    tokenizer, team_id = Tokenizer(), f"T{size}"
    documents = material.documents
    questions = [tokenizer.question_terms(text) for text in material.questions]
    drafts = [
        replace(draft_of(documents[number % len(documents)]), slug=f"{number}-{documents[number % len(documents)]['id']}")
        for number in range(size)
    ]
    began = time.perf_counter()
    await Library(database, tokenizer).save(drafts, actor=system_actor(team_id))
    saved_per_second = size / (time.perf_counter() - began)
    async with database.reading() as session:
        await fill_yardstick(session, tokenizer, team_id, documents, size)
        await session.execute("vacuum analyze")

        async def ours(terms: list[str]) -> Any:
            return await search_words(session, team_id, terms, scopes=["everyone"], wanted=SearchFilter(), limit=100)

        async def theirs(terms: list[str]) -> Any:
            return await session.fetch(YARDSTICK, team_id, " | ".join(quoted(term) for term in terms))

        ours_ms = await milliseconds(ours, questions)
        theirs_ms = await milliseconds(theirs, questions[: max(10, min(len(questions), 2_000_000 // size))])
    scan_ms = time_of_scan(size)
    medians = Medians(size, statistics.median(ours_ms), statistics.median(theirs_ms))
    columns = {
        "ours p50 ms": medians.ours, "p95 ms": p95(ours_ms), "ts_rank_cd p50 ms": medians.theirs,
        "times faster": medians.times_faster, "vector scan ms": scan_ms, "saved/s": saved_per_second,
    }  # fmt: skip
    print(f"{size:>7} entries ", "  ".join(f"{name} {value:.2f}" for name, value in columns.items()), flush=True)
    return medians


async def measure_whole_search(database: Database, material: Material, *, size: int) -> Row:
    """From a person's words to the passages, as the product searches. It needs the workspace that ``measure`` has loaded."""
    embedder = MadeUpPassages()
    while await EmbeddingQueue(database, embedder).embed_pending(limit=1_000):
        pass
    # The product goes on without a vector that is late, and keeps a core's half free of questions: here each is waited for.
    search = KnowledgeSearch(database, Tokenizer(), embedder=embedder, meaning_deadline_seconds=60)
    await search.prepare(f"T{size}")
    walls, processors = [], []
    for number, text in enumerate(["はじめの質問", *material.questions]):
        wall, processor = time.perf_counter(), time.process_time()
        await search.search(text, actor=system_actor(f"T{size}"))
        if number:
            walls.append((time.perf_counter() - wall) * 1000)
            processors.append((time.process_time() - processor) * 1000)
    await search.close()
    await embedder.close()
    print(
        f"{size:>7} entries  whole search p50 ms {statistics.median(walls):.1f}  p95 ms {p95(walls):.1f}"
        f"  processor time of this process p50 ms {statistics.median(processors):.1f}  p95 ms {p95(processors):.1f}",
        flush=True,
    )
    return Row(f"whole search with the question's vector, p95, {size:,} entries", p95(walls), 100, 100, "ms")


class MadeUpPassages(LocalEmbedder):
    """Questions are embedded by the local model; passages, of which there are thousands, are directions drawn by lot."""

    def __init__(self) -> None:
        super().__init__(core_share=1)
        self._lots = np.random.default_rng(0)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return unit_vectors(self._lots, len(texts))


def unit_vectors(lots: np.random.Generator, count: int) -> Vectors:
    vectors = lots.standard_normal((count, DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def milliseconds(call: Callable[[list[str]], Awaitable[Any]], questions: list[list[str]]) -> list[float]:
    for terms in questions[:5]:
        await call(terms)
    times = []
    for terms in questions:
        began = time.perf_counter()
        await call(terms)
        times.append((time.perf_counter() - began) * 1000)
    return times


async def fill_yardstick(
    session: Session, tokenizer: Tokenizer, team_id: str, documents: list[dict[str, Any]], size: int
) -> None:
    """The same terms, with their positions, in a tsvector with a GIN index; nothing of another size beside them."""
    await session.execute("drop table if exists yardstick")
    await session.execute("create table yardstick (team_id text, id int, terms tsvector)")
    await session.execute("create index ix_yardstick on yardstick using gin (terms)")
    texts = [
        with_positions(tokenizer.terms_of(f"{line['title']}\n{line['text']}", Language(line["lang"])))
        for line in documents[:size]
    ]
    for start in range(0, size, 2_000):
        rows = [(team_id, number, texts[number % len(texts)]) for number in range(start, min(start + 2_000, size))]
        await session.execute_many("insert into yardstick values ($1, $2, $3::text::tsvector)", rows)


def with_positions(terms: list[str]) -> str:
    """As a tsvector is written; ts_rank_cd counts only what has a position."""
    return " ".join(f"{quoted(term)}:{place}" for place, term in enumerate(terms, start=1))


def quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


YARDSTICK = """
select id from yardstick, to_tsquery('simple', $2) as asked
where team_id = $1 and terms @@ asked order by ts_rank_cd(terms, asked) desc limit 100
"""


def time_of_scan(size: int) -> float:
    """Filters, scores and sorts as many vectors, in memory."""
    vectors = unit_vectors(np.random.default_rng(0), size)
    numbers = np.arange(size)
    matrix = VectorMatrix(
        version=1, chunk_ids=numbers, entry_ids=numbers, passages=vectors, titles=vectors, title_of=numbers,
        title_shares=np.full(size, 0.5, np.float32), scopes=np.full(size, "everyone"), languages=np.full(size, "ja"),
        categories=np.full(size, "company"), trusts=np.full(size, 2, np.int16), dates=np.full(size, np.datetime64("2026-01-01")),
    )  # fmt: skip
    times = []
    for number in range(30):
        began = time.perf_counter()
        matrix.nearest(vectors[number : number + 1], scopes=["everyone", "person:U1"], wanted=SearchFilter(), limit=100)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def run(options: argparse.Namespace, url: str) -> None:
    upgrade_to_newest(url)
    database = await Database.open(url, max_connections=3, command_timeout_seconds=1_800)
    material = material_of(options.folder, most_questions=options.questions)
    print(f"{material.name}: {len(material.documents):,} documents, {len(material.questions)} questions", flush=True)
    medians, rows = [], []
    for size in options.sizes:
        medians.append(await measure(database, material, size=size))
        if size == WHOLE_SEARCH_AT:
            rows.append(Row(f"ts_rank_cd ÷ ours, p50, {size:,} entries", medians[-1].times_faster, 5, 20, "×", at_most=False))
            rows.append(await measure_whole_search(database, material, size=size))
    first, last = medians[0], medians[-1]
    rows.append(Row(f"growth of p50 from {first.size:,} to {last.size:,} entries", last.ours / first.ours, 20, 10, "×"))
    print(*(f"  {row}" for row in rows), sep="\n", flush=True)
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    take_folder(parser)
    parser.add_argument("--sizes", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with throw_away_servers() as url:
        asyncio.run(run(options, url))


if __name__ == "__main__":
    main()
