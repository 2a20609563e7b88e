"""``make bench`` runs every benchmark there is, and a fresh clone has all it needs or is told what is missing."""

import os
import re
import subprocess
import sys

import pytest

from app.core.config import PROJECT_ROOT
from benchmarks.bench import BENCHMARKS, FOLDER, main

NEED_QUESTION_SETS = ("search_quality", "answer_grounding")
PARTS = {"bench", "yardsticks"}  # the runner itself, and the bots that a benchmark starts
GUIDE = PROJECT_ROOT / "docs" / "how_to" / "measure.md"


def test_every_program_in_the_folder_is_run() -> None:
    programs = {file.stem for file in FOLDER.glob("*.py") if "__main__" in file.read_text(encoding="utf-8")}
    assert programs - PARTS == set(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_is_explained_in_the_guide(name: str) -> None:
    assert f"**{name}**" in GUIDE.read_text(encoding="utf-8")


def test_an_unknown_benchmark_is_named_and_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["home_sped"]) == 2
    assert "'home_sped'" in capsys.readouterr().out


@pytest.mark.parametrize("name", NEED_QUESTION_SETS)
def test_without_question_sets_a_benchmark_says_what_it_needs(name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "RETRIEVAL_DATA"} | {"PYTHONPATH": "backend"}
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py"], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert re.search("skipped: .*RETRIEVAL_DATA.*docs/how_to/measure.md", done.stdout)
