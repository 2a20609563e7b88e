"""What kind of remark a message is: a question of its own, a wish to go on, a greeting, or thanks."""

import re
import tomllib
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("remarks.toml")
_NOT_A_LETTER = re.compile(r"[\W_]+")


class Remark(StrEnum):
    """What the coach makes of a message before it looks at the subject."""

    QUESTION = "question"
    FOLLOW_UP = "follow_up"
    GREETING = "greeting"
    THANKS = "thanks"


def remark_of(text: str, *, in_talk: bool) -> Remark:
    """``in_talk``: something was said before, so that there is something to follow up."""
    folded = folded_text(text)
    letters = _NOT_A_LETTER.sub("", folded)
    if not letters:
        return Remark.GREETING  # "…", an emoji: somebody is there and has not asked yet
    for remark in (Remark.THANKS, Remark.GREETING):
        longest, cues = _cues(remark)
        if len(letters) <= longest and not _asks(folded) and _opens_with(letters, folded, cues):
            return remark
    longest, cues = _cues(Remark.FOLLOW_UP)
    if in_talk and len(letters) <= longest and any(cue in folded for cue in cues):
        return Remark.FOLLOW_UP
    return Remark.QUESTION


def folded_text(text: str) -> str:
    """The form in which texts are compared."""
    return unicodedata.normalize("NFKC", text).lower()


def _asks(folded: str) -> bool:
    return "?" in folded or "ですか" in folded or "ますか" in folded or "吗" in folded or "怎么" in folded


def _opens_with(letters: str, folded: str, cues: tuple[str, ...]) -> bool:
    """English cues are whole words: ``hi`` is a greeting, ``hiring`` is none."""
    first = _NOT_A_LETTER.split(folded.strip(), maxsplit=1)[0]
    return any(first == cue or folded.strip().startswith(f"{cue} ") if cue.isascii() else letters.startswith(cue) for cue in cues)


@cache
def _cues(remark: Remark) -> tuple[int, tuple[str, ...]]:
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))[remark.value]
    return int(data["longest"]), tuple(folded_text(cue) for cue in data["cues"])
