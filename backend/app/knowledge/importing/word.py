"""DOCX → document. Headings are paragraphs with a heading style, wherever in the world the style got its name."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph

from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument, table_of
from app.knowledge.importing.office import check_archive, day_of

_HEADING = re.compile(r"(?:heading|見出し|标题|標題)\s*(\d)?", re.IGNORECASE)
_TITLE = re.compile(r"^(?:title|表題|标题|標題)$", re.IGNORECASE)
_LIST = re.compile(r"list|リスト|箇条書き|列表", re.IGNORECASE)


def parse_word(content: bytes) -> ParsedDocument:
    check_archive(content, main_part="word/document.xml")
    document = docx.Document(io.BytesIO(content))
    title = (document.core_properties.title or "").strip()
    blocks: list[Block] = []
    for block in _blocks(document):
        if isinstance(block, _Title):
            title = block.text
        else:
            blocks.append(block)
    return ParsedDocument(title, tuple(blocks), day_of(document.core_properties.modified))


@dataclass(frozen=True)
class _Title:
    """The paragraph that carries the document's title."""

    text: str


def _blocks(document: Document) -> Iterator[Block | _Title]:
    for item in document.iter_inner_content():
        if isinstance(item, WordTable):
            yield from _table(item)
        elif text := _visible_text(item).strip():
            yield _paragraph(item, text)


def _paragraph(paragraph: WordParagraph, text: str) -> Block | _Title:
    style = _style_of(paragraph)
    if _TITLE.match(style):
        return _Title(text)
    if heading := _HEADING.match(style):
        return Heading(int(heading[1] or 1), " ".join(text.split()))
    return Paragraph(f"- {text}" if _LIST.search(style) or _is_numbered(paragraph) else text)


def _visible_text(paragraph: WordParagraph) -> str:
    """Without text that is formatted as hidden: nobody who shared the file has read it."""
    if not paragraph._p.xpath(".//w:vanish"):  # noqa: SLF001 - the usual way is much faster
        return str(paragraph.text)
    parts = (part for part in paragraph.iter_inner_content() if not any(run.font.hidden for run in getattr(part, "runs", [part])))
    return "".join(part.text for part in parts)


def _style_of(paragraph: WordParagraph) -> str:
    style = paragraph.style
    return (style.name or "") if style is not None else ""


def _is_numbered(paragraph: WordParagraph) -> bool:
    properties = paragraph._p.pPr  # noqa: SLF001 - the library shows no numbering
    return properties is not None and properties.numPr is not None


def _table(table: WordTable) -> Iterator[Block]:
    rows = []
    for row in table.rows:
        cells = row.cells
        # A cell that spans columns is given once for each of them.
        cells = tuple(cell for at, cell in enumerate(cells) if at == 0 or cell._tc is not cells[at - 1]._tc)  # noqa: SLF001
        rows.append([cell.text for cell in cells])
    if len(rows) == 1 or all(len(row) == 1 for row in rows):  # a frame around text, not a table
        yield from (Paragraph(cell.strip()) for row in rows for cell in row if cell.strip())
    elif (found := table_of(rows)) is not None:
        yield found
