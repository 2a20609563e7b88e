"""PPTX → document: each slide is a section under its title, with what the speaker says below it."""

import io
from collections.abc import Iterable, Iterator

import pptx
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument, table_of
from app.knowledge.importing.office import check_archive, day_of
from app.knowledge.importing.problem import NotReadable

MOST_SLIDES = 1_000
_DEEPEST_GROUP = 10


def parse_powerpoint(content: bytes) -> ParsedDocument:
    check_archive(content, main_part="ppt/presentation.xml")
    deck = pptx.Presentation(io.BytesIO(content))
    if len(deck.slides) > MOST_SLIDES:
        raise NotReadable("too_many_pages", pages=len(deck.slides), most=MOST_SLIDES)
    blocks = [block for number, slide in enumerate(deck.slides, start=1) for block in _slide(slide, number)]
    title = (deck.core_properties.title or "").strip().removeprefix("PowerPoint Presentation")
    return ParsedDocument(title, tuple(blocks), day_of(deck.core_properties.modified))


def _slide(slide: Slide, number: int) -> Iterator[Block]:
    heading = slide.shapes.title
    title = " ".join(heading.text_frame.text.split()) if heading is not None else ""
    blocks = [block for shape in _in_reading_order(slide.shapes) if shape != heading for block in _shape(shape, 0)]
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
        blocks.append(Paragraph(frame.text.strip()))
    if title or blocks:
        yield Heading(2, title or f"{number}")
    yield from blocks


def _in_reading_order(shapes: Iterable[BaseShape]) -> list[BaseShape]:
    return sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))


def _shape(shape: BaseShape, depth: int) -> Iterator[Block]:
    if isinstance(shape, GroupShape) and depth < _DEEPEST_GROUP:
        for inner in _in_reading_order(shape.shapes):
            yield from _shape(inner, depth + 1)
    elif isinstance(shape, GraphicFrame) and shape.has_table:
        table = table_of((cell.text for cell in row.cells) for row in shape.table.rows)
        if table is not None:
            yield table
    elif shape.has_text_frame:
        lines = [paragraph.text.strip() for paragraph in shape.text_frame.paragraphs]  # type: ignore[attr-defined]
        lines = [line for line in lines if line]
        if len(lines) == 1:
            yield Paragraph(lines[0])
        elif lines:
            yield Paragraph("\n".join(f"- {line}" for line in lines))
