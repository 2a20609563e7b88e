"""The sentences of passages that say most about a question. No model: shared words, in the order of the text."""

import heapq
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.coaching.citations import without_citations
from app.coaching.fence import visible_text
from app.coaching.remark import folded_text
from app.knowledge.chunking import width_of
from app.knowledge.passage import Passage

_DATA = Path(__file__).with_name("extract.toml")
SHORTEST, LONGEST = 8, 220
SHORTEST_SAYING, LONGEST_SAYING = 12, 64  # in widths
FEWEST_POINTS = 2
FEWEST_SHARED = 1.2  # terms that a sentence to say, with its title and heading, shares with the question
WEAKEST_FIT = 0.1  # less is a shared ending, or one word in a very long sentence
ENDING_WEIGHT = 0.3  # of a term with a kana ending: 聞く, に聞
MOST_FROM_ONE_PASSAGE = 2

_SENTENCE_END = re.compile(r"(?<=[。！？])|(?<=[.!?])(?=\s)")
_MARKS = '「」『』“”"'
_QUOTES = (("「", "」"), ("『", "』"), ("“", "”"))
_LINE_DECORATION = re.compile(r"^\s*(?:[-*•・>#]+\s*|\d{1,2}[.)．）、]\s*|[|].*$)+")
_EMPHASIS = re.compile(r"\*\*|__|`")
_WORDS = re.compile(r"[a-z0-9]{2,}")
_CHARACTERS = re.compile(r"[\u3041-\u30ff\u3400-\u9fff々]+")
_GRAMMAR = re.compile(r"[\u3041-\u309f].|[\u3041-\u309fー]{2}")  # を求, いて, です: particles and endings, no subject
_HIRAGANA = re.compile(r"[\u3041-\u309f]")
_GOES_ON = re.compile(r"[a-z]")  # the rest of a line that was broken
_HEADING = re.compile(r"^\s*#{1,6}\s+(.+?)\s*#*$")
_GAP = re.compile(r"[【〔\[〇○△]")
_NO_ADVICE = re.compile(r"^\W*(?:件名|例|subject|example|e\.g\.|主题|标题|例如|例子)\W*[:：]", re.IGNORECASE)
# A line that is one quotation, perhaps after the moment it is for: 金額の前：「…」
_SAYING = re.compile(r"^(?:[^「“\"：:]{0,24}[：:]\s*)?(?:「([^」]+)」|“([^”]+)”|\"([^\"]+)\")$")
_POINTS_BACK = re.compile(
    r"^(?:その|それ|この|これ|こう|そこ|ここ|二つ目|三つ目|这|那|它|第[二三]"
    r"|(?:they|it|this|that|these|those|the (?:second|third|other)) )"
)


@dataclass(frozen=True)
class Point:
    """One sentence worth saying. ``number`` is its passage's, counted from 1."""

    text: str
    number: int


def points_about(question: str, passages: Sequence[Passage], *, said: str = "", most: int = 3) -> list[Point]:
    """At most ``most`` sentences, the best passage's first. What stands in ``said`` already is not said again."""
    asked, told = _terms(question), folded_text(said)
    fitting: list[Point] = []
    others: list[Point] = []
    for number, passage in _by_title(passages, asked):
        known = {point.text for point in (*fitting, *others)}
        fits = {
            sentence: fit
            for sentence, fit in _fits(passage, asked).items()
            if sentence not in known and folded_text(sentence).strip(_MARKS) not in told
        }
        ranked = heapq.nsmallest(MOST_FROM_ONE_PASSAGE, ((-fit, not _is_whole(one), one) for one, fit in fits.items()))
        best = {sentence for _, _, sentence in ranked}
        for sentence in (one for one in fits if one in best):
            (fitting if fits[sentence] > WEAKEST_FIT else others).append(Point(sentence, number))
    # Once the fitting sentences are said, the others are what "more" can mean.
    return fitting[:most] + others[: max(0, (most if said else min(most, FEWEST_POINTS)) - len(fitting))]


def _fits(passage: Passage, asked: frozenset[str]) -> dict[str, float]:
    """The sentences of a passage in their order. The first one of an entry answers its title and fits as well as that does."""
    fits = {sentence: _fit(sentence, asked) for sentence in _sentences(passage)}
    if fits and not passage.heading:
        first = next(iter(fits))
        fits[first] = max(fits[first], _fit(passage.title, asked))
    return fits


def saying_about(question: str, passages: Sequence[Passage], *, said: str = "") -> Point | None:
    """The sentence to say as it stands that fits the question best, without its quotation marks; ``None`` when none fits."""
    asked, told = _terms(question), folded_text(said)
    found = [
        (_shared(f"{passage.title} {heading} {line}", asked), -rank, Point(saying, number))
        for rank, (number, passage) in enumerate(_by_title(passages, asked))
        if _shared(passage.title, asked) >= 1
        for heading, line in _lines(passage)
        if _is(heading, "say") and not _is(heading, "both") and (saying := _saying(line)) and folded_text(saying) not in told
    ]
    shared, _, point = max(found, key=lambda one: one[:2], default=(0.0, 0, None))
    return point if shared >= FEWEST_SHARED else None


def _by_title(passages: Sequence[Passage], asked: frozenset[str]) -> list[tuple[int, Passage]]:
    """The passages with their numbers, those about the question's subject first: the search finds shared turns of phrase too."""
    numbered = list(enumerate(passages, start=1))
    return sorted(numbered, key=lambda one: -_shared(f"{one[1].title} {one[1].heading}", asked))


def _shared(text: str, asked: frozenset[str]) -> float:
    """How much of what was asked about a text names. Endings of words tell little."""
    return sum(ENDING_WEIGHT if _HIRAGANA.search(term) else 1.0 for term in _terms(text) & asked)


def _saying(line: str) -> str:
    found = _SAYING.match(_plain(line))
    saying = next((group for group in found.groups() if group), "") if found else ""
    # What has gaps for names, or is long, belongs to the one case it was written for.
    return saying if SHORTEST_SAYING <= width_of(saying) <= LONGEST_SAYING and not _GAP.search(saying) else ""


def _sentences(passage: Passage) -> list[str]:
    pieces = (piece for heading, line in _lines(passage) if not _is(heading, "script") for piece in _sentences_of_line(line))
    plain = (_plain(piece) for piece in pieces)
    return [
        sentence
        for sentence in plain
        if SHORTEST <= len(sentence) <= LONGEST and not sentence.endswith((":", "：", "?", "？")) and not _GOES_ON.match(sentence)
    ]


def _lines(passage: Passage) -> Iterator[tuple[str, str]]:
    """The lines that advise something, each with the heading it stands under; the headings are none of them."""
    heading = passage.heading
    for raw in visible_text(passage.text).splitlines():
        if found := _HEADING.match(raw):
            heading = found[1]
        elif not _is(heading, "avoid") and not _NO_ADVICE.match(raw) and (line := _LINE_DECORATION.sub("", raw).strip()):
            yield heading, line


def _is(heading: str, kind: str) -> bool:
    last = folded_text(heading).rpartition("›")[2].strip()
    return bool(last) and _headings(kind).search(last) is not None


@cache
def _headings(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(_data()[kind]))


@cache
def _idle() -> frozenset[str]:
    return frozenset(_data()["idle"])


@cache
def _data() -> dict[str, list[str]]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))


def _plain(text: str) -> str:
    return without_citations(_EMPHASIS.sub("", text)).strip()


def _sentences_of_line(line: str) -> list[str]:
    """A quotation stays in one piece, however many sentences it has; one that is never closed is no sentence."""
    sentences, open_quotation = [], ""
    for piece in _SENTENCE_END.split(line):
        open_quotation += piece
        if _is_closed(open_quotation):
            sentences.append(open_quotation)
            open_quotation = ""
    return sentences


def _is_closed(text: str) -> bool:
    return text.count('"') % 2 == 0 and all(text.count(opening) == text.count(closing) for opening, closing in _QUOTES)


def _fit(sentence: str, asked: frozenset[str]) -> float:
    """Shared terms; long sentences are held back a little, and those that speak of the sentence before them."""
    terms = _terms(sentence)
    fit = _shared(sentence, asked) / math.sqrt(len(terms) + 10)
    return fit / 2 if _POINTS_BACK.match(folded_text(sentence)) or not _is_whole(sentence) else fit


def _is_whole(sentence: str) -> bool:
    """Items of a list often are no sentences."""
    return sentence.endswith(("。", "！", ".", "!", "」", "”", '"', "』"))


def _terms(text: str) -> frozenset[str]:
    """Words of Latin letters, and pairs of neighbouring characters elsewhere; none that say nothing about a subject."""
    folded = folded_text(text)
    pairs = (run[at : at + 2] for run in _CHARACTERS.findall(folded) for at in range(len(run) - 1))
    return frozenset(term for term in (*_WORDS.findall(folded), *pairs) if not _GRAMMAR.fullmatch(term)) - _idle()
