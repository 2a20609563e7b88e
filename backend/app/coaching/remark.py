"""What kind of remark a message is: a question of its own, a wish to go on, a greeting, thanks, a nod, or good news."""

import re
import tomllib
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("remarks.toml")
_NOT_A_LETTER = re.compile(r"[\W_]+")
_PART = re.compile(r"[、。,.!]|\bok\b")  # "ok thanks" begins twice
_DENIES = re.compile(r"が、|けど|ものの|しかし|でも|困|\bbut\b|\bnot\b|n['’]t\b|但|可是|不过|没")


class Remark(StrEnum):
    """What the coach makes of a message before it looks at the subject."""

    QUESTION = "question"
    FOLLOW_UP = "follow_up"
    GREETING = "greeting"
    THANKS = "thanks"
    NOD = "nod"
    SUCCESS = "success"


def remark_of(text: str, *, in_talk: bool) -> Remark:
    """``in_talk``: something was said before, so that there is something to follow up."""
    folded = folded_text(text)
    letters = _letters(folded)
    if not letters:  # an emoji, "…": somebody nods, or is there and has not asked yet
        return Remark.THANKS if any(sign in text for sign in _data()[Remark.THANKS]["signs"]) else Remark.GREETING
    if not _asks(folded):
        for remark in (Remark.THANKS, Remark.GREETING, Remark.NOD):
            if _is_nothing_but(folded, letters, _data()[remark]):
                return remark
        if _tells_of_success(folded, letters, _data()[Remark.SUCCESS]):
            return Remark.SUCCESS
    return Remark.FOLLOW_UP if in_talk and _goes_on(folded, letters, _data()[Remark.FOLLOW_UP]) else Remark.QUESTION


def folded_text(text: str) -> str:
    """The form in which texts are compared."""
    return unicodedata.normalize("NFKC", text).lower()


def _asks(folded: str) -> bool:
    return "?" in folded or "ですか" in folded or "ますか" in folded or "吗" in folded or "怎么" in folded


def _is_nothing_but(folded: str, letters: str, data: dict[str, Any]) -> bool:
    """A part of it begins with one of the phrases, or is one, and hardly anything is left without all of them."""
    phrases = _phrases(tuple(data["cues"]))
    fits = phrases.fullmatch if data.get("is_whole_part") else phrases.match
    begins = any(fits(part.strip()) for part in (folded, *_PART.split(folded)))
    return begins and len(letters) <= data["longest"] and len(_letters(phrases.sub("", folded))) <= data["rest"]


def _tells_of_success(folded: str, letters: str, data: dict[str, Any]) -> bool:
    tells = _phrases(tuple(data["cues"])).search(folded) is not None
    return tells and len(letters) <= data["longest"] and not _DENIES.search(folded)


def _goes_on(folded: str, letters: str, data: dict[str, Any]) -> bool:
    if letters in {_letters(alone) for alone in data["alone"]}:
        return True
    return len(letters) <= data["longest"] and any(cue in folded for cue in data["cues"])


def _letters(folded: str) -> str:
    return _NOT_A_LETTER.sub("", folded)


@cache
def _phrases(cues: tuple[str, ...]) -> re.Pattern[str]:
    """English phrases are whole words: ``hi`` is a greeting, ``hiring`` is none. Longer ones first."""
    ordered = sorted(map(folded_text, cues), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(cue)}\b" if cue.isascii() else re.escape(cue) for cue in ordered), re.ASCII)


@cache
def _data() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))
