"""Which files are read, and what their first bytes must look like."""

from enum import StrEnum
from pathlib import PurePath

from app.knowledge.importing.problem import NotReadable

LARGEST_FILE = 20 * 1024 * 1024


class Kind(StrEnum):
    """A form of files. The value names its parser."""

    MARKDOWN = "markdown"
    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"
    WORD = "word"
    EXCEL = "excel"
    POWERPOINT = "powerpoint"

    @property
    def is_sandboxed(self) -> bool:
        """Whether a large library that knows nothing of bad intentions parses it."""
        return self in {Kind.HTML, Kind.PDF, *OFFICE}


OFFICE = frozenset({Kind.WORD, Kind.EXCEL, Kind.POWERPOINT})
BY_SUFFIX = {
    ".md": Kind.MARKDOWN, ".markdown": Kind.MARKDOWN, ".txt": Kind.TEXT, ".csv": Kind.CSV, ".tsv": Kind.CSV, ".html": Kind.HTML,
    ".htm": Kind.HTML, ".pdf": Kind.PDF, ".docx": Kind.WORD, ".xlsx": Kind.EXCEL, ".pptx": Kind.POWERPOINT,
}  # fmt: skip
KINDS_SHOWN = "txt, md, csv, pdf, docx, xlsx, pptx, html"
_WITH_MACROS = frozenset({".docm", ".dotm", ".xlsm", ".xltm", ".xlam", ".pptm", ".potm", ".ppsm", ".ppam"})
_BEFORE_2007 = frozenset({".doc", ".xls", ".ppt"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TEXT = (b"PK\x03\x04", b"%PDF-", _OLE, b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\x7fELF", b"Rar!", b"7z\xbc\xaf")


def kind_of(name: str, content: bytes) -> Kind:
    """``NotReadable`` for what we do not read, and for a file that is not what its name says."""
    suffix = PurePath(name).suffix.lower()
    if suffix in _WITH_MACROS:
        raise NotReadable("macros")
    if suffix in _BEFORE_2007:
        raise NotReadable("before_2007", suffix=suffix)
    if suffix not in BY_SUFFIX:
        raise NotReadable("kind_unknown", kinds=KINDS_SHOWN)
    kind = BY_SUFFIX[suffix]
    if not content.strip():
        raise NotReadable("empty")
    if len(content) > LARGEST_FILE:
        raise NotReadable("too_large", megabytes=LARGEST_FILE // 1024 // 1024)
    _check_first_bytes(kind, suffix, content)
    return kind


def _check_first_bytes(kind: Kind, suffix: str, content: bytes) -> None:
    if kind in OFFICE:
        if content.startswith(_OLE):  # Office wraps a file with a password in the old form
            raise NotReadable("encrypted")
        if not content.startswith(b"PK\x03\x04"):
            raise NotReadable("wrong_type", suffix=suffix)
    elif kind is Kind.PDF:
        if b"%PDF-" not in content[:1024]:
            raise NotReadable("wrong_type", suffix=suffix)
    elif content.startswith(_NO_TEXT):
        raise NotReadable("no_text_file")
