"""Keeps personal data from the model: masks it on the way out, and puts it back into the answer.

Found are e-mail addresses, phone numbers, card numbers, Japanese My Numbers, Chinese resident ids, passport numbers, postal
codes and street addresses, in half and full width. Names of people and companies are not: a coach who cannot tell who is
who cannot help, and no pattern finds them. Taking too much is harmless, because the reader gets the original back.
"""

import re
from collections.abc import Callable, Iterator

NOTE = (
    "Tokens such as ⟦PHONE_1⟧ or ⟦EMAIL_2⟧ stand for personal data that is hidden from you. "
    "Where you need one in your reply, repeat it exactly, brackets included."
)

_OPEN, _CLOSE = "⟦", "⟧"
_PLACEHOLDER = re.compile(r"⟦[A-Z]{2,9}_[0-9]{1,5}⟧")
_LONGEST_PLACEHOLDER = 18

_WORTH_A_LOOK = re.compile("[0-9０-９@＠⟦]")

# Where numbers are written in full width or with one of the many dashes, scanning happens on a plain copy in which every
# character keeps its place. Making it costs more than the scan, so it is made only then.
_DASHES = "‐‑‒–—―−ー－ｰ﹣"
_WIDE_FORMS = tuple(
    re.compile(form)
    for form in ("[０-９Ａ-Ｚａ-ｚ＠]", rf"[0-9][{_DASHES}（）．\u3000\u00a0]", rf"[{_DASHES}（）＋\u3000\u00a0][0-9]")
)
_PLAIN = str.maketrans(
    {
        **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        0x3000: " ",
        0xA0: " ",
        **dict.fromkeys(map(ord, _DASHES), "-"),
    }
)

_PREFECTURE = r"(?:東京都|北海道|京都府|大阪府|(?:神奈川|和歌山|鹿児島|[一-龥]{2})県)"
_PREFECTURE_END = r"[都道府県](?<=東京都|北海道|京都府|大阪府|[一-龥]{2}県)"
_PASSPORT = ("旅券", "パスポート", "パスポ-ト", "护照", "Passport", "passport")  # 「ー」 is a dash in the plain copy
_AFTER_PASSPORT = "|".join(f"(?<={word})" for word in _PASSPORT)
_HOUSE = r"\d{1,5}(?:(?:条[東西南北]?|丁目|番地の?|番|号室?|の|-)\d{1,5}){0,4}(?:丁目|番地|番|号室?)?"
_AREA = r"[^\s、。,;:「」()，；：（）]"


def _passes_luhn(text: str) -> bool:
    digits = _digits(text)
    doubled = (sum(divmod(2 * digit, 10)) if position % 2 else digit for position, digit in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(doubled) % 10 == 0


def _is_my_number(text: str) -> bool:
    *digits, check = _digits(text)
    weighted = sum(digit * (place + 1 if place <= 6 else place - 5) for place, digit in enumerate(reversed(digits), start=1))
    rest = weighted % 11
    return check == (0 if rest <= 1 else 11 - rest)


def _is_resident_id(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, text[:17], strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


def _is_phone(text: str) -> bool:
    count = len(_digits(text))
    return 8 <= count <= 15 if text.startswith("+") else count in {10, 11}


def _always(_text: str) -> bool:
    return True


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character in "0123456789"]


_D = "[0-9]"
_FROM, _TO = "(?<![0-9A-Za-z-])", "(?![0-9])"  # rather than \b, which knows no border between は and 0
_NO_AMOUNT = "(?! ?[円元万億])"

_Kind = tuple[str, re.Pattern[str], Callable[[str], bool]]

# Looked for only around runs of digits, which most texts have few of. In order: what is found first is not looked at again.
_NUMBERS: tuple[_Kind, ...] = (
    ("CARD", re.compile(rf"(?<!{_D}){_D}{{4}}([ -]){_D}{{4}}\1{_D}{{4}}\1{_D}{{4}}(?:\1{_D}{{3}})?{_TO}"), _passes_luhn),
    ("CARD", re.compile(rf"(?<!{_D})(?:{_D}{{4}}([ -]){_D}{{6}}\1{_D}{{4,5}}|{_D}{{13,19}}){_TO}"), _passes_luhn),
    ("ID", re.compile(rf"(?<![0-9A-Za-z])[1-9]{_D}{{16}}[0-9Xx](?![0-9A-Za-z])"), _is_resident_id),
    ("MYNUMBER", re.compile(rf"(?<!{_D})(?<!{_D}[ -]){_D}{{4}}([ -]?){_D}{{4}}\1{_D}{{4}}(?![ -]?{_D})"), _is_my_number),
    ("PHONE", re.compile(rf"(?<![0-9A-Za-z])\+{_D}{{1,3}}(?:[ .-]?\(?{_D}{{1,5}}\)?){{2,5}}{_TO}"), _is_phone),
    ("PHONE", re.compile(rf"{_FROM}\(?0{_D}{{1,4}}(?:\) ?|[ .-]|\(){_D}{{1,4}}(?:\) ?|[ .-]){_D}{{3,4}}{_TO}"), _is_phone),
    ("PHONE", re.compile(rf"{_FROM}(?:0{_D}{{9,10}}|1[3-9]{_D}{{9}}){_TO}{_NO_AMOUNT}"), _always),
    ("PHONE", re.compile(rf"{_FROM}1[3-9]{_D}[ -]{_D}{{4}}[ -]{_D}{{4}}{_TO}"), _always),
    ("PHONE", re.compile(rf"{_FROM}(?:\([2-9]{_D}{{2}}\) ?|[2-9]{_D}{{2}}-){_D}{{3}}-{_D}{{4}}{_TO}"), _always),
    ("POSTAL", re.compile(rf"(?<![0-9-]){_D}{{3}}-{_D}{{4}}(?=\s{{0,3}}{_PREFECTURE})"), _always),
)  # fmt: skip
_RUN = re.compile(r"[0-9][0-9 ().-]{5,}[0-9]")
_BEFORE_RUN, _AFTER_RUN = 3, 9

_LOCAL_PART = r"[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{0,63}"
_STREET = rf"[一-龥]{{2,8}}[省市区县]{_AREA}{{1,24}}?[路街道巷弄]{_D}{{1,5}}[号弄](?:{_D}+[室楼])?"

# Looked for only in texts with one of the marks.
_MARKED: tuple[tuple[tuple[str, ...], _Kind], ...] = (
    # Somebody typed what looks like ours: hidden too, so that nothing else is ever put in its place.
    ((_OPEN,), ("TEXT", _PLACEHOLDER, _always)),
    (("@",), ("EMAIL", re.compile(rf"{_LOCAL_PART}@(?:[A-Za-z0-9-]{{1,63}}\.)+[A-Za-z0-9]{{2,63}}"), _always)),
    (("〒",), ("POSTAL", re.compile(rf"〒\s?{_D}{{3}}-?{_D}{{4}}{_TO}"), _always)),
    (
        ("都", "道", "府", "県"),
        ("ADDRESS", re.compile(rf"{_PREFECTURE_END}\s?{_AREA}{{1,12}}?[市区町村郡]{_AREA}{{0,24}}?{_HOUSE}"), _always),
    ),
    (("号", "弄"), ("ADDRESS", re.compile(_STREET), _always)),
    (_PASSPORT, ("PASSPORT", re.compile(rf"(?:{_AFTER_PASSPORT})[番号码はの:： ]{{0,4}}[A-Za-z]{{1,2}}{_D}{{7,8}}"), _always)),
)


class Redaction:
    """One request's masks. The same datum gets the same placeholder wherever it stands in the request."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}
        self._originals: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    @property
    def is_empty(self) -> bool:
        return not self._originals

    def mask(self, text: str) -> str:
        pieces, position = [], 0
        for start, end, kind in sorted(_found_in(text)):
            pieces += [text[position:start], self._placeholder(kind, text[start:end])]
            position = end
        return "".join([*pieces, text[position:]])

    def restore(self, text: str) -> str:
        """``text`` with the originals; a placeholder nobody gave out stays as it is."""
        return _PLACEHOLDER.sub(lambda found: self._originals.get(found.group(), found.group()), text)

    def _placeholder(self, kind: str, original: str) -> str:
        if original not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            placeholder = f"{_OPEN}{kind}_{self._counts[kind]}{_CLOSE}"
            self._placeholders[original] = placeholder
            self._originals[placeholder] = original
        return self._placeholders[original]


class StreamRestorer:
    """Restores a text that comes in pieces: a placeholder may be cut anywhere between them."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._held = ""

    def restore(self, piece: str) -> str:
        """What can be shown now. Held back is only what may be the beginning of a placeholder."""
        text = self._held + piece
        opened = text.rfind(_OPEN)
        if opened == -1 or _CLOSE in text[opened:] or len(text) - opened >= _LONGEST_PLACEHOLDER:
            opened = len(text)
        self._held = text[opened:]
        return self._redaction.restore(text[:opened])

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held


def _found_in(text: str) -> Iterator[tuple[int, int, str]]:
    if not _WORTH_A_LOOK.search(text):
        return
    scanned = text.translate(_PLAIN) if any(form.search(text) for form in _WIDE_FORMS) else text
    taken: list[tuple[int, int]] = []
    for start, end, kind in _candidates(scanned):
        if all(end <= other or start >= stop for other, stop in taken):
            taken.append((start, end))
            yield start, end, kind


def _candidates(scanned: str) -> Iterator[tuple[int, int, str]]:
    for marks, (kind, pattern, is_right) in _MARKED:
        if any(mark in scanned for mark in marks):
            for found in pattern.finditer(scanned):
                start, end = found.span()
                if is_right(found.group()):
                    yield _whole_prefecture(scanned, start) if kind == "ADDRESS" else start, end, kind
    for run in _RUN.finditer(scanned):
        first, last = max(0, run.start() - _BEFORE_RUN), run.end() + _AFTER_RUN
        for kind, pattern, is_right in _NUMBERS:
            yield from ((*found.span(), kind) for found in pattern.finditer(scanned, first, last) if is_right(found.group()))


def _whole_prefecture(scanned: str, end: int) -> int:
    """Where the name begins whose last character was found; for speed the search begins with that one."""
    if scanned[end] not in "都道府県":
        return end
    return end - 3 if scanned[end - 3 : end] in {"神奈川", "和歌山", "鹿児島"} else end - 2
