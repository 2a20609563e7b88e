"""Which of our languages a text is clearly written in.

Hardly any word lists to keep: the old national character sets know which Chinese characters a country writes. 们 is in the
Chinese set only, 値 in the Japanese one only; 客 is in all of them and says nothing.
"""

import re
import unicodedata
from functools import lru_cache

from app.i18n.language import Language

# Links, mentions, code and addresses are no sign of what somebody speaks.
_NO_SPEECH = re.compile(r"```.*?```|`[^`]*`|<[^>]*>|https?://\S+|\S+@\S+\.\S+|@[a-z]+|:[a-z0-9_+-]+:", re.DOTALL)
# What a customer said may be in another language than the one that tells of it.
_QUOTATION = re.compile(r"「[^」]*」|『[^』]*』|“[^”]*”|\"[^\"]*\"")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_LETTER = re.compile(r"[A-Za-z\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]")
_ENGLISH_GLUE = frozenset(
    word
    for line in (
        "a about after am an and any are as at be been before but by can could did do does don't for from get give had has",
        "have he hello hi how if i'm in into is it just last me more my need not of on or our please she should so some tell",
        "thank thanks that the their them there these they this those to too us very was we were what when where which who",
        "why will with would you your",
    )
    for word in line.split()
)
_ALONE = frozenset({"hello", "hi", "thanks", "thank", "yes", "why", "what", "how", "when", "please"})
# Written with characters that all three share, and in Chinese only.
_CHINESE_WORDS = re.compile(r"好的|是的|不是|可以|不知道|知道|明白了|左右$|再说|我|你|他|很|是|或|没|這|們|嗎|麼|沒")
_LOOKED_AT = 2000


def language_of(text: str) -> Language | None:
    """The language, or ``None`` when the text does not show it (``BANT?``, a number, 商品 or another shared word)."""
    speech = _NO_SPEECH.sub(" ", unicodedata.normalize("NFKC", text[:_LOOKED_AT]))
    return _language_of_speech(_QUOTATION.sub(" ", speech)) or _language_of_speech(speech)


def _language_of_speech(speech: str) -> Language | None:
    kana, characters = len(_KANA.findall(speech)), _HAN.findall(speech)
    if _is_english(speech, others=kana + len(characters)):
        return Language.ENGLISH
    if kana and kana >= sum(map(_is_chinese_only, characters)):
        return Language.JAPANESE
    return _by_characters(speech, characters)


def _is_english(speech: str, *, others: int) -> bool:
    words = _LATIN_WORD.findall(speech)
    glue = sum(word == "I" or (word != "A" and word.lower().replace("’", "'") in _ENGLISH_GLUE) for word in words)
    if others:
        return glue >= 2 and _is_frame(speech, glue=glue, others=others)
    if len(words) == 1:
        return words[0].lower() in _ALONE
    # Names of products come in capitals, however many there are.
    return (glue >= 1 and len(words) >= 2) or (len(words) >= 2 and sum(word.islower() and len(word) > 2 for word in words) >= 2)


def _is_frame(speech: str, *, glue: int, others: int) -> bool:
    """Either language may quote the other: two of beginning, end and the number of small words decide."""
    letters = _LETTER.findall(speech)
    return [letters[0].isascii(), letters[-1].isascii(), glue * 3 >= others].count(True) >= 2


def _by_characters(speech: str, characters: list[str]) -> Language | None:
    """Characters of one country say most; then those that it kept and the others simplified, or the other way round."""
    certain = sum(map(_is_japanese_only, characters)) - sum(map(_is_chinese_only, characters))
    likely = (
        sum(map(_is_japanese_form, characters)) - sum(map(_is_chinese_form, characters)) - len(_CHINESE_WORDS.findall(speech))
    )
    balance = 2 * certain + likely
    if balance == 0:
        return None
    return Language.JAPANESE if balance > 0 else Language.CHINESE


@lru_cache(maxsize=8192)
def _is_chinese_only(character: str) -> bool:
    return not _writes("shift_jis", character) and (_writes("gb2312", character) or _writes("big5", character))


@lru_cache(maxsize=8192)
def _is_japanese_only(character: str) -> bool:
    return _writes("shift_jis", character) and not _writes("gb2312", character) and not _writes("big5", character)


@lru_cache(maxsize=8192)
def _is_japanese_form(character: str) -> bool:
    """In everyday use in Japan (規, 開), simplified in China (规, 开)."""
    return _is_everyday_japanese(character) and not _writes("gb2312", character)


@lru_cache(maxsize=8192)
def _is_chinese_form(character: str) -> bool:
    """Known in Japan from old texts only (價, 們), everyday in China or Taiwan."""
    return (
        _writes("shift_jis", character)
        and not _is_everyday_japanese(character)
        and (_writes("gb2312", character) or _writes("big5", character))
    )


def _is_everyday_japanese(character: str) -> bool:
    """Whether it belongs to the first level of the Japanese set, which holds the characters in common use."""
    return _writes("shift_jis", character) and character.encode("shift_jis") < b"\x98\x9f"


def _writes(charset: str, character: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
