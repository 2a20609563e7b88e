"""Tables of an export: read by spreadsheets, and never run by them."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistant.export_person import as_csv

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "＝1+1", "＠x", " =1", "\u3000=1")


def rows_of(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert rows_of(as_csv([{"content": text}])) == [["content"], [f"'{text}"]]


@given(st.text(max_size=40))
def test_no_text_begins_like_a_formula_and_nothing_is_lost(text: str) -> None:
    [cell] = rows_of(as_csv([{"content": text}, {"content": "x"}]))[1] or [""]
    assert cell.lstrip(" \u3000")[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert cell in {text, f"'{text}"}


def test_numbers_dates_and_lists_are_written_as_they_are_read() -> None:
    row = {
        "a": -5,
        "b": None,
        "c": datetime(2026, 4, 1, tzinfo=UTC),
        "d": [1, "二"],
        "e": UUID(int=1),
        "f": True,
        "g": '一行目\n二行目,「」"',
    }
    table = as_csv([row])
    assert table.startswith("\ufeff".encode())  # otherwise a spreadsheet guesses the encoding
    assert rows_of(table)[1] == [
        "-5",
        "",
        "2026-04-01T00:00:00+00:00",
        '[1, "二"]',
        "00000000-0000-0000-0000-000000000001",
        "True",
        '一行目\n二行目,「」"',
    ]
