"""What the coach never says: words about the person instead of what was done and what to say next.

For every text of ours and for what a model writes. The rules stand in ``wording.toml`` and find few, clear faults rather than
many doubtful ones: a text without a finding is not thereby good coaching.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.i18n.language import Language

TOO_MANY_STEPS = "too_many_steps"

_DATA = Path(__file__).with_name("wording.toml")
# Quotations are what a customer or the person said, or shall say. Short ones are emphasis and stay part of the sentence.
_QUOTATION = re.compile(r'「[^」\n]{8,}」|『[^』\n]{8,}』|“[^”\n]{8,}”|"[^"\n]{8,}"')
_LISTED = re.compile(r"^\s*(?:[-*]\s|[•・]|\d{1,2}[.)．、])\s*\S", re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """``rule`` may be logged and counted; ``words`` are part of the text and may not."""

    rule: str
    words: str


def find_faults(text: str, language: Language, *, most_steps: int | None = None) -> list[str]:
    """The names of the rules that a coaching text breaks, each once; empty for a text that may be shown.

    ``most_steps`` limits the listed pieces of advice to what the person can take in at once.
    """
    rules = [fault.rule for fault in faults_in(text, language)]
    if most_steps is not None and len(_LISTED.findall(text)) > most_steps:
        rules.append(TOO_MANY_STEPS)
    return list(dict.fromkeys(rules))


def faults_in(text: str, language: Language) -> list[Fault]:
    """The same with the words that were found, to ask a model for other ones."""
    spoken = _QUOTATION.sub("", unicodedata.normalize("NFKC", text)).lower().replace("'", "’")
    return list(_found(spoken, language))


def _found(spoken: str, language: Language) -> Iterator[Fault]:
    for rule, pattern in _rules(language):
        for match in pattern.finditer(spoken):
            yield Fault(rule, match[0])


@cache
def _rules(language: Language) -> tuple[tuple[str, re.Pattern[str]], ...]:
    rules = tomllib.loads(_DATA.read_text(encoding="utf-8"))["rules"]
    return tuple((rule["name"], re.compile("|".join(rule[language.value]))) for rule in rules)
