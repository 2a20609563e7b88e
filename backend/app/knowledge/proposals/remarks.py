"""What an owner should know before letting an entry in: that it stands there already, or says other numbers than one that does.

Candidates come from the search, by words and by meaning; a handful is compared exactly. Nothing here forbids anything: it points.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.i18n.language import Language
from app.knowledge.entry import Draft, Entry
from app.knowledge.proposals.draft import EntryDraft
from app.knowledge.tokens import Tokenizer

SHINGLE = 5  # characters
NEARLY_SAME = 0.6  # share of the shorter text's shingles that the other one has
SAME_SUBJECT = 0.5  # share of a sentence's words that the other one has
FEWEST_WORDS = 2
MOST_REMARKS = 3
LONGEST_QUOTE = 120
_NUMBER = re.compile(r"(?<![\d.,])(\d[\d,]*(?:\.\d+)?)\s*([%％]|[a-z]+|[぀-ヿ一-鿿]{1,3})?")
_SENTENCE = re.compile(r"[^。！？!?\n]+")
_MARKS = re.compile(r"[\s\W_]+")
# One spelling for what is one unit; what follows a unit in a sentence (10%まで) is no part of it.
_UNITS = {
    "パーセント": "%", "percent": "%", "割": "割", "営業日": "営業日", "か月": "月", "ヶ月": "月", "カ月": "月", "ヵ月": "月",
    "个月": "月", "months": "month", "days": "day", "years": "year", "weeks": "week", "hours": "hour", "万円": "万円",
    "億円": "億円", "万元": "万元",
}  # fmt: skip
_SHORT_UNITS = ("%", "円", "日", "年", "月", "週", "時", "分", "件", "名", "人", "社", "回", "元", "天", "倍", "個")


@dataclass(frozen=True)
class Disagreement:
    """Two sentences about the same with different numbers."""

    entry_id: int
    title: str
    proposed: str
    standing: str


@dataclass(frozen=True)
class Remarks:
    """``near_duplicates``: ids and titles of entries that say nearly the same."""

    near_duplicates: tuple[tuple[int, str], ...] = ()
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.near_duplicates and not self.disagreements


NO_REMARKS = Remarks()


def remarks_on(draft: EntryDraft, standing: Sequence[Entry], tokenizer: Tokenizer) -> Remarks:
    """Compares with every entry given except the one the draft changes."""
    others = [entry for entry in standing if entry.entry_id != draft.changes]
    duplicates = [(entry.entry_id, entry.draft.title) for entry in others if _is_nearly_same(draft, entry.draft)]
    disagreements = [found for entry in others for found in _disagreements(draft, entry, tokenizer)]
    return Remarks(tuple(duplicates[:MOST_REMARKS]), tuple(disagreements[:MOST_REMARKS]))


def question_for(draft: EntryDraft) -> str:
    """What to search for to find entries about the same."""
    return f"{draft.title}\n{draft.body[:400]}"


def _is_nearly_same(draft: EntryDraft, other: Draft) -> bool:
    if _bare(draft.title) == _bare(other.title):
        return True
    ours, theirs = _shingles(draft.body), _shingles(other.body)
    fewest = min(len(ours), len(theirs))
    return fewest > 0 and len(ours & theirs) / fewest >= NEARLY_SAME


def _shingles(text: str) -> frozenset[str]:
    bare = _bare(text)
    return frozenset(bare[place : place + SHINGLE] for place in range(max(len(bare) - SHINGLE + 1, 1))) if bare else frozenset()


def _bare(text: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFKC", text).lower())


@dataclass(frozen=True)
class _Statement:
    sentence: str
    words: frozenset[str]
    numbers: dict[str, frozenset[str]]  # by unit


def _disagreements(draft: EntryDraft, entry: Entry, tokenizer: Tokenizer) -> Iterator[Disagreement]:
    ours = list(_statements(draft.body, draft.language, tokenizer))
    if not ours:
        return
    for theirs in _statements(entry.draft.body, entry.draft.language, tokenizer):
        for statement in ours:
            if _disagree(statement, theirs):
                yield Disagreement(entry.entry_id, entry.draft.title, statement.sentence, theirs.sentence)
                break


def _disagree(ours: _Statement, theirs: _Statement) -> bool:
    """Numbers of the same unit, none of them shared, in sentences of mostly the same words."""
    units = ours.numbers.keys() & theirs.numbers.keys()
    if not any(ours.numbers[unit].isdisjoint(theirs.numbers[unit]) for unit in units):
        return False
    shared = len(ours.words & theirs.words)
    return shared >= FEWEST_WORDS and shared / min(len(ours.words), len(theirs.words)) >= SAME_SUBJECT


def _statements(body: str, language: Language, tokenizer: Tokenizer) -> Iterator[_Statement]:
    """The sentences that name a number."""
    for sentence in _SENTENCE.findall(unicodedata.normalize("NFKC", body)):
        numbers: dict[str, set[str]] = {}
        for number, unit in _NUMBER.findall(sentence.lower()):
            numbers.setdefault(_unit(unit), set()).add(number.replace(",", "").rstrip("0").rstrip(".") if "." in number
                                                       else number.replace(",", ""))  # fmt: skip
        if numbers:
            words = frozenset(term for term in tokenizer.terms_of(sentence, language) if not re.search(r"\d|%", term))
            if words:
                quote = sentence.strip()[:LONGEST_QUOTE]
                yield _Statement(quote, words, {unit: frozenset(found) for unit, found in numbers.items()})


def _unit(text: str) -> str:
    for spelling, unit in _UNITS.items():
        if text.startswith(spelling):
            return unit
    return next((unit for unit in _SHORT_UNITS if text.startswith(unit)), text if text.isascii() else "")
