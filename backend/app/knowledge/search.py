"""Finding knowledge: words and meaning, put together.

Words are ranked by BM25 inside PostgreSQL, meaning by the vectors in memory. Each side's best are stretched to 0…1 and added;
since the best by words is stretched to 1 however little it fits, the share of the question's words that an entry contains is
added too. The fewer of them even the best entry contains, the more meaning counts. Without vectors (none configured, none
computed yet, the embedder is busy) words decide alone.
"""

import asyncio
import hashlib
import json
import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Protocol

from app.cache.keys import knowledge_key
from app.embeddings.embedder import Embedder, EmbedderBusy, EmbedderFailed, Vectors
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.knowledge.entry import scopes_of
from app.knowledge.filters import SearchFilter
from app.knowledge.lexical_search import LexicalResult, search_words
from app.knowledge.passage import Passage
from app.knowledge.respelling import respelled
from app.knowledge.snippet import Piece, snippet_of
from app.knowledge.strength import ENOUGH_WORDS, Evidence, is_strong
from app.knowledge.synonyms.thesaurus import SynonymsFile, Thesaurus
from app.knowledge.tokens import Tokenizer
from app.knowledge.vectors import VectorCache, VectorHit
from app.people.person import Actor
from app.storage.database import Database, Record, Session

logger = logging.getLogger(__name__)

BEST_OF_EACH_SIDE = 100
TYPICAL_PLACE = 60  # by meaning: what stands there is similar to the question, but hardly what was asked for
COVERAGE_WEIGHT = 0.9  # of the share of the question's words, beside their stretched BM25
MEANING_WEIGHT = (2.4, 1.1)  # when the best entry has none of the question's words, and when it has all of them
WORDS_LENT = 0.6  # of what all the words would score: an entry of another language cannot have them, however well it fits
TRUST_WEIGHT = 0.12  # of the score, for each step of trust: decides between entries that fit nearly alike
MOST_TERMS = 64  # of one question; the rarest decide anyway
LONGEST_QUESTION = 2_000  # characters looked at
REMEMBER_SECONDS = 300


class ResultCache(Protocol):
    """Where results are kept for a while; may forget at any time and never raises."""

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> object: ...


@dataclass(frozen=True)
class _Found:
    """A chunk with its place in the ranking."""

    chunk_id: int
    score: float
    evidence: Evidence


@dataclass(frozen=True)
class _View:
    """What one person may find at this moment: how the workspace's knowledge stands, and what is kept from them."""

    team_id: str
    version: int
    judgements: int
    scopes: list[str]
    wanted: SearchFilter
    hidden: list[int]


class KnowledgeSearch:
    """Search over the published entries of a workspace, as far as the actor may see them.

    ``meaning_deadline_seconds`` is how long a search that has its words waits for the vector of the question.
    """

    def __init__(
        self,
        database: Database,
        tokenizer: Tokenizer,
        *,
        embedder: Embedder | None = None,
        cache: ResultCache | None = None,
        synonyms: SynonymsFile | None = None,
        meaning_deadline_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._tokenizer = tokenizer
        self._embedder = embedder
        self._vectors = VectorCache(database, embedder.model) if embedder else None
        self._cache = cache
        self._synonyms = synonyms or SynonymsFile(None, tokenizer)
        self._meaning_deadline_seconds = meaning_deadline_seconds
        self._embeddings: set[asyncio.Task[Vectors | None]] = set()
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def prepare(self, team_id: str | None = None) -> None:
        """Loads dictionary and model (some 0.4 s and 140 MB), and a workspace's vectors.

        The first search does it by itself: a process that is never asked does not hold them.
        """
        await asyncio.to_thread(self._tokenizer.prepare)
        if self._embedder:
            await self._embedder.prepare()
        if self._vectors and team_id:
            await self._vectors.prepare(team_id)
        self._is_prepared = True

    async def _be_prepared(self, team_id: str) -> None:
        if not self._is_prepared:
            async with self._preparing:
                if not self._is_prepared:
                    await self.prepare(team_id)

    async def close(self) -> None:
        for task in self._embeddings:
            task.cancel()
        await asyncio.gather(*self._embeddings, return_exceptions=True)
        if self._vectors:
            await self._vectors.close()

    async def search(
        self, text: str, *, actor: Actor, limit: int = 5, language: Language | None = None, wanted: SearchFilter | None = None
    ) -> list[Passage]:
        """The best passage of each of the best entries, the best first; an empty list when nothing fits at all.

        ``language`` keeps entries of other languages out; by default a Chinese question may find an English entry.
        """
        question = normalized_question(text)
        if not question:
            return []
        wanted = wanted or SearchFilter()
        if language is not None:
            wanted = replace(wanted, language=language)
        scopes = scopes_of(actor)
        if not scopes:
            return []
        view = await self._view_of(actor, scopes, wanted)
        thesaurus = await self._synonyms.thesaurus()
        key = self._key_of(question, view, thesaurus, limit) if self._cache else None
        if key and (kept := await self._remembered(key)) is not None:
            return kept
        passages, is_complete = await self._search(question, view, thesaurus, limit)
        if key and is_complete:
            await self._remember(key, passages)
        return passages

    async def snippets(self, question: str, passages: Sequence[Passage], *, length: int) -> list[tuple[Piece, ...]]:
        """What to show of each passage, with the question's words and their synonyms marked. Texts are taken without Markdown."""
        words = (await self._synonyms.thesaurus()).words_of(self._tokenizer.question_terms(normalized_question(question)))
        return await asyncio.to_thread(
            lambda: [
                snippet_of(one.text, words, language=one.language, tokenizer=self._tokenizer, length=length) for one in passages
            ]
        )

    async def _view_of(self, actor: Actor, scopes: list[str], wanted: SearchFilter) -> _View:
        async with self._database.reading() as session:
            row = await session.fetch_row(_STATE, actor.team_id, actor.user_id)
        assert row is not None
        return _View(actor.team_id, row["version"], row["judgements"], scopes, wanted, row["hidden"])

    async def _search(self, question: str, view: _View, thesaurus: Thesaurus, limit: int) -> tuple[list[Passage], bool]:
        """The passages, and whether both sides could be asked."""
        await self._be_prepared(view.team_id)
        embedding = self._begin_embedding(question)
        if self._vectors:
            self._vectors.matrix_of(view.team_id, version=view.version)  # what is new is read while the words are searched
        terms = thesaurus.words_of(self._tokenizer.question_terms(question)[:MOST_TERMS])
        words = await self._words(terms, view)
        meaning, is_current = await self._meaning(embedding, view, words)
        model = self._embedder.model if self._embedder else ""
        found = fused(words, meaning, model=model, language=language_of(question))[: limit * 2]
        if not found:
            return [], is_current
        async with self._database.reading() as session:
            rows = await session.fetch(
                _PASSAGES, view.team_id, [hit.chunk_id for hit in found], [hit.score for hit in found], view.scopes,
                view.wanted.language, list(view.wanted.categories), int(view.wanted.least_trust), view.wanted.updated_since,
                view.hidden, limit, TRUST_WEIGHT,
            )  # fmt: skip
        return _passages(found, rows), is_current

    async def _words(self, terms: dict[str, int], view: _View) -> LexicalResult:
        """By words; when that brings next to nothing, once more with slips of the keyboard mended."""
        async with self._database.reading() as session:
            found = await self._search_words(session, terms, view)
            if found.hits and found.hits[0].coverage >= ENOUGH_WORDS:
                return found
            mended = await respelled(session, view.team_id, terms)
            return await self._search_words(session, terms | mended, view) if mended else found

    async def _search_words(self, session: Session, terms: dict[str, int], view: _View) -> LexicalResult:
        return await search_words(
            session, view.team_id, terms, scopes=view.scopes, wanted=view.wanted, hidden=view.hidden, limit=BEST_OF_EACH_SIDE
        )

    def _begin_embedding(self, question: str) -> "asyncio.Task[Vectors | None] | None":
        if self._embedder is None:
            return None
        task = asyncio.create_task(self._embed(question), name="embed question")
        self._embeddings.add(task)
        task.add_done_callback(self._embeddings.discard)
        return task

    async def _embed(self, question: str) -> Vectors | None:
        assert self._embedder is not None
        try:
            return await self._embedder.embed_question(question)
        except EmbedderBusy:
            return None
        except EmbedderFailed as error:
            logger.warning("question_not_embedded", extra={"reason": str(error)})
            return None

    async def _meaning(
        self, embedding: "asyncio.Task[Vectors | None] | None", view: _View, words: LexicalResult
    ) -> tuple[list[VectorHit], bool]:
        """The closest entries and those found by words; and whether this is all there is to know now.

        Nothing, when the search by meaning is not available. The late vector is still remembered for the next time.
        """
        if embedding is None or self._vectors is None:
            return [], True
        vector = None
        try:
            async with asyncio.timeout(self._meaning_deadline_seconds):
                vector = await asyncio.shield(embedding)
                # Else the first question after an upload would not find it by its meaning, however long ago that was.
                await self._vectors.being_read(view.team_id)
        except TimeoutError:
            pass  # a late vector means no search by meaning, a late reading means the former state of the knowledge
        matrix = self._vectors.matrix_of(view.team_id, version=view.version)
        if vector is None or matrix is None:
            return [], False
        hits = matrix.nearest(
            vector, scopes=view.scopes, wanted=view.wanted, hidden=view.hidden, limit=BEST_OF_EACH_SIDE,
            also=[hit.entry_id for hit in words.hits],
        )  # fmt: skip
        return hits, matrix.version >= view.version

    def _key_of(self, question: str, view: _View, thesaurus: Thesaurus, limit: int) -> str:
        """Any edit changes the version, any verdict their count, and with them every key of the workspace."""
        asked = json.dumps(
            [question, view.scopes, asdict(view.wanted), limit, view.judgements, view.hidden, thesaurus.version],
            default=str, ensure_ascii=False,
        )  # fmt: skip
        return knowledge_key(view.team_id, view.version, hashlib.sha256(asked.encode()).hexdigest()[:32])

    async def _remembered(self, key: str) -> list[Passage] | None:
        assert self._cache is not None
        kept = await self._cache.get(key)
        return None if kept is None else [_passage_from(fields) for fields in json.loads(kept)]

    async def _remember(self, key: str, passages: Sequence[Passage]) -> None:
        assert self._cache is not None
        value = json.dumps([asdict(passage) for passage in passages], default=str, ensure_ascii=False)
        await self._cache.set(key, value.encode(), REMEMBER_SECONDS)


def normalized_question(text: str) -> str:
    """The form in which a question is searched for, and embedded."""
    return " ".join(unicodedata.normalize("NFKC", text[:LONGEST_QUESTION]).split())


def fused(words: LexicalResult, meaning: Sequence[VectorHit], *, model: str, language: Language | None = None) -> list[_Found]:
    """One hit per entry, by the sum of both sides' stretched scores; the passage is the one its better side found.

    A stretched score says which fits best, not how well: beside meaning, the share of the question's words counts as well.
    ``language`` is the question's. What stands behind the best of ``meaning`` says only how similar the other side's finds are.
    """
    by_words = _stretched({hit.entry_id: hit.score for hit in reversed(words.hits)})
    by_meaning = _stretched({hit.entry_id: hit.lift for hit in meaning[:BEST_OF_EACH_SIDE]})
    first_by_words = {hit.entry_id: hit for hit in reversed(words.hits)}
    first_by_meaning = {hit.entry_id: hit for hit in meaning}
    typical = meaning[TYPICAL_PLACE - 1].similarity if len(meaning) >= TYPICAL_PLACE else None
    weight = _meaning_weight(words)
    coverage_weight = COVERAGE_WEIGHT if meaning else 0.0  # among finds by words alone BM25 knows better
    found = []
    for entry_id in dict.fromkeys([*by_words, *by_meaning]):
        lexical, vector = first_by_words.get(entry_id), first_by_meaning.get(entry_id)
        crosses_languages = bool(vector and language and vector.language != language)
        coverage = lexical.coverage if lexical else 0.0
        word_score = by_words.get(entry_id, 0.0) + coverage_weight * coverage
        meaning_score = weight * by_meaning.get(entry_id, 0.0)
        lent = WORDS_LENT * (1 + coverage_weight) * by_meaning.get(entry_id, 0.0) if crosses_languages else 0.0
        chunk_id = lexical.chunk_id if lexical and (vector is None or word_score >= meaning_score) else vector.chunk_id  # type: ignore[union-attr]
        evidence = Evidence(
            coverage=coverage,
            words=lexical.words if lexical else 0,
            similarity=vector.similarity if vector else None,
            level=vector.level if vector else 0.0,
            peers=vector.peers if vector else 0,
            crosses_languages=crosses_languages,
            typical_similarity=typical,
            model=model,
        )
        found.append(_Found(chunk_id, max(word_score, lent) + meaning_score, evidence))
    return sorted(found, key=lambda hit: -hit.score)


def _meaning_weight(words: LexicalResult) -> float:
    without, with_all = MEANING_WEIGHT
    return without + (with_all - without) * (words.hits[0].coverage if words.hits else 0.0)


def _stretched(scores: dict[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in scores.items()}


def _passages(found: Sequence[_Found], rows: Sequence[Record]) -> list[Passage]:
    evidence = {hit.chunk_id: hit.evidence for hit in found}
    return [
        Passage(
            entry_id=row["entry_id"], title=row["title"], heading=row["heading"], text=row["text"], source=row["source"],
            url=row["url"], category=row["category"], updated_on=row["updated_on"], language=Language(row["language"]),
            score=row["score"], is_strong=is_strong(evidence[row["id"]]),
        )
        for row in rows
    ]  # fmt: skip


def _passage_from(fields: dict[str, object]) -> Passage:
    values = dict(fields)
    values["updated_on"] = date.fromisoformat(str(fields["updated_on"]))
    values["language"] = Language(str(fields["language"]))
    return Passage(**values)  # type: ignore[arg-type]


_STATE = """
select coalesce(max(version), 0) as version, coalesce(max(judgements), 0) as judgements,
       array(select entry_id from knowledge_feedback
             where team_id = $1 and user_id = $2 and verdict = 'hidden' order by entry_id) as hidden
from knowledge_state where team_id = $1
"""

# What people think of an entry moves it here, among those that fit: ``boost`` is bounded, see knowledge/judgements/ranking.py.
# So does its trust: what the company wrote itself (2) goes before the starter library (1), which knows nothing of its prices.
_PASSAGES = """
select c.id, c.entry_id, c.heading, c.text, e.title, e.source, e.url, e.category, e.updated_on, e.language,
       found.score * (1 + e.boost + $11::float8 * (e.trust - 2)) as score
from unnest($2::bigint[], $3::float8[]) with ordinality as found (id, score, place)
cross join lateral (select * from knowledge_chunks where id = found.id offset 0) as c
cross join lateral (select * from knowledge_entries where id = c.entry_id offset 0) as e
where c.team_id = $1 and e.team_id = $1 and e.status = 'published' and e.scope = any ($4::text[])
  and ($5::text is null or e.language = $5) and (cardinality($6::text[]) = 0 or e.category = any ($6))
  and e.trust >= $7 and ($8::date is null or e.updated_on >= $8) and e.id <> all ($9::bigint[])
order by score desc, found.place
limit $10
"""
