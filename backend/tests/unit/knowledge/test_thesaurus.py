"""The company's own synonyms."""

import os
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.knowledge.synonyms.thesaurus import LOOK_AGAIN_SECONDS, SynonymsFile, thesaurus_in
from app.knowledge.tokens import Tokenizer
from tests.unit.knowledge.clock import HandClock

TOKENIZER = Tokenizer()


def words(text: str, question: str) -> dict[str, int]:
    return thesaurus_in(text, TOKENIZER).words_of(TOKENIZER.question_terms(question))


def test_a_word_of_the_question_brings_its_synonyms_as_the_same_word() -> None:
    found = words("値引き = ディスカウント = discount", "値引きの承認")
    assert found["値引き"] == found["ディスカウント"] == found["discount"] != found["承認"]


@pytest.mark.parametrize(
    "line",
    ["値引き＝ディスカウント", "値引き，ディスカウント", "値引き, ディスカウント  # 社内の言い方", "値引き\tディスカウント"],
)
def test_lines_may_be_written_in_several_ways(line: str) -> None:
    assert "ディスカウント" in words(line, "値引き")


def test_all_ways_of_writing_a_word_count_and_lines_that_share_one_are_one_meaning() -> None:
    assert "値引き" in words("値引き = ディスカウント\nディスカウント = 割引", "ﾃﾞｨｽｶｳﾝﾄをねびき")
    assert "割引" in words("値引き = ディスカウント\nディスカウント = 割引", "値引")


def test_several_words_are_a_synonym_only_together() -> None:
    assert "競合" not in words("競合 = ライバル会社", "会社の承認")
    assert "競合" in words("競合 = ライバル会社", "ライバル会社に負けた")


def test_a_question_without_any_of_the_words_stays_as_it_is() -> None:
    assert list(words("値引き = ディスカウント", "見積の期限")) == TOKENIZER.question_terms("見積の期限")


@pytest.mark.parametrize(
    "text, line, reason",
    [("値引き = ディスカウント\n割引", 2, "alone"), ("# a\n\n値引き = ", 3, "missing"), ("の = は", 1, "nothing that is"),
     (f"値引き = {'あ' * 51}", 1, "longer than")],
)  # fmt: skip
def test_a_mistake_names_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"line {line}: .*{reason}"):
        thesaurus_in(text, TOKENIZER)


async def test_the_file_is_read_again_when_it_changes_and_a_mistake_in_it_changes_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "synonyms.txt", HandClock()
    path.write_text("値引き = ディスカウント\n", encoding="utf-8")
    file = SynonymsFile(path, TOKENIZER, clock)
    await file.load()
    first = await file.thesaurus()
    write(path, "値引き = 割引\n", later=10)
    assert await file.thesaurus() is first
    clock.seconds += LOOK_AGAIN_SECONDS + 1
    second = await file.thesaurus()
    assert "割引" in second.words_of(["値引き"]) and second.version != first.version
    write(path, "割引\n", later=20)
    clock.seconds += LOOK_AGAIN_SECONDS + 1
    assert await file.thesaurus() is second
    path.unlink()
    clock.seconds += LOOK_AGAIN_SECONDS + 1
    assert await file.thesaurus() is second


async def test_a_missing_or_unreadable_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await SynonymsFile(tmp_path / "none.txt", TOKENIZER).load()
    wrong = tmp_path / "wrong.txt"
    wrong.write_bytes("値引き = 割引".encode("cp932"))
    with pytest.raises(ConfigurationError, match="UTF-8"):
        await SynonymsFile(wrong, TOKENIZER).load()


def write(path: Path, text: str, *, later: int) -> None:
    path.write_text(text, encoding="utf-8")
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + later * 1_000_000_000))
