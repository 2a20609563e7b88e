"""Words that mean the same in this company, from a file that the company edits.

One line per meaning: ``値引き = ディスカウント = discount``, or with commas. ``#`` begins a comment. The file is read again when
it has changed; a mistake in it is reported with its line, and until it is mended the words from before go on.
"""

import asyncio
import hashlib
import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.clock import Clock, SystemClock
from app.core.errors import ConfigurationError
from app.core.metrics import count_error
from app.knowledge.tokens import Tokenizer

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 5.0
MOST_LINES = 20_000
MOST_BYTES = 4 * 1024 * 1024
LONGEST_WORD = 50
_BETWEEN = re.compile(r"[=,、\t]")  # after NFKC: ＝ and ， are = and ,

Terms = tuple[str, ...]


@dataclass(frozen=True)
class Thesaurus:
    """Meanings, each as the ways to say it, each way as the terms it is found by. ``version`` changes with the content."""

    meanings: tuple[tuple[Terms, ...], ...] = ()
    version: str = ""

    def words_of(self, terms: Sequence[str]) -> dict[str, int]:
        """The question's terms with their synonyms. Those with the same number mean the same."""
        words = {term: number for number, term in enumerate(dict.fromkeys(terms))}
        for ways in self._said_in(words):
            for way in ways:
                said = [term for term in way if term in words]
                if len(said) == len(way):
                    place = words[way[-1]]
                    break
            for way in ways:
                for term in way:
                    words.setdefault(term, place)
        return words

    def _said_in(self, words: dict[str, int]) -> list[tuple[Terms, ...]]:
        asked = frozenset(words)
        return [ways for ways in self.meanings if any(asked.issuperset(way) for way in ways)]


class SynonymsFile:
    """The company's thesaurus, as the file stands now. Without a file there are no synonyms."""

    def __init__(self, path: Path | None, tokenizer: Tokenizer, clock: Clock | None = None) -> None:
        self._path = path
        self._tokenizer = tokenizer
        self._clock = clock or SystemClock()
        self._thesaurus = Thesaurus()
        self._read: tuple[int, int] | None = None  # time of change and size of what was read
        self._looked_at = float("-inf")

    async def load(self) -> None:
        """At the start. ``ConfigurationError`` names file and line: a product that starts has its synonyms."""
        if self._path is not None:
            self._thesaurus, self._read = await asyncio.to_thread(_read, self._path, self._tokenizer)

    async def thesaurus(self) -> Thesaurus:
        """As the file was some seconds ago at most."""
        now = self._clock.monotonic()
        if self._path is None or now - self._looked_at < LOOK_AGAIN_SECONDS:
            return self._thesaurus
        self._looked_at = now
        try:
            if await asyncio.to_thread(_state_of, self._path) != self._read:
                self._thesaurus, self._read = await asyncio.to_thread(_read, self._path, self._tokenizer)
                logger.info("synonyms_read", extra={"meanings": len(self._thesaurus.meanings)})
        except ConfigurationError as error:
            count_error(error)
            logger.error("synonyms_not_read", extra={"reason": str(error)})  # noqa: TRY400 - the message says it all
            self._read = await asyncio.to_thread(_state_of, self._path)
        return self._thesaurus


def thesaurus_in(text: str, tokenizer: Tokenizer, *, name: str = "the synonyms file") -> Thesaurus:
    """``ConfigurationError`` with the number of the line that cannot be understood."""
    meanings: list[tuple[Terms, ...]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            if ways := _ways_in(line, tokenizer):
                meanings.append(ways)
        except ValueError as error:
            raise ConfigurationError(f"{name}, line {number}: {error}") from error
        if number > MOST_LINES:
            raise ConfigurationError(f"{name}, line {number}: more than {MOST_LINES} lines")
    return Thesaurus(_joined(meanings), hashlib.sha256(text.encode()).hexdigest()[:16])


def _ways_in(line: str, tokenizer: Tokenizer) -> tuple[Terms, ...]:
    content = unicodedata.normalize("NFKC", line).partition("#")[0].strip().lstrip("\ufeff")
    if not content:
        return ()
    words = [word.strip() for word in _BETWEEN.split(content)]
    if len(words) < 2:
        raise ValueError("one word alone; write for example: 値引き = ディスカウント")
    if not all(words):
        raise ValueError("a word is missing beside = or a comma")
    if any(len(word) > LONGEST_WORD for word in words):
        raise ValueError(f"a word is longer than {LONGEST_WORD} characters")
    ways = dict.fromkeys(tuple(tokenizer.question_terms(word)) for word in words)
    if not all(ways):
        raise ValueError("a word says nothing that is searched for (a particle, a symbol)")
    return tuple(ways)


def _joined(meanings: Iterable[tuple[Terms, ...]]) -> tuple[tuple[Terms, ...], ...]:
    """Lines that share a way of saying it are one meaning."""
    joined: list[dict[Terms, None]] = []
    where: dict[Terms, dict[Terms, None]] = {}
    for ways in meanings:
        known = next((where[way] for way in ways if way in where), None)
        if known is None:
            known = {}
            joined.append(known)
        for way in ways:
            known[way] = None
            where.setdefault(way, known)
    return tuple(tuple(ways) for ways in joined if len(ways) > 1)


def _state_of(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _read(path: Path, tokenizer: Tokenizer) -> tuple[Thesaurus, tuple[int, int] | None]:
    state = _state_of(path)
    if state is None:
        raise ConfigurationError(f"SYNONYMS_FILE: {path} cannot be read")
    if state[1] > MOST_BYTES:
        raise ConfigurationError(f"SYNONYMS_FILE: {path} is larger than {MOST_BYTES} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"SYNONYMS_FILE: {path} cannot be read as UTF-8") from error
    return thesaurus_in(text, tokenizer, name=str(path)), state
