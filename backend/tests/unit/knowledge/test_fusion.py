"""Putting words and meaning together."""

import numpy as np
import pytest

from app.i18n.language import Language
from app.knowledge.entry import Category, Trust, scopes_of
from app.knowledge.filters import SearchFilter
from app.knowledge.lexical_search import LexicalHit, LexicalResult
from app.knowledge.search import fused
from app.knowledge.strength import Evidence, is_strong
from app.knowledge.vectors import VectorHit, VectorMatrix, packed, unpacked
from app.people.person import Actor, Standing

E5 = "multilingual-e5-small-q4/384"


def words(*hits: tuple[int, float], coverage: float = 0.5) -> LexicalResult:
    return LexicalResult(tuple(LexicalHit(entry * 10, entry, score, coverage) for entry, score in hits), version=1)


def meaning(*hits: tuple[int, float]) -> list[VectorHit]:
    return [VectorHit(entry * 10 + 1, entry, similarity) for entry, similarity in hits]


def test_an_entry_found_by_both_sides_comes_before_one_found_by_either() -> None:
    found = fused(words((1, 9.0), (2, 8.9), (3, 1.0)), meaning((4, 0.9), (2, 0.89), (5, 0.7)), model=E5)
    assert found[0].chunk_id // 10 == 2


def test_an_entry_of_another_language_is_lent_the_words_it_cannot_have() -> None:
    hits = [VectorHit(20, 2, 0.88, "ja", 0.79), VectorHit(10, 1, 0.83, "en", 0.81), VectorHit(30, 3, 0.80, "en", 0.81)]
    asked_in_english = fused(words((1, 9.0), coverage=1.0), hits, model=E5, language=Language.ENGLISH)
    assert [hit.chunk_id for hit in asked_in_english][:2] == [20, 10]
    assert fused(words((1, 9.0), coverage=1.0), hits, model=E5)[0].chunk_id == 10


def test_words_decide_alone_without_vectors() -> None:
    assert [hit.chunk_id for hit in fused(words((1, 9.0), (2, 4.0)), [], model="")] == [10, 20]


def test_meaning_counts_more_when_the_words_fit_badly() -> None:
    badly = fused(words((1, 9.0), coverage=0.0), meaning((2, 0.9), (3, 0.8)), model=E5)
    well = fused(words((1, 9.0), coverage=1.0), meaning((2, 0.9), (3, 0.8)), model=E5)
    assert badly[0].chunk_id == 21
    assert well[0].chunk_id == 10


def test_beside_meaning_an_entry_with_more_of_the_words_comes_before_one_with_a_slightly_better_score() -> None:
    hits = LexicalResult((LexicalHit(10, 1, 9.0, 0.3), LexicalHit(20, 2, 8.9, 0.9), LexicalHit(30, 3, 1.0, 0.1)), 1)
    equally_near = meaning((1, 0.9), (2, 0.9), (3, 0.8))
    assert [hit.chunk_id // 10 for hit in fused(hits, equally_near, model=E5)] == [2, 1, 3]
    assert [hit.chunk_id // 10 for hit in fused(hits, [], model="")] == [1, 2, 3]


def test_the_best_chunk_stands_for_its_entry() -> None:
    hits = LexicalResult((LexicalHit(11, 1, 9.0, 1.0), LexicalHit(12, 1, 5.0, 1.0), LexicalHit(20, 2, 3.0, 0.2)), 1)
    assert [hit.chunk_id for hit in fused(hits, [], model="")] == [11, 20]


@pytest.mark.parametrize(
    ("evidence", "strong"),
    [
        (Evidence(coverage=0.5), True),
        (Evidence(coverage=0.2), False),
        (Evidence(coverage=0.4, words=1), False),
        (Evidence(coverage=0.85, words=3, similarity=0.81, level=0.83, peers=300, model=E5), False),
        (Evidence(coverage=0.0, similarity=0.83, level=0.765, peers=300, crosses_languages=True, model=E5), True),
        (Evidence(coverage=0.0, similarity=0.83, level=0.82, peers=300, crosses_languages=True, model=E5), False),
        (Evidence(coverage=0.0, similarity=0.80, level=0.70, peers=300, crosses_languages=True, model=E5), False),
        (Evidence(coverage=0.0, similarity=0.86, level=0.85, peers=300, model=E5), False),
        (Evidence(coverage=0.0, similarity=0.86, level=0.80, peers=300, model=E5), True),
        (Evidence(coverage=0.0, similarity=0.88, model=E5), True),
        (Evidence(coverage=0.2, similarity=0.83, model=E5), False),
        (Evidence(coverage=0.9, similarity=0.80, model=E5), True),
        (Evidence(coverage=0.0, similarity=0.60, typical_similarity=0.3, model="another/1536"), True),
        (Evidence(coverage=0.0, similarity=0.35, typical_similarity=0.3, model="another/1536"), False),
        (Evidence(coverage=0.0, similarity=0.95, model="another/1536"), False),
    ],
)
def test_what_is_strong(evidence: Evidence, strong: bool) -> None:
    assert is_strong(evidence) is strong


def test_a_channel_sees_less_than_the_person_who_asks() -> None:
    manager = Actor("T1", "U1", Standing.MANAGER, is_private=True, channel_id="C1")
    assert scopes_of(manager) == ["everyone", "channel:C1", "person:U1", "managers"]
    assert scopes_of(Actor("T1", "U1", Standing.MANAGER, is_private=False, channel_id="C1")) == ["everyone", "channel:C1"]
    assert scopes_of(Actor("T1", "U2")) == ["everyone", "person:U2"]


def matrix(**changes: object) -> VectorMatrix:
    rows = np.eye(4, dtype=np.float32)
    columns: dict[str, object] = {
        "version": 1, "chunk_ids": np.array([10, 11, 20, 30]), "entry_ids": np.array([1, 1, 2, 3]), "passages": rows,
        "titles": rows[:3], "title_of": np.array([0, 0, 1, 2]), "title_shares": np.zeros(4, np.float32),
        "scopes": np.array(["everyone"] * 3 + ["managers"]),
        "languages": np.array(["ja", "ja", "en", "ja"]), "categories": np.array(["mail", "mail", "pricing", "mail"]),
        "trusts": np.array([1, 1, 3, 2], np.int16), "dates": np.array(["2026-01-01"] * 3 + ["2026-06-01"], "datetime64[D]"),
    }  # fmt: skip
    return VectorMatrix(**(columns | changes))  # type: ignore[arg-type]


QUESTION = np.array([[0.1, 0.9, 0.5, 1.0]], dtype=np.float32)


def nearest(scopes: list[str], wanted: SearchFilter) -> list[int]:
    return [hit.chunk_id for hit in matrix().nearest(QUESTION, scopes=scopes, wanted=wanted, limit=10)]


def test_each_entry_is_found_once_by_its_nearest_chunk() -> None:
    assert nearest(["everyone", "managers"], SearchFilter()) == [30, 11, 20]


def test_filters_act_before_the_best_are_taken() -> None:
    everyone = ["everyone"]
    assert nearest(everyone, SearchFilter()) == [11, 20]
    assert nearest(everyone, SearchFilter(language=Language.ENGLISH)) == [20]
    assert nearest(everyone, SearchFilter(categories=(Category.PRICING,))) == [20]
    assert nearest(everyone, SearchFilter(least_trust=Trust.OFFICIAL)) == [20]
    assert nearest([], SearchFilter()) == []


def test_what_stands_out_of_its_language_is_nearest_and_what_words_found_is_measured_too() -> None:
    many = np.arange(200)
    rows = np.full((200, 2), (0.8, 0.6), np.float32)
    rows[100:] = (0.6, 0.8)
    rows[7], rows[107] = (0.84, 0.5426), (0.8, 0.6)  # the second stands out more, among texts that are farther
    large = VectorMatrix(
        version=1, chunk_ids=many, entry_ids=many, passages=rows, titles=rows, title_of=many,
        title_shares=np.zeros(200, np.float32), scopes=np.full(200, "everyone"), languages=np.repeat(["en", "ja"], 100),
        categories=np.full(200, "mail"), trusts=np.full(200, 2, np.int16), dates=np.full(200, np.datetime64("2026-01-01")),
    )  # fmt: skip
    question = np.array([[1.0, 0.0]], np.float32)
    found = large.nearest(question, scopes=["everyone"], wanted=SearchFilter(), limit=2, also=[150])
    assert [hit.chunk_id for hit in found] == [107, 7, 150]
    assert [hit.peers for hit in found] == [100, 100, 100]
    assert large.nearest(question, scopes=[], wanted=SearchFilter(), limit=2, also=[150]) == []


def test_what_is_near_to_everything_is_less_near_to_the_question() -> None:
    many = np.arange(20)
    rows = np.full((20, 3), (0.0, 0.6, 0.8), np.float32)
    rows[3], rows[5] = (0.8, 0.6, 0.0), (0.8, 0.0, 0.6)  # as far from the question; the second is nearer to the others
    crowd = matrix(
        chunk_ids=many, entry_ids=many, passages=rows, titles=rows, title_of=many, title_shares=np.zeros(20, np.float32),
        scopes=np.full(20, "everyone"), languages=np.full(20, "ja"), categories=np.full(20, "mail"),
        trusts=np.full(20, 2, np.int16), dates=np.full(20, np.datetime64("2026-01-01")),
    )  # fmt: skip
    first, second, *_ = crowd.nearest(
        np.array([[1.0, 0.0, 0.0]], np.float32), scopes=["everyone"], wanted=SearchFilter(), limit=20
    )
    assert [first.entry_id, second.entry_id] == [3, 5]
    assert first.similarity == second.similarity == pytest.approx(0.8)
    assert first.lift > second.lift


def test_the_title_counts_by_its_share() -> None:
    plain = matrix().nearest(QUESTION, scopes=["everyone"], wanted=SearchFilter(), limit=1)
    shares = np.full(4, 0.5, np.float32)
    titled = matrix(title_shares=shares).nearest(QUESTION, scopes=["everyone"], wanted=SearchFilter(), limit=1)
    assert (plain[0].entry_id, plain[0].similarity) == (1, pytest.approx(0.9))
    assert (titled[0].entry_id, titled[0].similarity) == (2, pytest.approx(0.5 * 0.5 + 0.5 * 0.9))


def test_vectors_survive_storage_well_enough_to_rank() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = unpacked([packed(row) for row in vectors])
    assert float(np.abs(stored @ vectors[0] - vectors @ vectors[0]).max()) < 0.001
