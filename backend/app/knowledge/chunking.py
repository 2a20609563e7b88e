"""An entry's Markdown → the parts that are searched, shown and cited.

Sections are packed into chunks of a size that a prompt and an embedding model take whole. A section that is too long is cut
between paragraphs, then rows, then sentences; a table keeps its head, a question stays with its answer.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_CHUNK = 900  # in widths: a Japanese character is 1, a Latin letter 0.45
HEADING_SEPARATOR = " › "
MOST_CHUNKS = 2_000  # of one entry

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_SENTENCE_END = re.compile(r"(?<=[。！？!?])(?=[^」』）)】])|(?<=[.!?])\s+(?=[A-Z0-9\"'(])|(?<=\n)")
_ASKING_HEADING = re.compile(r"[?？]\s*$|^(?:Q|Ｑ|問|質問|Question|问)\s*\d*\s*[.．:：、)）]", re.IGNORECASE)
_FEWEST_QUESTIONS = 2
_QUESTION = re.compile(r"^\s*(?:\*\*)?(?:Q|Ｑ|問|質問|Question|问)\s*\d*\s*[.．:：、)）]", re.IGNORECASE)


@dataclass(frozen=True)
class Chunk:
    """One part. ``heading`` is the path of headings it stands under, empty when it spans several sections from the top."""

    position: int
    heading: str
    text: str


@dataclass(frozen=True)
class _Section:
    path: tuple[str, ...]
    level: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()

    @property
    def is_bare(self) -> bool:
        return bool(self.path) and len(self.text.splitlines()) == 1

    @property
    def asks(self) -> bool:
        """A heading that is a question, with its answer below."""
        return bool(self.path) and not self.is_bare and bool(_ASKING_HEADING.search(self.path[-1]))


def chunks_of(body: str) -> list[Chunk]:
    """At least one chunk, even of an empty body; together they hold all of the text."""
    parts = list(_packed(_sections(body))) or [("", "")]
    return [Chunk(position, heading, text) for position, (heading, text) in enumerate(parts[:MOST_CHUNKS])]


def width_of(text: str) -> float:
    """How much a text says: in Latin letters more than twice as many characters are needed."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return wide + 0.45 * (len(text) - wide)


def _packed(sections: list[_Section]) -> Iterator[tuple[str, str]]:
    """Neighbouring sections share a chunk as long as they fit. In a list of questions each stands alone, so that it is found."""
    is_list = sum(section.asks for section in sections) >= _FEWEST_QUESTIONS
    waiting: list[_Section] = []
    width = 0.0
    for section in sections:
        own = width_of(section.text)
        if waiting and (width + own > LONGEST_CHUNK or (is_list and _is_another_question(waiting, section))):
            yield _together(waiting)
            waiting, width = [], 0.0
        if own > LONGEST_CHUNK:
            yield from ((HEADING_SEPARATOR.join(section.path), part) for part in split_text(section.text))
        else:
            waiting.append(section)
            width += own
    if waiting:
        yield _together(waiting)


def _is_another_question(waiting: list[_Section], section: _Section) -> bool:
    """Headings without text of their own go with what follows; what stands below a question belongs to its answer."""
    if all(earlier.is_bare for earlier in waiting):
        return False
    begun = next((earlier for earlier in waiting if earlier.asks), None)
    return section.asks or (begun is not None and section.level <= begun.level)


def _together(sections: list[_Section]) -> tuple[str, str]:
    saying = [section for section in sections if len(section.text.splitlines()) > 1 or not section.path] or sections
    shared = saying[0].path
    for section in saying[1:]:
        shared = tuple(a for a, b in zip(shared, section.path, strict=False) if a == b)
    return HEADING_SEPARATOR.join(shared), "\n\n".join(section.text for section in sections)


def _sections(body: str) -> list[_Section]:
    """Text between headings; each section begins with its own heading line."""
    sections: list[_Section] = []
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    is_code = False

    def close() -> None:
        if any(line.strip() for line in lines):
            sections.append(_Section(tuple(title for _, title in path), path[-1][0] if path else 0, tuple(lines)))

    for line in body.splitlines():
        is_code ^= bool(_FENCE.match(line))
        heading = None if is_code else _HEADING.match(line)
        if heading:
            close()
            level = len(heading[1])
            path = [*(step for step in path if step[0] < level), (level, heading[2])]
            lines = []
        lines.append(line)
    close()
    return sections


def split_text(text: str) -> list[str]:
    """Pieces of at most the longest size, cut where it hurts least. A table's pieces all begin with its head."""
    pieces: list[str] = []
    for block in _blocks(text):
        for piece in _fitting(block):
            if pieces and width_of(pieces[-1]) + width_of(piece) <= LONGEST_CHUNK and not _is_table(piece):
                pieces[-1] += "\n\n" + piece
            else:
                pieces.append(piece)
    return pieces


def _blocks(text: str) -> list[str]:
    """Paragraphs; a question and what follows until the next question are one block."""
    blocks: list[str] = []
    in_answer = False
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        is_question = bool(_QUESTION.match(paragraph))
        if in_answer and not is_question and width_of(blocks[-1] + paragraph) <= LONGEST_CHUNK:
            blocks[-1] += "\n\n" + paragraph
        else:
            blocks.append(paragraph)
        in_answer = is_question or (in_answer and blocks[-1] != paragraph)
    return blocks


def _fitting(block: str) -> Iterator[str]:
    if width_of(block) <= LONGEST_CHUNK:
        yield block
    elif _is_table(block):
        head, rule, *rows = block.splitlines()
        for part in _filled(rows, "\n", room=LONGEST_CHUNK - width_of(head + rule)):
            yield f"{head}\n{rule}\n{part}"
    else:
        yield from _filled([piece for piece in _SENTENCE_END.split(block) if piece], "", room=LONGEST_CHUNK)


def _filled(parts: list[str], glue: str, *, room: float) -> Iterator[str]:
    current = ""
    for part in parts:
        if current and width_of(current) + width_of(part) > room:
            yield current.strip()
            current = ""
        current = f"{current}{glue}{part}" if current else part
        while width_of(current) > room:  # one sentence or row longer than a chunk
            cut = max(1, int(room))
            yield current[:cut]
            current = current[cut:]
    if current.strip():
        yield current.strip()


def _is_table(block: str) -> bool:
    lines = block.splitlines()
    return len(lines) >= 2 and "|" in lines[0] and bool(_TABLE_RULE.match(lines[1]))
