"""Which coaching skill a message asks for, by its words. No model: the choice costs microseconds and can be explained."""

import re
import tomllib
from functools import cache
from pathlib import Path

from app.coaching.remark import folded_text
from app.coaching.skills import SKILLS

GENERAL = "general"
_FOLDER = Path(__file__).parent / "skills"
_LOOKED_AT = 2000


def choose_skill(text: str, *, previous: str | None = None) -> str:
    """The skill most of the message's words speak for; without any, the one the talk is about; else ``general``.

    Longer terms say more than short ones. At equal weight the skill that is talked about wins, then the order of ``SKILLS``.
    """
    folded = folded_text(text[:_LOOKED_AT])
    weights = {skill: sum(len(term) for term in pattern.findall(folded)) for skill, pattern in _patterns()}
    best = max(weights.values(), default=0)
    if best == 0:
        return previous if previous in SKILLS else GENERAL
    winners = [skill for skill, weight in weights.items() if weight == best]
    return previous if previous in winners else winners[0]


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """One expression per skill over the terms of all languages: people mix them."""
    made = []
    for skill in SKILLS:
        triggers = tomllib.loads((_FOLDER / f"{skill}.toml").read_text(encoding="utf-8"))["triggers"]
        terms = {folded_text(term) for of_language in triggers.values() for term in of_language}
        # Latin terms begin at a word's beginning ("sign", not "design"); others may stand anywhere.
        pieces = [rf"\b{re.escape(term)}" if term.isascii() else re.escape(term) for term in sorted(terms, key=len, reverse=True)]
        if pieces:
            made.append((skill, re.compile("|".join(pieces))))
    return tuple(made)
