"""Which topics a text names, by the trigger words of the topic files. No model: it costs microseconds and can be explained."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

TOPICS_FOLDER = Path(__file__).with_name("topics")
# How somebody feels about a subject yields to the subject: "lost three deals and feel low" is about lost deals.
YIELDING = "mindset"
_LOOKED_AT = 2000


def topics_named(text: str) -> dict[str, int]:
    """Every topic whose words the text has, with their weight: longer words say more than short ones."""
    folded = _folded(text[:_LOOKED_AT])
    found = ((name, pattern.findall(folded)) for name, pattern in _patterns())
    return {name: sum(map(len, terms)) for name, terms in found if terms}


def topic_named(text: str, *, previous: str | None = None) -> str | None:
    """The topic named most; at equal weight the one that was talked about, then the first by name. ``None`` without any."""
    weights = topics_named(text)
    concrete = {name: weight for name, weight in weights.items() if name != YIELDING} or weights
    best = max(concrete.values(), default=0)
    winners = [name for name, weight in concrete.items() if weight == best]
    return previous if previous in winners else next(iter(winners), None)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """One expression per topic over the words of all languages: people mix them."""
    made = []
    for file in sorted(TOPICS_FOLDER.glob("*.toml")):
        languages = tomllib.loads(file.read_text(encoding="utf-8")).values()
        terms = {_folded(term) for table in languages for term in table["triggers"]}
        # Latin words begin at a word's beginning ("sign", not "design"); others may stand anywhere.
        pieces = [rf"\b{re.escape(term)}" if term.isascii() else re.escape(term) for term in sorted(terms, key=len, reverse=True)]
        if pieces:
            made.append((file.stem, re.compile("|".join(pieces), re.ASCII)))
    return tuple(made)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("’", "'")
