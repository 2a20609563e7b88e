"""Bytes → text, and text → parts."""

import codecs
import csv
import io
import re
from itertools import islice

from charset_normalizer import from_bytes

from app.knowledge.importing.document import ParsedDocument, Table
from app.knowledge.importing.problem import NotReadable

MOST_ROWS = 20_000
_LONGEST_CELL = 1_000_000
_LOOKED_AT = 200_000  # bytes; telling encodings apart costs time per byte
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_EAST_ASIAN = {"cp932": (0x88, 0x97), "euc_jp": (0xB0, 0xCF), "gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}
"""First bytes of the everyday Chinese characters: each of these encodings keeps the rare ones in a second level."""
_JAPANESE = frozenset({"cp932", "euc_jp"})
_PUNCTUATION = frozenset("、。・「」『』（）【】〜～ー…─　《》“”‘’①②③④⑤⑥⑦⑧⑨⑩℃㈱№℡〒→←↑↓■□◆◇○●◎★☆※〇〆々")
_CONVINCING = 0.6
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)


def decoded(content: bytes) -> str:
    """UTF-8 in nearly all cases; Shift_JIS, EUC-JP, GB18030 and UTF-16 are recognized."""
    if content.startswith(_WIDE):
        return _strictly(content, "utf-16")
    if b"\0" in content[:4096]:
        return _strictly(content, _wide_without_mark(content))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _strictly(content, _guessed(content))


def decoded_html(content: bytes) -> str:
    """What the page says about itself counts when it is true."""
    if not content.startswith((*_WIDE, codecs.BOM_UTF8)) and (said := _META_CHARSET.search(content[:2048])):
        # Windows writes more characters under this name than it stands for.
        name = said[1].decode("ascii").lower().replace("shift_jis", "cp932").replace("gb2312", "gb18030")
        try:
            return content.decode(name)
        except (UnicodeDecodeError, LookupError):
            pass
    return decoded(content)


def table_in_csv(text: str) -> ParsedDocument:
    """The rows below the head that names the columns."""
    reader = csv.reader(io.StringIO(text, newline=""), dialect=_dialect_of(text))
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = [tuple(cell.strip() for cell in row) for row in islice(reader, MOST_ROWS + 2) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NotReadable("no_csv", error=str(error)[:100]) from error
    finally:
        csv.field_size_limit(before)
    if len(rows) > MOST_ROWS + 1:
        raise NotReadable("too_many_rows", most=MOST_ROWS)
    if len(rows) < 2:
        raise NotReadable("no_text")
    return ParsedDocument("", (Table(rows[0], tuple(rows[1:])),))


def _strictly(content: bytes, encoding: str | None) -> str:
    if encoding is None:
        raise NotReadable("encoding")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotReadable("encoding") from error


def _wide_without_mark(content: bytes) -> str:
    """Zero bytes stand at every second place in UTF-16, and in no other text."""
    sample = content[:4096]
    if sample[1::2].count(0) > len(sample) // 8 and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) // 8 and not sample[1::2].count(0):
        return "utf-16-be"
    raise NotReadable("no_text_file")


def _guessed(content: bytes) -> str | None:
    """The East Asian encoding in which the text looks most like text; else whatever the statistics of letters say.

    A page is enough to tell, and short files are the rule: so what counts is how many characters are everyday ones there.
    """
    sample = content[:_LOOKED_AT]
    if len(sample) < len(content):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    scores = {encoding: _likeness(sample, encoding) for encoding in _EAST_ASIAN}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best] >= _CONVINCING:
        return best
    guessed = from_bytes(sample, cp_isolation=["cp932", "euc_jp", "gb18030", "big5", "cp1252"]).best()
    return guessed.encoding if guessed is not None else None


def _likeness(sample: bytes, encoding: str) -> float:
    """The share of kana, everyday Chinese characters and usual punctuation among all that is not ASCII."""
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return 0.0
    foreign = [character for character in text if character > "\x7f"]
    if not foreign:
        return 0.0
    kana = sum("\u3041" <= character <= "\u30fc" for character in foreign)
    everyday = kana + sum(_is_everyday(character, encoding) for character in foreign)
    # The same bytes are kana in the Japanese and the Chinese encoding, and only the Japanese write them.
    is_other_country = (kana * 20 > len(foreign)) != (encoding in _JAPANESE)
    return everyday / len(foreign) - (0.2 if is_other_country else 0.0)


def _is_everyday(character: str, encoding: str) -> bool:
    if character in _PUNCTUATION or "\uff01" <= character <= "\uff5e":
        return True
    if not "\u4e00" <= character <= "\u9fff":
        return False
    lead = character.encode(encoding, "replace")[0]
    first, last = _EAST_ASIAN[encoding]
    return first <= lead <= last


def _dialect_of(text: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(text[:4096], delimiters=",\t;")
    except csv.Error:
        return csv.excel
