"""Files and folders → drafts, with one clear sentence per file that cannot be read."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from charset_normalizer import from_bytes

from app.core.errors import BadRequest
from app.knowledge.entry import Category, Draft
from app.knowledge.importing.markdown import NO_DEFAULTS, Defaults, NotReadable, draft_from_markdown

LARGEST_FILE = 20 * 1024 * 1024
MOST_ROWS = 20_000
_TITLE_COLUMNS = ("title", "question", "タイトル", "題名", "質問", "件名", "标题", "问题")
_BODY_COLUMNS = ("body", "text", "answer", "content", "本文", "内容", "回答", "答え", "正文", "答案")
_CATEGORY_COLUMNS = ("category", "カテゴリ", "カテゴリー", "分類", "类别")
_TAG_COLUMNS = ("tags", "タグ", "标签")


@dataclass(frozen=True)
class FileResult:
    """What one file holds, or why it cannot be read."""

    path: Path
    drafts: tuple[Draft, ...] = ()
    problem: str | None = None


def read_files(path: Path, *, defaults: Defaults = NO_DEFAULTS) -> Iterator[FileResult]:
    """The file, or all files of the folder that can be read, by name; a problem of one does not stop the others."""
    root = path if path.is_dir() else path.parent
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file() and file.suffix.lower() in READERS and not file.name.startswith("."):
            yield read_file(file, root=root, defaults=defaults)


def read_file(file: Path, *, root: Path, defaults: Defaults = NO_DEFAULTS) -> FileResult:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise NotReadable(f"the file is larger than {LARGEST_FILE // 1024 // 1024} MB")
        slug = slug_of(file.relative_to(root).with_suffix(""))
        drafts = READERS[file.suffix.lower()](decoded(file.read_bytes()), slug, defaults)
    except (BadRequest, OSError) as error:
        return FileResult(file, problem=str(error))
    return FileResult(file, tuple(drafts))


def slug_of(path: Path) -> str:
    """A stable name: the path in lower case, without spaces."""
    return re.sub(r"\s+", "-", unicodedata.normalize("NFKC", path.as_posix()).strip().lower())[:200]


def decoded(content: bytes) -> str:
    """UTF-8 in nearly all cases; Shift_JIS, EUC-JP, GB18030 and UTF-16 are recognized."""
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotReadable("this is no text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(content, cp_isolation=["cp932", "euc_jp", "gb18030", "big5", "utf_16", "cp1252"]).best()
    if best is None:
        raise NotReadable("the character encoding is not known: save the file as UTF-8")
    return str(best)


def _from_markdown(text: str, slug: str, defaults: Defaults) -> list[Draft]:
    return [draft_from_markdown(text, slug=slug, defaults=defaults)]


def _from_text(text: str, slug: str, defaults: Defaults) -> list[Draft]:
    """The first line is the title."""
    title, _, body = text.strip().partition("\n")
    if not body.strip():
        raise NotReadable("the first line is the title; there is no text below it")
    draft = draft_from_markdown(f"# title\n\n{body.strip()}", slug=slug, defaults=defaults)
    return [replace(draft, title=title.strip()[:300])]


def _from_csv(text: str, slug: str, defaults: Defaults) -> list[Draft]:
    """One entry per row; the head names the columns in Japanese, English or Chinese."""
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), dialect=_dialect_of(text)))
    except csv.Error as error:
        raise NotReadable(f"this is no CSV: {error}") from error
    if len(rows) > MOST_ROWS:
        raise NotReadable(f"there are more than {MOST_ROWS:,} rows: cut the file into several")
    head = [str(name).strip() for name in (rows[0] if rows else {})]
    title, body = _column(head, _TITLE_COLUMNS), _column(head, _BODY_COLUMNS)
    if title is None or body is None:
        raise NotReadable(f"no columns for title ({', '.join(_TITLE_COLUMNS)}) and text ({', '.join(_BODY_COLUMNS)})")
    category, tags = _column(head, _CATEGORY_COLUMNS), _column(head, _TAG_COLUMNS)
    drafts = []
    for number, row in enumerate(rows, start=2):
        fields = {
            str(name).strip(): value or "" for name, value in row.items() if name is not None and not isinstance(value, list)
        }
        if not fields[title].strip() or not fields[body].strip():
            raise NotReadable(f"row {number}: title and text must not be empty")
        drafts.append(_draft_of_row(fields, slug=f"{slug}/{number}", columns=(title, body, category, tags), defaults=defaults))
    return drafts


def _draft_of_row(
    fields: dict[str, str], *, slug: str, columns: tuple[str, str, str | None, str | None], defaults: Defaults
) -> Draft:
    title, body, category, tags = columns
    draft = draft_from_markdown(f"# title\n\n{fields[body]}", slug=slug, defaults=defaults)
    shelf = fields.get(category or "", "").strip().lower()
    return replace(
        draft,
        title=fields[title].strip(),
        category=Category(shelf) if shelf in set(Category) else draft.category,
        tags=tuple(tag.strip() for tag in re.split(r"[,、，;]", fields.get(tags or "", "")) if tag.strip()),
    )


def _dialect_of(text: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(text[:8192], delimiters=",\t;")
    except csv.Error:
        return csv.excel


def _column(head: list[str], names: tuple[str, ...]) -> str | None:
    return next((column for column in head if column.lower() in names), None)


READERS = {".md": _from_markdown, ".markdown": _from_markdown, ".txt": _from_text, ".csv": _from_csv, ".tsv": _from_csv}
