"""Writing knowledge: what stands afterwards, and that the index always tells the truth about it."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from app.core.errors import NotAllowed, NotFound
from app.knowledge.entry import Status, system_actor
from app.knowledge.library import BATCH, Library
from app.knowledge.repository import KnowledgeRepository
from app.knowledge.starter_library import load_starter_library
from app.storage.database import Database
from tests.with_services.knowledge_builders import MANAGER, MEMBER, PRICE_OBJECTION, TOKENIZER, draft, id_of, publish


async def test_saving_again_changes_only_what_is_different(database: Database) -> None:
    first = await publish(database, draft("a"), draft("b"))
    second = await publish(database, draft("a"), draft("b", body="新しい本文。"), draft("c"))
    assert first.created == ("a", "b")
    assert (second.created, second.changed, second.unchanged) == (("c",), ("b",), ("a",))


async def test_more_entries_than_one_transaction_takes_are_all_saved(database: Database) -> None:
    await publish(database, *(draft(f"e{number}") for number in range(BATCH * 2 + 3)))
    async with database.reading() as session:
        assert await KnowledgeRepository(session, "T1").count() == {Status.PUBLISHED: BATCH * 2 + 3}


async def test_every_version_is_kept_and_one_step_goes_back(database: Database) -> None:
    library = Library(database, TOKENIZER)
    await library.save([PRICE_OBJECTION], actor=MANAGER)
    await library.save([replace(PRICE_OBJECTION, body="毒の入った本文。")], actor=MANAGER)
    entry_id = await id_of(database, "price")
    entry = await library.roll_back(entry_id, to_version=1, actor=MANAGER)
    assert (entry.version, entry.draft.body) == (3, PRICE_OBJECTION.body)
    assert [former.version for former in await library.versions_of(entry_id, actor=MANAGER)] == [3, 2, 1]
    with pytest.raises(NotFound):
        await library.roll_back(entry_id, to_version=9, actor=MANAGER)


async def test_who_may_only_propose_cannot_publish_archive_or_replace(database: Database) -> None:
    library = Library(database, TOKENIZER)
    await library.save([PRICE_OBJECTION], actor=MANAGER)
    with pytest.raises(NotAllowed):
        await library.save([draft("mine")], actor=MEMBER)
    with pytest.raises(NotAllowed):
        await library.save([replace(PRICE_OBJECTION, body="改ざん。")], actor=MEMBER, status=Status.PROPOSED)
    await library.save([draft("mine")], actor=MEMBER, status=Status.PROPOSED)
    for slug in ("mine", "price"):
        entry_id = await id_of(database, slug)
        with pytest.raises(NotAllowed):
            await library.publish(entry_id, actor=MEMBER)
        with pytest.raises(NotAllowed):
            await library.archive(entry_id, actor=MEMBER)
    entry = await library.entry(await id_of(database, "price"), actor=MANAGER)
    assert (entry.draft.body, entry.status) == (PRICE_OBJECTION.body, Status.PUBLISHED)


async def test_another_workspace_sees_and_changes_nothing(database: Database) -> None:
    library = Library(database, TOKENIZER)
    await library.save([PRICE_OBJECTION], actor=MANAGER)
    entry_id = await id_of(database, "price")
    stranger = system_actor("T2")
    for attempt in (library.entry, library.publish, library.archive):
        with pytest.raises(NotFound):
            await attempt(entry_id, actor=stranger)
    assert await library.versions_of(entry_id, actor=stranger) == []
    await library.save([PRICE_OBJECTION], actor=stranger)
    assert await id_of(database, "price", "T2") != entry_id


async def test_the_index_is_exact_after_any_sequence_of_edits(database: Database) -> None:
    library, chance = Library(database, TOKENIZER), random.Random(7)
    words = ["価格", "値引き", "稟議", "決裁者", "競合", "納期", "保証", "見積もり"]
    for _ in range(60):
        slug = f"e{chance.randrange(8)}"
        body = "と".join(chance.choices(words, k=chance.randrange(1, 30))) + "。" + "長い説明。" * chance.choice([0, 0, 400])
        status = chance.choice([Status.PUBLISHED, Status.PUBLISHED, Status.ARCHIVED, Status.PROPOSED])
        await library.save([draft(slug, body=body)], actor=MANAGER, status=status)
        if chance.random() < 0.3:
            await library.publish(await id_of(database, slug), actor=MANAGER)
    await assert_index_is_exact(database, "T1")


async def test_writers_at_once_leave_an_exact_index(database: Database) -> None:
    await asyncio.gather(
        *(publish(database, *(draft(f"{writer}-{n}", body=f"価格の交渉{n}。") for n in range(10))) for writer in range(4)),
        *(publish(database, draft("shared", body=f"値引きの条件{writer}。")) for writer in range(4)),
    )
    await assert_index_is_exact(database, "T1")


async def test_an_archived_library_leaves_nothing_in_the_index(database: Database) -> None:
    library = Library(database, TOKENIZER)
    await library.save([PRICE_OBJECTION, draft("b")], actor=MANAGER)
    for slug in ("price", "b"):
        await library.archive(await id_of(database, slug), actor=MANAGER)
    async with database.reading() as session:
        assert await session.fetch_value("select count(*) from knowledge_terms") == 0
        assert await session.fetch_value("select count(*) from knowledge_postings") == 0
        assert tuple(await session.fetch_row("select chunks, terms from knowledge_state") or ()) == (0, 0)


async def test_the_starter_library_loads_and_loads_again_without_change(database: Database) -> None:
    library = Library(database, TOKENIZER)
    first = await load_starter_library(library, team_id="T1")
    second = await load_starter_library(library, team_id="T1")
    assert len(first.created) >= 7
    assert (second.created, second.changed, len(second.unchanged)) == ((), (), len(first.created))


async def assert_index_is_exact(database: Database, team_id: str) -> None:
    """Compares the index with one made afresh from the chunks."""
    async with database.reading() as session:
        chunks = await session.fetch(
            "select c.id, c.terms, c.counts, e.status from knowledge_chunks c join knowledge_entries e on e.id = c.entry_id "
            "where c.team_id = $1", team_id,
        )  # fmt: skip
        terms = dict(await session.fetch("select term, chunks from knowledge_terms where team_id = $1", team_id))
        rows = await session.fetch("select term, slot, packed from knowledge_postings where team_id = $1", team_id)
        state = await session.fetch_row("select chunks, terms from knowledge_state where team_id = $1", team_id)
    assert {chunk["status"] for chunk in chunks} <= {"published"}
    expected = {
        (term, chunk["id"], count, sum(chunk["counts"]))
        for chunk in chunks
        for term, count in zip(chunk["terms"], chunk["counts"], strict=True)
    }
    found = [(row["term"], number >> 24, number >> 16 & 255, number & 65535) for row in rows for number in row["packed"]]
    assert len(found) == len(set(found)) and set(found) == expected
    assert all(number >> 36 == row["slot"] for row in rows for number in row["packed"])
    assert terms == Counter(term for term, *_ in expected)
    assert state is not None
    assert tuple(state) == (len(chunks), sum(sum(chunk["counts"]) for chunk in chunks))
