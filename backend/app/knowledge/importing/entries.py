"""A document → entries: one for each question with its answer, and one for all the rest.

Somebody who asks about one thing is shown the one answer to it; a list of fifty questions in one entry would hide it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.i18n.detection import language_of
from app.knowledge.entry import Category, Draft
from app.knowledge.importing.document import Block, Heading, Paragraph, ParsedDocument, Table
from app.knowledge.importing.markdown import Defaults
from app.knowledge.importing.problem import NotReadable

LONGEST_TITLE = 200
MOST_ENTRIES = 20_000
_TITLE_COLUMNS = (
    "question", "q", "質問", "問", "よくある質問", "ご質問", "質問内容", "问题", "提问",
    "title", "タイトル", "題名", "件名", "标题", "主题",
)  # fmt: skip
_BODY_COLUMNS = (
    "answer", "a", "回答", "答え", "答", "ご回答", "回答内容", "答案", "解答", "body", "text", "content", "本文", "内容", "正文",
)  # fmt: skip
_CATEGORY_COLUMNS = ("category", "カテゴリ", "カテゴリー", "分類", "类别", "分类")
_TAG_COLUMNS = ("tags", "タグ", "标签")
_NUMBERED = r"\s*[0-9０-９]*\s*[.．:：、)）]\s*"
_ASKED = re.compile(rf"^(?:Q|Ｑ|質問|問い?|Question|问题?){_NUMBERED}|^(?:Q|Ｑ)[0-9０-９]+\s+", re.IGNORECASE)
_ANSWERED = re.compile(rf"^(?:A|Ａ|回答|答え?|Answer){_NUMBERED}|^(?:A|Ａ)[0-9０-９]+\s+", re.IGNORECASE)
_NUMBER_BEFORE = re.compile(r"^[0-9０-９]{1,3}(?:[.．][0-9０-９]{1,3})*\s*[.．)）、]\s*")
_FEWEST_QUESTIONS = 2  # one heading that asks is a matter of style, two are a list of questions


@dataclass(frozen=True)
class Piece:
    """One entry to be. ``is_answer``: it is one of many in its file."""

    title: str
    body: str
    is_answer: bool = False
    category: str = ""
    tags: tuple[str, ...] = ()


def drafts_of(document: ParsedDocument, *, name: str, slug: str, defaults: Defaults) -> list[Draft]:
    """``name`` is the file's, without its ending: the title where the document has none."""
    pieces = pieces_of(document, name=name)
    if len(pieces) > MOST_ENTRIES:
        raise NotReadable("too_many_rows", most=MOST_ENTRIES)
    whole = defaults.language or language_of("\n".join(piece.title + "\n" + piece.body[:300] for piece in pieces[:20]))
    taken: dict[str, int] = {}
    return [_draft(piece, _slug(piece, slug, taken), document, whole, defaults) for piece in pieces]


def pieces_of(document: ParsedDocument, *, name: str) -> list[Piece]:
    """``NotReadable`` when nothing is left to say."""
    title, blocks = _title_and_rest(document, name)
    answers, rest = _answers_in(list(blocks))
    body = as_markdown(rest)
    pieces = [Piece(title, body)] if any(not isinstance(block, Heading) for block in rest) else []
    tag = (clipped(title, 60),) if title != name else ()
    pieces += [Piece(one.title, one.body, True, one.category, (*tag, *one.tags)) for one in answers]
    if not pieces:
        raise NotReadable("no_text")
    return pieces


def as_markdown(blocks: Sequence[Block]) -> str:
    """Headings as such; of a table, each row with the names of its columns, so that it says something by itself."""
    parts = []
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append(f"{'#' * level} {text}")
            case Paragraph(text):
                parts.append(text)
            case Table():
                parts.append("\n".join(_rows_in_words(block)))
    return "\n\n".join(part for part in parts if part).replace("\n\n- ", "\n- ").strip()


def clipped(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _title_and_rest(document: ParsedDocument, name: str) -> tuple[str, tuple[Block, ...]]:
    """The document's own title, else its first heading when that stands above everything, else the file's name."""
    blocks = document.blocks
    if document.title:
        first = blocks[0] if blocks else None
        is_repeated = isinstance(first, Heading) and first.text == document.title
        return document.title, blocks[1:] if is_repeated else blocks
    if blocks and isinstance(blocks[0], Heading):
        first, others = blocks[0], [block for block in blocks[1:] if isinstance(block, Heading)]
        if all(block.level > first.level for block in others) and not _asks(first.text):
            return first.text, blocks[1:]
    return name, blocks


# Questions and answers


def _answers_in(blocks: list[Block]) -> tuple[list[Piece], list[Block]]:
    """Answers found, and what remains without them."""
    answers: list[Piece] = []
    rest: list[Block] = []
    for block in blocks:
        if isinstance(block, Table) and (found := _answers_in_table(block)) is not None:
            answers += found
        else:
            rest.append(block)
    for find in (_asked_in_headings, _asked_in_paragraphs):
        spans = list(find(rest))
        if len(spans) >= _FEWEST_QUESTIONS:
            answers += [piece for _, _, piece in spans]
            gone = {index for start, end, _ in spans for index in range(start, end)}
            rest = [block for index, block in enumerate(rest) if index not in gone]
    return answers, rest


def incomplete_row(table: Table) -> int | None:
    """The place (2 is the first below the head) of a row with a question and no answer, or the other way round."""
    title, body = _column(table, _TITLE_COLUMNS), _column(table, _BODY_COLUMNS)
    if title is None or body is None:
        return None
    rows = enumerate(table.rows, start=2)
    return next((number for number, row in rows if not _cell(row, title) or not _cell(row, body)), None)


def _answers_in_table(table: Table) -> list[Piece] | None:
    """``None`` when it is another kind of table."""
    title, body = _column(table, _TITLE_COLUMNS), _column(table, _BODY_COLUMNS)
    if title is None or body is None or not table.rows:
        return None
    category, tags = _column(table, _CATEGORY_COLUMNS), _column(table, _TAG_COLUMNS)
    used = {title, body, category, tags}
    pieces = []
    for row in table.rows:
        if not _cell(row, title) or not _cell(row, body):
            continue
        further = [
            f"- {name}: {cell}" for column, name in enumerate(table.head) if column not in used and (cell := _cell(row, column))
        ]
        pieces.append(
            Piece(
                clipped(_without(_ASKED, _cell(row, title)), LONGEST_TITLE),
                "\n".join([_without(_ANSWERED, _cell(row, body)), *further]),
                category=_cell(row, category).lower(),
                tags=tuple(tag.strip() for tag in re.split(r"[,、，;]", _cell(row, tags)) if tag.strip()),
            )
        )
    return pieces


def _asked_in_headings(blocks: list[Block]) -> Iterator[tuple[int, int, Piece]]:
    """Headings that ask, each with everything below it."""
    for start, block in enumerate(blocks):
        if isinstance(block, Heading) and _asks(block.text):
            end = next((at for at in range(start + 1, len(blocks)) if _ends_section(blocks[at], block.level)), len(blocks))
            if end > start + 1:
                yield start, end, _answer(block.text, blocks[start + 1 : end])


def _ends_section(block: Block, level: int) -> bool:
    return isinstance(block, Heading) and (block.level <= level or _asks(block.text))


def _asked_in_paragraphs(blocks: list[Block]) -> Iterator[tuple[int, int, Piece]]:
    """``Q1. …`` and ``A. …``, in paragraphs of their own or in two lines of one."""
    start = 0
    while start < len(blocks):
        block = blocks[start]
        if not isinstance(block, Paragraph) or not _ASKED.match(block.text):
            start += 1
            continue
        end = start + 1
        while end < len(blocks) and not isinstance(blocks[end], Heading) and not _begins_question(blocks[end]):
            end += 1
        question, _, below = block.text.partition("\n")
        answer: list[Block] = [Paragraph(below)] if below.strip() else []
        answer += blocks[start + 1 : end]
        if answer and isinstance(answer[0], Paragraph) and _ANSWERED.match(answer[0].text):
            yield start, end, _answer(question, answer)
        start = end


def _begins_question(block: Block) -> bool:
    return isinstance(block, Paragraph) and bool(_ASKED.match(block.text))


def _asks(text: str) -> bool:
    return text.rstrip().endswith(("?", "？")) or bool(_ASKED.match(_without(_NUMBER_BEFORE, text)))


def _answer(question: str, below: Sequence[Block]) -> Piece:
    title = _without(_ASKED, _without(_NUMBER_BEFORE, question))
    first, *others = below
    if isinstance(first, Paragraph):
        first = Paragraph(_without(_ANSWERED, first.text))
    return Piece(clipped(title, LONGEST_TITLE), as_markdown([first, *others]))


def _without(mark: re.Pattern[str], text: str) -> str:
    return mark.sub("", text.strip(), count=1).strip() or text.strip()


# Tables


def _rows_in_words(table: Table) -> Iterator[str]:
    if not table.rows:
        yield "- " + " / ".join(cell for cell in table.head if cell)
    for row in table.rows:
        pairs = [
            f"{name}: {cell}" if (name := _cell(table.head, column)) else cell for column, cell in enumerate(row) if cell.strip()
        ]
        if pairs:
            yield "- " + " / ".join(pairs)


def _column(table: Table, names: tuple[str, ...]) -> int | None:
    """The column with the first of the names; of two that mean the same, the one named more clearly."""
    head = [unicodedata.normalize("NFKC", name).strip().lower() for name in table.head]
    return next((head.index(name) for name in names if name in head), None)


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


# Drafts


def _draft(piece: Piece, slug: str, document: ParsedDocument, whole: object, defaults: Defaults) -> Draft:
    language = defaults.language or language_of(f"{piece.title}\n{piece.body}") or whole or defaults.fallback_language
    if language is None:
        raise NotReadable("value_missing", name="language")
    updated_on = document.updated_on or defaults.updated_on
    assert updated_on is not None
    return Draft(
        slug=slug,
        title=clipped(piece.title, LONGEST_TITLE),
        body=piece.body,
        category=Category(piece.category) if piece.category in set(Category) else defaults.category,
        language=language,  # type: ignore[arg-type]
        updated_on=updated_on,
        tags=tuple(dict.fromkeys(piece.tags)),
        trust=defaults.trust,
        source=defaults.source,
    )


def _slug(piece: Piece, slug: str, taken: dict[str, int]) -> str:
    """Named after the question, not after its place: a row inserted above changes nothing about this one."""
    if not piece.is_answer:
        return slug
    said = unicodedata.normalize("NFKC", piece.title).lower()
    own = f"{slug}/{hashlib.sha256(said.encode()).hexdigest()[:12]}"
    taken[own] = taken.get(own, 0) + 1
    return own if taken[own] == 1 else f"{own}-{taken[own]}"
