"""What a parser finds in a file: its title and its blocks in reading order. It travels out of the sandbox as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

Row: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Table:
    """``rows`` may be shorter or longer than ``head``."""

    head: Row
    rows: tuple[Row, ...]


Block: TypeAlias = Heading | Paragraph | Table


@dataclass(frozen=True)
class ParsedDocument:
    """``updated_on`` is what the file itself says about its last change."""

    title: str
    blocks: tuple[Block, ...]
    updated_on: date | None = None

    def to_json(self) -> str:
        blocks = [_block_to_json(block) for block in self.blocks]
        updated_on = self.updated_on.isoformat() if self.updated_on else None
        return json.dumps({"title": self.title, "blocks": blocks, "updated_on": updated_on}, ensure_ascii=False)


def document_from_json(value: Any) -> ParsedDocument:
    """``ValueError``, ``TypeError`` or ``LookupError`` when it is not in our form: who tricked a parser may write anything."""
    updated_on = date.fromisoformat(value["updated_on"]) if value["updated_on"] is not None else None
    return ParsedDocument(str(value["title"]), tuple(_block_from_json(block) for block in value["blocks"]), updated_on)


def table_of(cells: Iterable[Iterable[str]]) -> Table | None:
    """The first row that says something is the head; rows and columns that say nothing are left out."""
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in cells]
    rows = [row for row in rows if any(row)]
    if not rows:
        return None
    width = max(len(row) for row in rows)
    used = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    packed = [tuple(row[column] if column < len(row) else "" for column in used) for row in rows]
    return Table(packed[0], tuple(packed[1:]))


def _block_to_json(block: Block) -> list[Any]:
    match block:
        case Heading(level, text):
            return ["heading", level, text]
        case Paragraph(text):
            return ["paragraph", text]
        case Table(head, rows):
            return ["table", head, rows]


def _block_from_json(value: Any) -> Block:
    match value:
        case ["heading", int(level), str(text)]:
            return Heading(min(max(level, 1), 6), text)
        case ["paragraph", str(text)]:
            return Paragraph(text)
        case ["table", list(head), list(rows)]:
            return Table(_row(head), tuple(_row(row) for row in rows))
    raise ValueError("no block of a document")


def _row(cells: Any) -> Row:
    return tuple(str(cell) for cell in cells)
