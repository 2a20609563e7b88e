"""XLSX → document: each sheet is a section, its first row with several columns the head of a table."""

import io
from collections.abc import Iterator
from datetime import datetime, time
from itertools import islice

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument, table_of
from app.knowledge.importing.office import check_archive, day_of
from app.knowledge.importing.problem import NotReadable
from app.knowledge.importing.text import MOST_ROWS

_MOST_COLUMNS = 200
_MOST_EMPTY = 200_000  # rows that say nothing, as a sheet has whose formats reach to its end


def parse_excel(content: bytes) -> ParsedDocument:
    check_archive(content, main_part="xl/workbook.xml")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    blocks: list[Block] = []
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        found = list(_sheet(sheet))
        if found:
            blocks += [Heading(1, sheet.title), *found] if len(sheets) > 1 else found
    return ParsedDocument((book.properties.title or "").strip(), tuple(blocks), day_of(book.properties.modified))


def _sheet(sheet: ReadOnlyWorksheet) -> Iterator[Block]:
    """Lines above the head stand alone in their row: they are text."""
    rows = _rows(sheet)
    while rows and sum(bool(cell) for cell in rows[0]) == 1 and any(sum(bool(cell) for cell in row) > 1 for row in rows):
        yield Paragraph(" ".join(cell for cell in rows.pop(0) if cell))
    if rows and all(sum(bool(cell) for cell in row) == 1 for row in rows):
        yield from (Paragraph(" ".join(cell for cell in row if cell)) for row in rows)
    elif (table := table_of(rows)) is not None:
        yield table


def _rows(sheet: ReadOnlyWorksheet) -> list[list[str]]:
    rows = []
    sheet.reset_dimensions()  # what a file claims about its size is not believed
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        cells = [_said(cell) for cell in islice(row, _MOST_COLUMNS)]
        if any(cells):
            rows.append(cells)
        if len(rows) > MOST_ROWS or number > _MOST_EMPTY:
            raise NotReadable("too_many_rows", most=MOST_ROWS)
    return rows


def _said(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return f"{value:.10g}"
    return str(value).strip()
