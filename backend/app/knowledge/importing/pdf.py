"""PDF → document. A PDF knows no headings: the outline names some, and lines in large letters are the others."""

import io
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import Destination

from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument
from app.knowledge.importing.office import day_of
from app.knowledge.importing.problem import NotReadable

MOST_PAGES = 2_000
PAGE_SECONDS = 2.0
_LARGE = 1.18  # of the usual letters' size
_LONGEST_HEADING = 80
_MOST_PIECES = 3_000  # of one page
_SENTENCE_END = re.compile(r"[。．.！!？?：:；;」』）)]\s*$")
_PAGE_NUMBER = re.compile(r"^[\s\-–—/|0-9０-９pPage頁ページ第of]{1,20}$")
_EAST_ASIAN = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff01-\uff5e]")


@dataclass(frozen=True)
class _Line:
    text: str
    size: float


def parse_pdf(content: bytes) -> ParsedDocument:
    try:
        reader = PdfReader(io.BytesIO(content))
        _unlock(reader)
        _check_pages(reader)
        pages = [_lines_of(page) for page in reader.pages]
        outline = {_folded(name) for name in _outline(reader)}
        about = reader.metadata
        title, changed = ((about.title or "").strip(), about.modification_date) if about else ("", None)
    except (PyPdfError, LookupError, AttributeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
        raise NotReadable("damaged") from error
    lines = [line for page in _without_running_heads(pages) for line in page]
    if not lines:
        raise NotReadable("no_text_in_pdf")
    return ParsedDocument(title, tuple(_blocks(lines, outline)), day_of(changed))


def _unlock(reader: PdfReader) -> None:
    """Many files are locked with an empty password, which only asks not to be edited."""
    if reader.is_encrypted and not reader.decrypt(""):
        raise NotReadable("encrypted")


def _check_pages(reader: PdfReader) -> None:
    """What the file says about itself first: counting ten thousands of pages takes long."""
    root: Any = reader.trailer["/Root"]
    claimed = root["/Pages"].get("/Count", 0)
    pages = claimed if isinstance(claimed, int) and claimed > MOST_PAGES else len(reader.pages)
    if pages > MOST_PAGES:
        raise NotReadable("too_many_pages", pages=pages, most=MOST_PAGES)


def _lines_of(page: Any) -> list[_Line]:
    """The page's text, each line with the size of its letters."""
    sizes: dict[str, float] = {}

    def note(text: str, _cm: Any, matrix: Any, _font: Any, size: float) -> None:
        height = abs(float(size)) * max(abs(float(matrix[0])), abs(float(matrix[3])), 0.01)
        for piece in text.split("\n"):
            if (piece := " ".join(piece.split())) and len(sizes) < _MOST_PIECES:
                sizes[piece] = max(height, sizes.get(piece, 0.0))

    with _at_most(PAGE_SECONDS):
        text = page.extract_text(visitor_text=note) or ""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return [_Line(line, _size_of(line, sizes)) for line in lines if line]


def _size_of(line: str, sizes: dict[str, float]) -> float:
    """Letters, digits and kana of one line are often drawn in pieces: the longest of them counts."""
    if line in sizes:
        return sizes[line]
    longest = max((piece for piece in sizes if piece in line), key=len, default="")
    return sizes.get(longest, 0.0)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """One page that takes for ever is not worth the others. Only in the sandbox's own process."""

    def give_up(*_: object) -> None:
        raise NotReadable("took_too_long")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _outline(reader: PdfReader) -> Iterator[str]:
    waiting: list[Iterator[Any]] = [iter(reader.outline)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, list):
            waiting.append(iter(entry))
        elif isinstance(entry, Destination) and entry.title:
            yield str(entry.title)


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Lines that stand at the top or bottom of most pages, and page numbers, belong to the paper and not to the text."""
    edges = Counter(_folded(line.text) for page in pages for line in {*page[:1], *page[-1:]})
    repeated = {text for text, count in edges.items() if count >= 3 and count * 2 > len(pages)}
    kept = []
    for page in pages:
        first, last = 0, len(page)
        while first < last and _is_of_the_paper(page[first].text, repeated):
            first += 1
        while last > first and _is_of_the_paper(page[last - 1].text, repeated):
            last -= 1
        kept.append(page[first:last])
    return kept


def _is_of_the_paper(text: str, repeated: set[str]) -> bool:
    return bool(_PAGE_NUMBER.match(text)) or _folded(text) in repeated


def _blocks(lines: list[_Line], outline: set[str]) -> Iterator[Block]:
    usual = _usual_size(lines)
    heading_sizes = sorted({round(line.size, 1) for line in lines if _is_large(line, usual)}, reverse=True)[:3]
    paragraph = ""
    for line in lines:
        is_named = _folded(line.text) in outline
        if is_named or (_is_large(line, usual) and not _SENTENCE_END.search(line.text[:-1] + line.text[-1].replace("？", ""))):
            if paragraph:
                yield Paragraph(paragraph)
                paragraph = ""
            size = round(line.size, 1)
            yield Heading(heading_sizes.index(size) + 1 if size in heading_sizes else 2, line.text)
        elif paragraph and not _SENTENCE_END.search(paragraph) and not _begins_anew(line.text):
            paragraph += ("" if _EAST_ASIAN.match(line.text) or _EAST_ASIAN.search(paragraph[-1]) else " ") + line.text
        else:
            if paragraph:
                yield Paragraph(paragraph)
            paragraph = line.text
    if paragraph:
        yield Paragraph(paragraph)


def _usual_size(lines: list[_Line]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _is_large(line: _Line, usual: float) -> bool:
    return usual > 0 and line.size > usual * _LARGE and len(line.text) <= _LONGEST_HEADING


def _begins_anew(text: str) -> bool:
    return bool(re.match(r"[・●○■□◆▪•\-–*※①-⑳]|[0-9０-９]{1,3}[.．)）、]|(?:Q|A|Ｑ|Ａ|問|答|质问|回答)\s*\d*\s*[.．:：]", text))


def _folded(text: str) -> str:
    return re.sub(r"[\s0-9０-９]+", "", text).lower()
