"""Files and folders → drafts, with one clear sentence per file that cannot be read."""

import asyncio
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePath

from app.core.errors import BadRequest
from app.knowledge.entry import Draft
from app.knowledge.importing.document import Paragraph, ParsedDocument, Table
from app.knowledge.importing.entries import clipped, drafts_of, incomplete_row
from app.knowledge.importing.kinds import BY_SUFFIX, LARGEST_FILE, Kind, kind_of
from app.knowledge.importing.markdown import LONGEST_TEXT, NO_DEFAULTS, Defaults, draft_from_markdown
from app.knowledge.importing.problem import NotReadable
from app.knowledge.importing.sandbox import parse_in_sandbox
from app.knowledge.importing.text import decoded, table_in_csv

__all__ = ["FileResult", "decoded", "files_in", "read_content", "read_file", "read_files", "slug_of"]

_NOT_SAID = date.min
_NOT_STORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class FileResult:
    """What one file holds, or why it cannot be read. ``is_dated``: the file itself says when it was changed last."""

    path: Path
    drafts: tuple[Draft, ...] = ()
    problem: NotReadable | None = None
    is_dated: bool = True


def files_in(path: Path) -> list[Path]:
    """The file, or all files of the folder that can be read, by name. Links are not followed out of the folder."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in BY_SUFFIX and not file.name.startswith((".", "~$")))
    return [file for file in found if file.is_file() and file.resolve().is_relative_to(path.resolve())]


def read_files(path: Path, *, defaults: Defaults = NO_DEFAULTS) -> Iterator[FileResult]:
    """All Markdown, text and CSV files; a problem of one does not stop the others. ``read_file`` reads the other kinds too."""
    root = path if path.is_dir() else path.parent
    for file in files_in(path):
        if not BY_SUFFIX.get(file.suffix.lower(), Kind.HTML).is_sandboxed:
            yield _read_text_file(file, root=root, defaults=defaults)


async def read_file(file: Path, *, root: Path, defaults: Defaults = NO_DEFAULTS) -> FileResult:
    """One file of any kind we know. Never raises for a bad file."""
    if not BY_SUFFIX.get(file.suffix.lower(), Kind.HTML).is_sandboxed:
        return await asyncio.to_thread(_read_text_file, file, root=root, defaults=defaults)
    try:
        content, defaults = _content_of(file, defaults)
    except (NotReadable, OSError) as error:
        return FileResult(file, problem=_as_problem(error))
    return replace(await read_content(content, name=file.name, slug=_slug_in(root, file), defaults=defaults), path=file)


async def read_content(content: bytes, *, name: str, slug: str, defaults: Defaults = NO_DEFAULTS) -> FileResult:
    """The same for a file that has arrived from elsewhere under ``name``."""
    path = Path(PurePath(name).name)
    try:
        kind = kind_of(name, content)
        if not kind.is_sandboxed:
            return await asyncio.to_thread(_read_text, content, kind, path, slug, defaults)
        document = await parse_in_sandbox(content, kind)
        return await asyncio.to_thread(_read_document, document, path, slug, defaults)
    except BadRequest as error:
        return FileResult(path, problem=_as_problem(error))


def slug_of(path: PurePath) -> str:
    """A stable name: the path in lower case, without spaces."""
    return re.sub(r"\s+", "-", unicodedata.normalize("NFKC", path.as_posix()).strip().lower())[:200]


def _read_text_file(file: Path, *, root: Path, defaults: Defaults) -> FileResult:
    try:
        content, defaults = _content_of(file, defaults)
        return _read_text(content, kind_of(file.name, content), file, _slug_in(root, file), defaults)
    except (BadRequest, OSError) as error:
        return FileResult(file, problem=_as_problem(error))


def _content_of(file: Path, defaults: Defaults) -> tuple[bytes, Defaults]:
    """The file's day of change stands in where neither the file nor the defaults say another."""
    about = file.stat()
    if about.st_size > LARGEST_FILE:
        raise NotReadable("too_large", megabytes=LARGEST_FILE // 1024 // 1024)
    changed_on = datetime.fromtimestamp(about.st_mtime, UTC).date()
    return file.read_bytes(), replace(defaults, updated_on=defaults.updated_on or changed_on, source=defaults.source)


def _read_text(content: bytes, kind: Kind, path: Path, slug: str, defaults: Defaults) -> FileResult:
    text = decoded(content)
    if kind is Kind.CSV:
        document = table_in_csv(text)
        (table,) = document.blocks
        if isinstance(table, Table) and (row := incomplete_row(table)) is not None:
            raise NotReadable("row_incomplete", row=row)
        return _read_document(document, path, slug, defaults)
    if len(text) > LONGEST_TEXT:
        raise NotReadable("too_much_text", most=LONGEST_TEXT)
    if kind is Kind.TEXT:
        return _read_document(_document_in(text), path, slug, defaults)
    assumed = defaults.updated_on or _today()
    draft = draft_from_markdown(text, slug=slug, defaults=replace(defaults, updated_on=_NOT_SAID))
    is_dated = draft.updated_on != _NOT_SAID
    return FileResult(path, (_storable(draft if is_dated else replace(draft, updated_on=assumed)),), is_dated=is_dated)


def _document_in(text: str) -> ParsedDocument:
    """The first line is the title, empty lines are between paragraphs."""
    title, _, body = text.replace("\r\n", "\n").strip().partition("\n")
    if not body.strip():
        raise NotReadable("only_a_title")
    paragraphs = tuple(Paragraph(part.strip()) for part in re.split(r"\n\s*\n", body) if part.strip())
    return ParsedDocument(clipped(title, 200), paragraphs)


def _read_document(document: ParsedDocument, path: Path, slug: str, defaults: Defaults) -> FileResult:
    known = replace(defaults, updated_on=defaults.updated_on or _today(), source=defaults.source or path.name)
    drafts = drafts_of(document, name=path.stem, slug=slug, defaults=known)
    return FileResult(path, tuple(map(_storable, drafts)), is_dated=document.updated_on is not None)


def _storable(draft: Draft) -> Draft:
    """Without control characters and halves of characters, which no database takes."""
    texts = (draft.title, draft.body, draft.source, *draft.tags)
    if not any(_NOT_STORABLE.search(text) for text in texts):
        return draft
    title, body, source, *tags = (_NOT_STORABLE.sub("", text) for text in texts)
    return replace(draft, title=title.strip() or "…", body=body, source=source, tags=tuple(tags))


def _slug_in(root: Path, file: Path) -> str:
    return slug_of(file.relative_to(root).with_suffix(""))


def _as_problem(error: Exception) -> NotReadable:
    return error if isinstance(error, NotReadable) else NotReadable("unreadable", error=type(error).__name__)


def _today() -> date:
    return datetime.now(UTC).date()
