"""The parsers that run in the sandbox. Imported one at a time there: each brings a large library along."""

from importlib import import_module

from app.knowledge.importing.document import Heading, Paragraph, ParsedDocument, Table
from app.knowledge.importing.kinds import Kind
from app.knowledge.importing.problem import NotReadable

LONGEST_TEXT = 2_000_000  # characters of one file
PARSERS = {
    Kind.HTML: ("webpage", "parse_webpage"),
    Kind.PDF: ("pdf", "parse_pdf"),
    Kind.WORD: ("word", "parse_word"),
    Kind.EXCEL: ("excel", "parse_excel"),
    Kind.POWERPOINT: ("powerpoint", "parse_powerpoint"),
}


def parse(content: bytes, kind: Kind) -> ParsedDocument:
    """The document; ``NotReadable`` with the reason. Whatever else a library raises about a broken file goes through."""
    module, name = PARSERS[kind]
    document: ParsedDocument = getattr(import_module(f"app.knowledge.importing.{module}"), name)(content)
    length = sum(_length(block) for block in document.blocks)
    if length > LONGEST_TEXT:
        raise NotReadable("too_much_text", most=LONGEST_TEXT)
    if not any(isinstance(block, Paragraph | Table) for block in document.blocks):
        raise NotReadable("no_text")
    return document


def _length(block: Heading | Paragraph | Table) -> int:
    if isinstance(block, Table):
        return sum(len(cell) for row in (block.head, *block.rows) for cell in row)
    return len(block.text)
