"""Text → the terms it is found by.

Japanese is cut into Sudachi's short units in their normalized form (見積・見積り・お見積もり are one term), English is stemmed,
Chinese becomes pairs of characters, which ranks as well as a word list and needs none. Grammar and words that every question
has are left out.
"""

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any

import snowballstemmer
from sudachipy import Dictionary, SplitMode

from app.i18n.detection import language_of
from app.i18n.language import Language

LONGEST_TERM = 60
_LONGEST_PIECE = 8_000  # characters; Sudachi refuses texts of 49,149 bytes and more
_GRAMMAR = frozenset({"助詞", "助動詞", "補助記号", "記号", "空白", "代名詞", "接続詞", "連体詞", "感動詞", "接頭辞"})
_JAPANESE_EVERYWHERE = frozenset(
    word
    for line in (
        "為る 有る 居る 出来る 成る 言う 貰う 下さる 頂く 良い 物 事 方 所",
        "何 どう 教える 知る 致す 御座る 於く 場合 時 等 為",
    )
    for word in line.split()
)
_ENGLISH_EVERYWHERE = frozenset(
    word
    for line in (
        "a an the of to in on for and or is are was were be been being do does did how what which who whom when where why can",
        "could will would should may might must i you he she it we they me my your his her its our their this that these those",
        "with at by from as if then than so not no there here have has had am any some into about up out just also get",
    )
    for word in line.split()
)
_KANA = re.compile(r"[\u3041-\u30fa]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KATAKANA_WORD = re.compile(r"[\u30a1-\u30fa]{3,}")
_CHINESE_PIECE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z0-9][a-z0-9_+#.\-']*")
_LATIN_WORD = re.compile(r"[^\W_][\w+#.\-'’]*[\w+#]|[^\W_]")
_ASCII_WORD = re.compile(r"[a-z0-9][a-z0-9_+#.\-']*")
_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}

_LOADING = threading.Lock()  # two threads that ask first must not load it twice


class Tokenizer:
    """Cuts texts of all languages. May be used from several threads; the dictionary is loaded by the first use or ``prepare``."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def prepare(self) -> None:
        """Loads the dictionary now (some 0.2 s and 90 MB), so that no question waits for it."""
        self._sudachi().tokenize("準備")

    def terms_of(self, text: str, language: Language) -> list[str]:
        """All terms of a text whose language is known, in order and as often as they occur."""
        text = unicodedata.normalize("NFKC", text)
        if language is Language.JAPANESE:
            return self._japanese(text)
        if _HAN.search(text):
            return self._japanese(text) if _KANA.search(text) and language is Language.ENGLISH else _chinese(text)
        return _english(text)

    def placed_terms(self, text: str, language: Language) -> list[tuple[int, int, frozenset[str]]]:
        """The words of a normalized text with their places and the terms each is found by."""
        if _KANA.search(text) or (language is Language.JAPANESE and _HAN.search(text)):
            return [
                (morpheme.begin(), morpheme.end(), frozenset(terms))
                for morpheme in self._sudachi().tokenize(text[:_LONGEST_PIECE])
                if (terms := _terms_of(morpheme))
            ]
        if _HAN.search(text):
            return [(place, place + 2, frozenset({text[place : place + 2]})) for place in range(len(text) - 1)] + _placed_latin(
                text
            )
        return _placed_latin(text)

    def question_terms(self, text: str) -> list[str]:
        """Each term of a question once. A question in Chinese characters that both languages write is cut both ways."""
        text = unicodedata.normalize("NFKC", text)
        if not _HAN.search(text) and not _KANA.search(text):
            return _once(_english(text))
        if _KANA.search(text):
            return _once(self._japanese(text) + self._katakana_as_hiragana(text))
        language = language_of(text)
        terms = [] if language is Language.CHINESE else self._japanese(text)
        return _once(terms if language is Language.JAPANESE else terms + _chinese(text))

    def without_names(self, text: str, gap: str = "〇〇") -> str:
        """A Japanese text with people's names replaced. Only as good as the dictionary: rare names stay."""
        kept: list[str] = []
        for piece in _pieces(text):
            for morpheme in self._sudachi().tokenize(piece):
                is_name = morpheme.part_of_speech()[2] == "人名"
                if not is_name:
                    kept.append(morpheme.surface())
                elif kept[-1:] != [gap]:
                    kept.append(gap)
        return "".join(kept)

    def _japanese(self, text: str) -> list[str]:
        return [term for piece in _pieces(text) for morpheme in self._sudachi().tokenize(piece) for term in _terms_of(morpheme)]

    def _katakana_as_hiragana(self, text: str) -> list[str]:
        """ネビキ means 値引き, which the dictionary knows as ねびき only."""
        return [
            term
            for word in _KATAKANA_WORD.findall(text)
            for morpheme in self._sudachi().tokenize(word)
            if morpheme.is_oov() or morpheme.surface() == morpheme.normalized_form()
            for term in self._single_word(morpheme.surface().translate(_TO_HIRAGANA))
        ]

    def _single_word(self, text: str) -> list[str]:
        morphemes = self._sudachi().tokenize(text)
        return _terms_of(morphemes[0]) if len(morphemes) == 1 and not morphemes[0].is_oov() else []

    def _sudachi(self) -> Any:
        """One tokenizer per thread: they share the dictionary but may not be used by two threads at once."""
        if not hasattr(self._of_thread, "sudachi"):
            with _LOADING:
                dictionary = _dictionary()
            self._of_thread.sudachi = dictionary.tokenizer(mode=SplitMode.A)
        return self._of_thread.sudachi


@cache
def _dictionary() -> Any:
    """One for the process: it takes 80 MB and never changes."""
    return Dictionary()


def _terms_of(morpheme: Any) -> list[str]:
    if morpheme.part_of_speech()[0] in _GRAMMAR:
        return []
    term = morpheme.normalized_form().lower().strip()[:LONGEST_TERM]
    if not term or term in _JAPANESE_EVERYWHERE:
        return []
    if _ASCII_WORD.fullmatch(term):
        return [_stem(term)]
    surface = morpheme.surface().lower()
    # Sudachi writes SPIN as スピン: an English text about SPIN shall be found as well.
    return [term, _stem(surface)] if _ASCII_WORD.fullmatch(surface) else [term]


def _english(text: str) -> list[str]:
    words = (word.replace("’", "'").removesuffix("'s")[:LONGEST_TERM] for word in _LATIN_WORD.findall(text.lower()))
    return [_stem(word) for word in words if word not in _ENGLISH_EVERYWHERE]


def _placed_latin(text: str) -> list[tuple[int, int, frozenset[str]]]:
    return [(word.start(), word.end(), frozenset(_english(word[0]))) for word in _LATIN_WORD.finditer(text)]


def _chinese(text: str) -> list[str]:
    terms: list[str] = []
    for piece in _CHINESE_PIECE.findall(text.lower()):
        if not _HAN.match(piece):
            terms.append(_stem(piece[:LONGEST_TERM]))
        elif len(piece) == 1:
            terms.append(piece)
        else:
            terms += [piece[place : place + 2] for place in range(len(piece) - 1)]
    return terms


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))


def _pieces(text: str) -> list[str]:
    """Cut at line ends where a text is too long for one pass."""
    if len(text) <= _LONGEST_PIECE:
        return [text]
    pieces, start = [], 0
    while start < len(text):
        end = min(start + _LONGEST_PIECE, len(text))
        if end < len(text):
            end = max(text.rfind("\n", start + 1, end), text.rfind("。", start + 1, end), start + _LONGEST_PIECE // 2) + 1
        pieces.append(text[start:end])
        start = end
    return pieces


def _once(terms: list[str]) -> list[str]:
    return list(dict.fromkeys(terms))
