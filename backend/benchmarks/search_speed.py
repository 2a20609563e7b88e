"""How fast the database part of the search is: against ts_rank_cd over the same terms, and how it grows.

    python backend/benchmarks/search_speed.py FOLDER [--sizes 1000 10000 100000] [--questions N]

FOLDER holds ``corpus.jsonl`` and ``queries.dev.jsonl`` of one set (see search_quality.py); where a size needs more documents
than the set has, they are repeated. Both sides are asked the same terms on the same server, one question at a time; the p50 of
both is printed with the ratio. Also printed: how many entries a second are saved, and the time of a scan over as many vectors.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from question_sets import draft_of, read_lines
from search_quality import throw_away_servers

from app.i18n.language import Language
from app.knowledge.entry import system_actor
from app.knowledge.filters import SearchFilter
from app.knowledge.lexical_search import search_words
from app.knowledge.library import Library
from app.knowledge.tokens import Tokenizer
from app.knowledge.vectors import VectorMatrix
from app.storage.database import Database, Session
from app.storage.migrations import upgrade_to_newest

DIMENSIONS = 384


async def measure(database: Database, folder: Path, *, size: int, most_questions: int) -> float:
    """Loads a workspace of that size and times both ways to search it; our p50 in milliseconds."""
    tokenizer, team_id = Tokenizer(), f"T{size}"
    documents = read_lines(folder / "corpus.jsonl")
    questions = [tokenizer.question_terms(line["text"]) for line in read_lines(folder / "queries.dev.jsonl")[:most_questions]]
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
    ours_p50, theirs_p50 = statistics.median(ours_ms), statistics.median(theirs_ms)
    columns = {
        "ours p50 ms": ours_p50, "p95 ms": statistics.quantiles(ours_ms, n=20)[-1], "ts_rank_cd p50 ms": theirs_p50,
        "times faster": theirs_p50 / ours_p50, "vector scan ms": scan_ms, "saved/s": saved_per_second,
    }  # fmt: skip
    print(f"{size:>7} entries ", "  ".join(f"{name} {value:.2f}" for name, value in columns.items()), flush=True)
    return ours_p50


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
    """The same terms, with their positions, in a tsvector with a GIN index."""
    await session.execute("create table if not exists yardstick (team_id text, id int, terms tsvector)")
    await session.execute("create index if not exists ix_yardstick on yardstick using gin (terms)")
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
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((size, DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
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
    medians = [await measure(database, options.folder, size=size, most_questions=options.questions) for size in options.sizes]
    print(f"growth from {options.sizes[0]} to {options.sizes[-1]} entries: x{medians[-1] / medians[0]:.1f}")
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with throw_away_servers() as url:
        asyncio.run(run(options, url))


if __name__ == "__main__":
    main()
