"""What answers rest on: whether the right entry is among the passages that the model is given, and whom its answer cites.

    python backend/benchmarks/answer_grounding.py [FOLDER] [--sets NAME …] [--no-vectors] [--vector-cache FILE] [--questions N]

FOLDER holds question sets (see question_sets.py); default: the variable RETRIEVAL_DATA. Each question takes the product's own way
from a person's words to the recorded answer, with a scripted model that cites all it was given and as much that it was not. Only
passages that are strong enough to answer from are given, so the share is a little below hit@5 of search_quality.py.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grounding import Grounding, coach
from marks import Row
from question_sets import MISSING, documents_of, draft_of, questions_of, sets_in, take_folder, take_vector_cache
from search_quality import CachedEmbedder

from app.embedded.services import THROW_AWAY, EmbeddedServices
from app.i18n.language import Language
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.entry import system_actor
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.tokens import Tokenizer
from app.storage.database import Database
from app.storage.migrations import upgrade_to_newest

NEAREST_TO_OUR_USE = ("ja-localgovfaq",)


async def measure(folder: Path, database: Database, redis_url: str, *, embedder: Any, most_questions: int | None) -> list[Row]:
    """Loads one set as a workspace of its own and asks all its questions."""
    team_id = f"T-{folder.name}"
    documents, questions = documents_of(folder), questions_of(folder, most_questions)
    tokenizer = Tokenizer()
    drafts = [replace(draft_of(document), source=document["id"]) for document in documents]
    await Library(database, tokenizer).save(drafts, actor=system_actor(team_id))
    if embedder is not None:
        await EmbeddingQueue(database, embedder).embed_pending(limit=len(drafts))
    # A busy machine may be late with a question's vector: here it is waited for.
    knowledge = KnowledgeSearch(database, tokenizer, embedder=embedder, meaning_deadline_seconds=60)
    await knowledge.prepare(team_id)
    async with coach(database, redis_url, knowledge, team_id=team_id) as asked:
        answers = [await asked.ask(question["text"], language=Language(question["lang"])) for question in questions]
    await knowledge.close()
    return rows_of(answers, [question["relevant"] for question in questions])


def rows_of(answers: Sequence[Grounding], relevant: Sequence[Sequence[str]]) -> list[Row]:
    right = statistics.fmean(not set(answer.given).isdisjoint(wanted) for answer, wanted in zip(answers, relevant, strict=True))
    by_model = [answer for answer in answers if not answer.is_by_rules]
    print(
        f"  ({len(answers)} questions; for {sum(not answer.given for answer in by_model)} nothing was found;"
        f" {statistics.fmean(len(answer.given) for answer in by_model):.1f} entries given on average)"
    )
    return [
        Row("right entry among those given to the model", right * 100, 80, 85, "%", at_most=False),
        Row("entries given for one question", max(len(answer.given) for answer in by_model), 5, 5),
        Row("citations of what was not given", sum(answer.wrong_citations for answer in by_model), 0, 0),
        Row("citations of what was given that got lost", sum(answer.lost_citations for answer in by_model), 0, 0),
        Row("answers without the model", len(answers) - len(by_model), 0, 0),
    ]


async def run(options: argparse.Namespace, servers: EmbeddedServices) -> None:
    upgrade_to_newest(servers.database_url)
    database = await Database.open(servers.database_url, max_connections=5, command_timeout_seconds=600)
    embedder = None if options.no_vectors else CachedEmbedder(options.vector_cache)
    for folder in sets_in(options.folder, options.sets):
        print(f"{folder.name}:", flush=True)
        rows = await measure(folder, database, servers.redis_url, embedder=embedder, most_questions=options.questions)
        print(*(f"  {row}" for row in rows), sep="\n", flush=True)
    if embedder:
        await embedder.close()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    take_folder(parser)
    parser.add_argument("--sets", nargs="*", default=NEAREST_TO_OUR_USE)
    parser.add_argument("--no-vectors", action="store_true")
    take_vector_cache(parser)
    parser.add_argument("--questions", type=int)
    options = parser.parse_args()
    if options.folder is None:
        print(MISSING)
        return
    with tempfile.TemporaryDirectory(prefix="sa-bench-") as home:
        Path(home).chmod(0o755)
        with EmbeddedServices(Path(home), THROW_AWAY) as servers:
            asyncio.run(run(options, servers))


if __name__ == "__main__":
    main()
