"""How fast Markdown files become findable entries: against reading and inserting the same texts without anything for search.

    python backend/benchmarks/import_speed.py [--files 1000]

The files are those of the starter library, repeated under other titles until there are enough. Importing reads them, splits them
into chunks and terms, writes entries, versions and the index of words; vectors follow in the background and are not counted. The
yardstick reads the same files and inserts their texts, one row each in the same portions, on the same server and in the same run:
the ratio says what being found costs. The mark is 200 entries a second.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from marks import Row
from search_quality import throw_away_servers

from app.assistant.import_knowledge import save_all
from app.knowledge.entry import system_actor
from app.knowledge.importing.files import files_in, read_file
from app.knowledge.library import Library
from app.knowledge.starter_library import STARTER_FOLDER
from app.knowledge.tokens import Tokenizer
from app.storage.database import Database
from app.storage.migrations import upgrade_to_newest

MARK = 200.0
PORTION = 50


def write_files(folder: Path, count: int) -> int:
    """The characters written."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(STARTER_FOLDER.rglob("*.md"))]
    written = 0
    for number in range(count):
        text = texts[number % len(texts)].replace("title: ", f"title: {number} ", 1)
        written += (folder / f"{number:05}.md").write_text(text, encoding="utf-8")
    return written


async def import_all(database: Database, library: Library, folder: Path, team_id: str) -> float:
    began = time.perf_counter()
    files = files_in(folder)
    for start in range(0, len(files), PORTION):
        results = [await read_file(file, root=folder) for file in files[start : start + PORTION]]
        await save_all(database, library, results, actor=system_actor(team_id))
    return time.perf_counter() - began


async def insert_only(database: Database, folder: Path) -> float:
    async with database.transaction() as session:
        await session.execute("create table plain (id bigint generated always as identity, title text, body text)")
    began = time.perf_counter()
    files = files_in(folder)
    for start in range(0, len(files), PORTION):
        rows = [(file.stem, file.read_text(encoding="utf-8")) for file in files[start : start + PORTION]]
        async with database.transaction() as session:
            await session.execute_many("insert into plain (title, body) values ($1, $2)", rows)
    return time.perf_counter() - began


async def main(count: int) -> None:
    with throw_away_servers() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        characters = write_files(folder, count)
        upgrade_to_newest(url)
        database = await Database.open(url, max_connections=4)
        tokenizer = Tokenizer()
        tokenizer.question_terms("辞書を読み込む")
        library = Library(database, tokenizer)
        yardstick = await insert_only(database, folder)
        first = await import_all(database, library, folder, "T1")
        again = await import_all(database, library, folder, "T1")
        await database.close()
    rate = count / first
    print(f"{count} files of {characters // count} characters in {first:.2f} s")
    print(f"  {Row('Markdown files imported a second', rate, MARK, MARK, '/s', at_most=False)}")
    print(f"insert only: {count / yardstick:.0f} rows/s; being found costs {first / yardstick:.1f} times that")
    print(f"importing the same again: {count / again:.0f} files/s, {first / again:.1f} times faster")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", type=int, default=1000)
    asyncio.run(main(arguments.parse_args().files))
