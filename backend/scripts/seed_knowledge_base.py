"""Puts the starter library into a workspace's knowledge.

    python backend/scripts/seed_knowledge_base.py [--team T0123456789] [--folder FOLDER] [--without-vectors]

The workspace defaults to SLACK_TEAM_ID. Running it again changes only what has changed in the files.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from app.core.config import load_settings
from app.core.errors import AppError, ConfigurationError
from app.embeddings.providers import open_embedder
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.library import Library
from app.knowledge.starter_library import STARTER_FOLDER, load_starter_library
from app.knowledge.tokens import Tokenizer
from app.storage.database import Database


async def seed(team_id: str | None, folder: Path, *, with_vectors: bool) -> None:
    settings = load_settings()
    team_id = team_id or settings.slack_team_id
    if not team_id:
        raise ConfigurationError("the workspace is not known: pass --team, or set SLACK_TEAM_ID")
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL is not set; the demo loads the library by itself")
    database = await Database.open(settings.database_url.get_secret_value(), max_connections=2)
    embedder = open_embedder(settings) if with_vectors else None
    try:
        saved = await load_starter_library(Library(database, Tokenizer()), team_id=team_id, folder=folder)
        print(f"{len(saved.created)} created, {len(saved.changed)} changed, {len(saved.unchanged)} unchanged")
        if embedder:
            await embed_all(EmbeddingQueue(database, embedder))
    finally:
        if embedder:
            await embedder.close()
        await database.close()


async def embed_all(queue: EmbeddingQueue) -> None:
    while await queue.embed_pending(limit=16):
        progress = await queue.progress()
        print(f"\rsearch by meaning: {progress.embedded} of {progress.published} entries", end="", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--team", help="Slack's id of the workspace, T…")
    parser.add_argument("--folder", type=Path, default=STARTER_FOLDER)
    parser.add_argument("--without-vectors", action="store_true", help="words only; the running service adds the rest")
    options = parser.parse_args()
    try:
        asyncio.run(seed(options.team, options.folder, with_vectors=not options.without_vectors))
    except AppError as error:
        sys.exit(f"seed_knowledge_base: {error}")


if __name__ == "__main__":
    main()
