"""``sales-agent knowledge import``, as an operator meets it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from app.storage.database import Database
from tests.doubles.files import price_faq

BACKEND = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "資料"
    (folder / "sub").mkdir(parents=True)
    (folder / "価格FAQ.docx").write_bytes(price_faq())
    (folder / "sub" / "規程.md").write_text("# 値引きの承認\n\n部長が承認します。\n", encoding="utf-8")
    (folder / "~$価格FAQ.docx").write_bytes(b"lock")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


class Operator:
    """Somebody at a terminal."""

    def __init__(self, database_url: str, redis_url: str, home: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND), "PYTHONUTF8": "1", "LANG": "ja_JP.UTF-8", "COLUMNS": "200",
            "DATA_DIRECTORY": str(home / "data"), "DATABASE_URL": database_url, "REDIS_URL": redis_url,
        }  # fmt: skip

    async def imports(self, *words: str | Path) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "knowledge", "import", *map(str, words), env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()


@pytest.fixture
def operator(database_url: str, redis_url: str, tmp_path: Path) -> Operator:
    return Operator(database_url, redis_url, tmp_path)


async def count(database: Database) -> int:
    async with database.reading() as session:
        return int(await session.fetch_value("select count(*) from knowledge_entries"))


async def test_a_folder_is_imported_once_and_said_in_a_table(operator: Operator, folder: Path, database: Database) -> None:
    code, said = await operator.imports(folder)
    assert code == 0, said
    assert "新規 5 件" in said and "sub/規程.md" in said and "photo.png" not in said
    assert await count(database) == 5
    code, said = await operator.imports(folder)
    assert code == 0 and "新規 0 件、更新 0 件、変更なし 5 件" in said


async def test_a_dry_run_says_the_same_and_saves_nothing(operator: Operator, folder: Path, database: Database) -> None:
    code, said = await operator.imports(folder, "--dry-run")
    assert code == 0 and "新規 5 件" in said and "何も保存していません" in said
    assert await count(database) == 0


async def test_a_bad_file_is_named_with_its_reason_and_the_others_are_imported(
    operator: Operator, folder: Path, database: Database
) -> None:
    (folder / "壊れた.xlsx").write_bytes(b"PK\x03\x04nothing")
    code, said = await operator.imports(folder)
    assert code == 1
    assert "壊れた.xlsx" in said and "壊れているため" in said
    assert await count(database) == 5


async def test_a_folder_without_files_we_read_is_an_error(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, said = await operator.imports(tmp_path / "empty")
    assert code == 2 and "読み込めるファイルがありません" in said and "Traceback" not in said
