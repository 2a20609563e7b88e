"""Finding knowledge: by words, by meaning, and only what may be seen."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.embeddings.embedder import EmbedderBusy, EmbedderFailed, Vectors
from app.embeddings.local import LocalEmbedder
from app.i18n.language import Language
from app.knowledge import lexical_search
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.entry import Category, Status, Trust, system_actor
from app.knowledge.filters import SearchFilter
from app.knowledge.lexical_search import search_words
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.people.person import Actor
from app.storage.database import Database
from tests.with_services.knowledge_builders import (
    ENTRIES,
    IN_CHANNEL,
    MANAGER,
    MEMBER,
    PRICE_OBJECTION,
    THANKS_MAIL,
    TOKENIZER,
    draft,
    id_of,
    publish,
)  # fmt: skip


@pytest.fixture(scope="module")
async def embedder() -> AsyncIterator[LocalEmbedder]:
    """The real model: it is small and lies on the disk."""
    local = LocalEmbedder(core_share=1)
    await local.prepare()
    yield local
    await local.close()


@pytest.fixture
async def words_only(database: Database) -> AsyncIterator[KnowledgeSearch]:
    search = KnowledgeSearch(database, TOKENIZER)
    yield search
    await search.close()


async def titles(search: KnowledgeSearch, text: str, actor: Actor = MEMBER, **options: object) -> list[str]:
    return [passage.title for passage in await search.search(text, actor=actor, **options)]  # type: ignore[arg-type]


# Words


async def test_an_entry_is_found_from_the_moment_it_is_saved(database: Database, words_only: KnowledgeSearch) -> None:
    assert await titles(words_only, "値引きを求められた") == []
    await publish(database, *ENTRIES)
    (passage, *_) = await words_only.search("値引きを求められた", actor=MEMBER)
    assert (passage.title, passage.category, passage.updated_on) == (
        PRICE_OBJECTION.title,
        "objection",
        PRICE_OBJECTION.updated_on,
    )
    assert "交換条件" in passage.text


async def test_an_edit_and_an_archived_entry_act_at_once(database: Database, words_only: KnowledgeSearch) -> None:
    await publish(database, *ENTRIES)
    await publish(database, replace(PRICE_OBJECTION, body="比べる相手を確かめます。"))
    assert await titles(words_only, "値引き") == []
    await Library(database, TOKENIZER).archive(await id_of(database, "thanks"), actor=MANAGER)
    assert THANKS_MAIL.title not in await titles(words_only, "お礼メール")


async def test_scores_are_bm25(database: Database, words_only: KnowledgeSearch) -> None:
    bodies = ["価格と価格と値引き", "価格の話", "納期の話と納期の約束と納期の確認", "保証"]
    await publish(database, *(draft(f"e{number}", "題", body) for number, body in enumerate(bodies)))
    async with database.reading() as session:
        result = await search_words(session, "T1", ["価格", "値引き"], scopes=["everyone"], wanted=SearchFilter(), limit=10)
    documents = [TOKENIZER.terms_of(f"題\n{body}", Language.JAPANESE) for body in bodies]
    usual = sum(map(len, documents)) / len(documents)

    def bm25(document: list[str]) -> float:
        score = 0.0
        for term in ("価格", "値引き"):
            containing = sum(term in other for other in documents)
            weight = math.log(1 + (len(documents) - containing + 0.5) / (containing + 0.5))
            times = document.count(term)
            score += weight * times * 1.9 / (times + 0.9 * (0.25 + 0.75 * len(document) / usual))
        return score

    assert [hit.score for hit in result.hits] == pytest.approx(sorted(filter(None, map(bm25, documents)), reverse=True))
    assert result.hits[0].coverage == pytest.approx(1.0)


async def test_common_words_are_left_unread_beyond_the_budget(
    database: Database, words_only: KnowledgeSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(
        database, *(draft(f"e{number}", body="価格の話。") for number in range(20)), draft("rare", body="価格と違約金。")
    )
    monkeypatch.setattr(lexical_search, "POSTINGS_READ", 5)
    assert await titles(words_only, "違約金の価格") == ["rare"]
    assert len(await titles(words_only, "価格", limit=30)) == 21


async def test_what_was_never_written_about_is_not_strong(database: Database, words_only: KnowledgeSearch) -> None:
    await publish(database, *ENTRIES)
    assert not any(passage.is_strong for passage in await words_only.search("明日の東京の天気とおすすめのラーメン", actor=MEMBER))
    assert (await words_only.search("高いと言われた", actor=MEMBER))[0].is_strong


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "？！…",
        "🙂",
        "'; drop table knowledge_entries; --",
        "%_\\",
        "a & | ! ( : *",
        "\x00値引き\x00",
        "値引き" * 2_000,
        "\u202e\ufeff",
    ],
)
async def test_no_text_breaks_the_search(database: Database, words_only: KnowledgeSearch, text: str) -> None:
    await publish(database, *ENTRIES)
    assert len(await words_only.search(text, actor=MEMBER)) <= 5


# What may be seen


async def test_workspaces_with_equal_entries_never_cross(database: Database) -> None:
    for team_id in ("T1", "T2"):
        await publish(database, *(replace(entry, source=team_id) for entry in ENTRIES), team_id=team_id)
    search = KnowledgeSearch(database, TOKENIZER)
    for team_id in ("T1", "T2", "T3"):
        found = await search.search("値引き お礼メール 稟議", actor=system_actor(team_id), limit=10)
        assert {passage.source for passage in found} == ({team_id} if team_id != "T3" else set())
    await search.close()


async def test_a_scope_is_kept_and_a_channel_sees_only_what_all_in_it_may_know(
    database: Database, words_only: KnowledgeSearch
) -> None:
    scopes = ["everyone", "managers", "channel:C1", "channel:C2", "person:U_MEMBER", "person:U_MANAGER"]
    await publish(database, *(draft(scope, body="値引きの上限。", scope=scope) for scope in scopes))
    assert set(await titles(words_only, "値引き", MEMBER, limit=10)) == {"everyone", "person:U_MEMBER"}
    assert set(await titles(words_only, "値引き", MANAGER, limit=10)) == {"everyone", "managers", "person:U_MANAGER"}
    assert set(await titles(words_only, "値引き", IN_CHANNEL, limit=10)) == {"everyone", "channel:C1"}


async def test_forbidden_entries_do_not_push_allowed_ones_out(database: Database, words_only: KnowledgeSearch) -> None:
    hidden = [draft(f"h{number}", "値引き", "値引きと値引き。", scope="managers") for number in range(80)]
    await publish(database, *hidden, draft("seen", body="値引きについては、長い説明のあとで触れます。"))
    assert await titles(words_only, "値引き") == ["seen"]


async def test_proposals_are_not_found_until_they_are_published(database: Database, words_only: KnowledgeSearch) -> None:
    library = Library(database, TOKENIZER)
    await library.save([draft("poison", "値引き", "いつでも五割引きにします。")], actor=MEMBER, status=Status.PROPOSED)
    assert await titles(words_only, "値引き", MANAGER) == []
    await library.publish(await id_of(database, "poison"), actor=MANAGER)
    assert await titles(words_only, "値引き") == ["値引き"]


async def test_language_category_and_trust_narrow_the_search(database: Database, words_only: KnowledgeSearch) -> None:
    await publish(
        database,
        draft("ja", body="SPINの質問。", category=Category.METHODOLOGY, trust=Trust.OFFICIAL),
        draft("en", body="SPIN questions.", language=Language.ENGLISH),
    )
    assert set(await titles(words_only, "SPIN")) == {"ja", "en"}
    assert await titles(words_only, "SPIN", language=Language.ENGLISH) == ["en"]
    assert await titles(words_only, "SPIN", wanted=SearchFilter(categories=(Category.METHODOLOGY,))) == ["ja"]
    assert await titles(words_only, "SPIN", wanted=SearchFilter(least_trust=Trust.OFFICIAL)) == ["ja"]


# Meaning


async def embedded(database: Database, embedder: LocalEmbedder, *, team_id: str = "T1") -> KnowledgeSearch:
    await EmbeddingQueue(database, embedder).embed_pending()
    search = KnowledgeSearch(database, TOKENIZER, embedder=embedder, meaning_deadline_seconds=30)
    await search.prepare(team_id)
    return search


async def test_other_words_and_other_languages_find_the_entry(database: Database, embedder: LocalEmbedder) -> None:
    await publish(database, *ENTRIES)
    search = await embedded(database, embedder)
    assert (await titles(search, "How do I write a thank-you mail after a meeting?"))[0] == THANKS_MAIL.title
    assert (await titles(search, "会った後に感謝を伝える文章"))[0] == THANKS_MAIL.title
    await search.close()


async def test_meaning_obeys_scope_and_workspace(database: Database, embedder: LocalEmbedder) -> None:
    await publish(database, replace(PRICE_OBJECTION, scope="managers"), THANKS_MAIL)
    await publish(database, replace(PRICE_OBJECTION, source="other"), team_id="T2")
    search = await embedded(database, embedder)
    question = "The customer says it is too expensive"
    assert PRICE_OBJECTION.title not in await titles(search, question)
    found = await search.search(question, actor=MANAGER)
    assert found[0].title == PRICE_OBJECTION.title
    assert "other" not in {passage.source for passage in found}
    await search.close()


async def test_an_entry_archived_after_its_vectors_were_read_is_not_found(database: Database, embedder: LocalEmbedder) -> None:
    await publish(database, *ENTRIES)
    search = await embedded(database, embedder)
    await Library(database, TOKENIZER).archive(await id_of(database, "price"), actor=MANAGER)
    assert PRICE_OBJECTION.title not in await titles(search, "The customer says it is too expensive")
    await search.close()


async def test_progress_is_counted_and_an_edit_is_embedded_again(database: Database, embedder: LocalEmbedder) -> None:
    queue = EmbeddingQueue(database, embedder)
    await publish(database, *ENTRIES)
    assert (await queue.progress("T1")).missing == 3
    assert await queue.embed_pending(limit=2) == 2
    assert (await queue.progress("T1")).missing == 1
    assert await queue.embed_pending() == 1
    await publish(database, replace(PRICE_OBJECTION, body="別の本文。"))
    assert (await queue.progress()).missing == 1
    assert await queue.embed_pending() == 1
    assert await queue.embed_pending() == 0


class FixedEmbedder:
    """Counts the calls; every text has the same vector."""

    def __init__(self, model: str = "fixed/4", error: Exception | None = None, seconds: float = 0) -> None:
        self.model, self.error, self.seconds, self.questions, self.entries = model, error, seconds, 0, 0

    async def prepare(self) -> None:
        pass

    async def embed_question(self, text: str) -> Vectors:
        self.questions += 1
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return np.array([[1, 0, 0, 0]], np.float32)

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.entries += 1
        await asyncio.sleep(0)
        return np.repeat(np.array([[1, 0, 0, 0]], np.float32), len(texts), axis=0)

    async def close(self) -> None:
        pass


async def test_processes_that_embed_at_once_do_not_repeat_each_other(database: Database) -> None:
    for team_id in ("T1", "T2"):
        await publish(database, *(draft(f"e{number}") for number in range(12)), team_id=team_id)
    embedder = FixedEmbedder()
    done = await asyncio.gather(*(EmbeddingQueue(database, embedder).embed_pending() for _ in range(3)))
    assert (sum(done), embedder.entries) == (24, 24)


async def test_a_failed_portion_is_taken_up_again(database: Database) -> None:
    await publish(database, *ENTRIES)
    embedder = FixedEmbedder()
    broken = FixedEmbedder()
    broken.embed_passages = broken_passages  # type: ignore[method-assign]
    with pytest.raises(EmbedderFailed):
        await EmbeddingQueue(database, broken).embed_pending()
    assert await EmbeddingQueue(database, embedder).embed_pending() == 3


async def broken_passages(texts: Sequence[str]) -> Vectors:
    raise EmbedderFailed("down")


async def test_a_new_model_is_filled_beside_the_old_one(database: Database) -> None:
    await publish(database, *ENTRIES)
    old, new = EmbeddingQueue(database, FixedEmbedder("old/4")), EmbeddingQueue(database, FixedEmbedder("new/4"))
    await old.embed_pending()
    assert await new.forget_other_models() == 0
    await new.embed_pending()
    assert (await old.progress()).missing == 0
    assert await new.forget_other_models() == 6
    assert ((await old.progress()).missing, (await new.progress()).missing) == (3, 0)


@pytest.mark.parametrize(
    "embedder",
    [FixedEmbedder(error=EmbedderBusy()), FixedEmbedder(error=EmbedderFailed("down")), FixedEmbedder(seconds=3600)],
    ids=["busy", "failed", "slow"],
)
async def test_words_answer_when_meaning_is_not_to_be_had(database: Database, redis_url: str, embedder: FixedEmbedder) -> None:
    await publish(database, *ENTRIES)
    connection = RedisConnection.open(RedisOptions(redis_url))
    search = KnowledgeSearch(database, TOKENIZER, embedder=embedder, cache=Cache(connection), meaning_deadline_seconds=0.01)
    await search.prepare("T1")
    for _ in range(2):
        assert (await titles(search, "値引き"))[0] == PRICE_OBJECTION.title
    assert embedder.questions == 2, "a result without its meaning must not be kept"
    await search.close()
    await connection.close()


# Results are kept


async def test_results_are_kept_until_an_edit(database: Database, redis_url: str) -> None:
    await publish(database, *ENTRIES)
    connection, embedder = RedisConnection.open(RedisOptions(redis_url)), FixedEmbedder()
    await EmbeddingQueue(database, embedder).embed_pending()
    search = KnowledgeSearch(database, TOKENIZER, embedder=embedder, cache=Cache(connection), meaning_deadline_seconds=30)
    await search.prepare("T1")
    first = await search.search("値引き", actor=MEMBER)
    assert await search.search("値引き", actor=MEMBER) == first
    assert embedder.questions == 1
    await search.search("値引き", actor=MANAGER)
    assert embedder.questions == 2, "another scope is another result"
    await publish(database, replace(PRICE_OBJECTION, title="改めた題名"))
    assert "改めた題名" in await titles(search, "値引き")
    await search.close()
    await connection.close()
