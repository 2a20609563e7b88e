"""The question sets that search and answers are measured with: a folder from outside, since none of them is ours to ship.

A set is a folder with ``corpus.jsonl`` {id, title, text, lang} and ``queries.dev.jsonl`` {id, text, lang, relevant, grades}.
"""

import argparse
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.i18n.language import Language
from app.knowledge.entry import Category, Draft
from app.storage.database import Database

VARIABLE = "RETRIEVAL_DATA"
CACHE_VARIABLE = "RETRIEVAL_VECTORS"
MISSING = f"skipped: it needs question sets. Give their folder as an argument or in {VARIABLE}; see docs/how_to/measure.md"
TODAY = datetime(2026, 1, 1, tzinfo=UTC).date()


def take_folder(parser: argparse.ArgumentParser) -> None:
    """``folder``: the argument, else the variable, else ``None``."""
    given = os.environ.get(VARIABLE) or None
    parser.add_argument("folder", nargs="?", type=Path, default=given, help=f"question sets, or one of them; default: {VARIABLE}")


def take_vector_cache(parser: argparse.ArgumentParser) -> None:
    """``vector_cache``: a file, since embedding some thousand documents takes an hour."""
    parser.add_argument("--vector-cache", type=Path, default=os.environ.get(CACHE_VARIABLE) or None)


def sets_in(folder: Path, names: Sequence[str] | None = None) -> list[Path]:
    """The sets of a folder, or the folder itself where it is one; ends the program when nothing is there to be measured."""
    if is_set(folder):
        return [folder]
    sets = [one for one in sorted(folder.glob("*")) if is_set(one) and (not names or one.name in names)]
    if not sets:
        raise SystemExit(
            f"{folder} holds no corpus.jsonl with its queries.dev.jsonl" + (f" for {', '.join(names)}" * bool(names))
        )
    return sets


def is_set(folder: Path) -> bool:
    return (folder / "corpus.jsonl").exists() and (folder / "queries.dev.jsonl").exists()


def documents_of(folder: Path) -> list[dict[str, Any]]:
    return read_lines(folder / "corpus.jsonl")


def questions_of(folder: Path, most: int | None = None) -> list[dict[str, Any]]:
    return read_lines(folder / "queries.dev.jsonl")[:most]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def draft_of(document: dict[str, Any]) -> Draft:
    return Draft(
        slug=document["id"], title=document["title"], body=document["text"], category=Category.COMPANY,
        language=Language(document["lang"]), updated_on=TODAY,
    )  # fmt: skip


async def slugs_of(database: Database, team_id: str) -> dict[int, str]:
    """The sets' names of documents, by entry."""
    async with database.reading() as session:
        return dict(await session.fetch("select id, slug from knowledge_entries where team_id = $1", team_id))
