"""Which of our languages a text is clearly written in.

No word lists to keep: the old national character sets know which Chinese characters a country writes. 们 is in the
Chinese set only, 値 in the Japanese one only; 客 is in all of them and says nothing.
"""

import re
import unicodedata
from functools import lru_cache

from app.i18n.language import Language

# Links, mentions, code and addresses are no sign of what somebody speaks.
_NO_SPEECH = re.compile(r"```.*?```|`[^`]*`|<[^>]*>|https?://\S+|\S+@\S+\.\S+|:[a-z0-9_+-]+:", re.DOTALL)
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_ENGLISH_GLUE = frozenset(
    word
    for line in (
        "a about an and are as at be by can could did do does for from get give hello hi how i if in is it me my need of on or",
        "please should tell thank thanks that the their they this to us was we what when where which who why with would you your",
    )
    for word in line.split()
)
_GREETINGS = frozenset({"hello", "hi", "thanks"})
_LOOKED_AT = 2000


def language_of(text: str) -> Language | None:
    """The language, or ``None`` when the text does not show it (``BANT?``, a number, 見積 or another shared word)."""
    speech = _NO_SPEECH.sub(" ", unicodedata.normalize("NFKC", text[:_LOOKED_AT]))
    kana = len(_KANA.findall(speech))
    words = _LATIN_WORD.findall(speech)
    if _is_english(words, kana):
        return Language.ENGLISH
    characters = _HAN.findall(speech)
    if kana and kana >= sum(map(_is_chinese_only, characters)):
        return Language.JAPANESE
    return _by_characters(characters)


def _is_english(words: list[str], kana: int) -> bool:
    """English may quote a Japanese phrase, Japanese may be full of English terms: the small words decide."""
    glue = sum(word.lower() in _ENGLISH_GLUE for word in words)
    if kana:
        return glue >= 3 and glue * 3 >= kana
    spoken = [word for word in words if not word.isupper() or word in {"I", "A"}]
    if len(words) == 1:
        return words[0].lower() in _GREETINGS
    return len(spoken) >= 3 or (glue >= 1 and len(words) >= 2)


def _by_characters(characters: list[str]) -> Language | None:
    chinese = sum(_is_chinese_only(character) for character in characters)
    japanese = sum(_is_japanese_only(character) for character in characters)
    if chinese > japanese:
        return Language.CHINESE
    return Language.JAPANESE if japanese > chinese else None


@lru_cache(maxsize=8192)
def _is_chinese_only(character: str) -> bool:
    return not _writes("shift_jis", character) and (_writes("gb2312", character) or _writes("big5", character))


@lru_cache(maxsize=8192)
def _is_japanese_only(character: str) -> bool:
    return _writes("shift_jis", character) and not _writes("gb2312", character) and not _writes("big5", character)


def _writes(charset: str, character: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
