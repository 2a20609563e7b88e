"""Importing on a real database: again and again, by several people, and back."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.assistant.import_knowledge import MOST_PROPOSED, ImportKnowledge, Upload, save_all
from app.assistant.propose_knowledge import ProposeKnowledge
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import NotAllowed
from app.i18n.language import Language
from app.knowledge.entry import system_actor
from app.knowledge.importing.files import files_in, read_file
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.storage.database import Database
from tests.doubles.files import claiming, price_faq, word_file
from tests.with_services.knowledge_builders import MANAGER, MEMBER, TOKENIZER


class Days(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 1, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@pytest.fixture
def clock() -> Days:
    return Days()


@pytest.fixture
def importing(database: Database, clock: Days) -> ImportKnowledge:
    library = Library(database, TOKENIZER, clock)
    cipher = Cipher({"k": b"k" * 32})
    return ImportKnowledge(
        database=database, library=library, propose=ProposeKnowledge(database=database, cipher=cipher, clock=clock), clock=clock
    )


def csv(*rows: tuple[str, str]) -> Upload:
    return Upload("faq.csv", "\n".join(["質問,回答", *(",".join(row) for row in rows)]).encode())


async def entries(database: Database) -> list[tuple[str, str, int, date]]:
    async with database.reading() as session:
        rows = await session.fetch(
            "select title, body, version, updated_on from knowledge_entries"
            " where team_id = 'T1' and status = 'published' order by id"
        )
    return [tuple(row.values()) for row in rows]


async def bring(importing: ImportKnowledge, clock: Days, upload: Upload, *, actor=MANAGER):  # type: ignore[no-untyped-def]
    return await importing(upload, actor=actor, language=Language.JAPANESE, since=clock.now())


async def test_the_same_file_on_another_day_changes_nothing(database: Database, importing: ImportKnowledge, clock: Days) -> None:
    upload = csv(("返品は？", "三十日以内です。"), ("支払いは？", "月末です。"))
    first = await bring(importing, clock, upload)
    before = await entries(database)
    clock.time += timedelta(days=3)
    second = await bring(importing, clock, upload)
    assert (len(first.created), second.created, second.changed, second.unchanged) == (2, (), (), 2)
    assert await entries(database) == before
    assert {updated_on for *_, updated_on in before} == {date(2026, 4, 1)}


async def test_what_is_new_in_a_file_is_changed_and_dated_today(
    database: Database, importing: ImportKnowledge, clock: Days
) -> None:
    await bring(importing, clock, csv(("返品は？", "三十日以内です。"), ("支払いは？", "月末です。")))
    clock.time += timedelta(days=3)
    result = await bring(
        importing, clock, csv(("返品は？", "十四日以内です。"), ("支払いは？", "月末です。"), ("保証は？", "一年です。"))
    )
    assert (result.created, result.changed, result.unchanged) == (("保証は？",), ("返品は？",), 1)
    assert ("返品は？", "十四日以内です。", 2, date(2026, 4, 4)) in await entries(database)


async def test_an_interrupted_import_reports_all_of_its_work(database: Database, importing: ImportKnowledge, clock: Days) -> None:
    begun = clock.now()
    upload = csv(("返品は？", "三十日以内です。"), ("支払いは？", "月末です。"))
    await bring(importing, clock, upload)  # this worker died before it could report
    clock.time += timedelta(seconds=30)
    again = await importing(upload, actor=MANAGER, language=Language.JAPANESE, since=begun)
    assert len(again.created) == 2 and again.unchanged == 0


async def test_a_bad_file_changes_nothing(database: Database, importing: ImportKnowledge, clock: Days) -> None:
    bad = [
        Upload("bomb.docx", claiming(word_file("<w:p/>"), size=4_000_000_000)),
        Upload("faq.csv", "質問,回答\n返品は？,三十日です。\n支払いは？,\n".encode()),
    ]
    results = [await bring(importing, clock, upload) for upload in bad]
    assert [result.problem.reason for result in results if result.problem] == ["bomb", "row_incomplete"]
    assert await entries(database) == []


async def test_undoing_leaves_alone_what_others_have_changed_since(
    database: Database, importing: ImportKnowledge, clock: Days
) -> None:
    result = await bring(importing, clock, csv(("返品は？", "三十日以内です。"), ("支払いは？", "月末です。")))
    clock.time += timedelta(minutes=5)
    await bring(importing, clock, csv(("返品は？", "十四日以内です。"), ("支払いは？", "月末です。")))
    assert result.since and result.until
    undone = await importing.undo(result.slug, author_id=MANAGER.user_id, since=result.since, until=result.until, actor=MANAGER)
    assert (undone.archived, undone.restored) == (1, 0)
    assert [(title, body) for title, body, *_ in await entries(database)] == [("返品は？", "十四日以内です。")]


async def test_undoing_belongs_to_those_who_publish_and_to_their_workspace(
    database: Database, importing: ImportKnowledge, clock: Days
) -> None:
    result = await bring(importing, clock, csv(("返品は？", "三十日以内です。")))
    wish = {"author_id": MANAGER.user_id, "since": result.since, "until": result.until}
    with pytest.raises(NotAllowed):
        await importing.undo(result.slug, actor=MEMBER, **wish)
    await importing.undo(result.slug, actor=system_actor("T2"), **wish)
    assert len(await entries(database)) == 1


async def test_a_members_file_is_proposed_and_not_found(database: Database, importing: ImportKnowledge, clock: Days) -> None:
    result = await bring(importing, clock, csv(("返品は？", "三十日以内です。")), actor=MEMBER)
    assert result.proposed == ("返品は？",) and await entries(database) == []
    many = csv(*((f"質問その{number}は？", "はい。") for number in range(MOST_PROPOSED + 1)))
    refused = await bring(importing, clock, many, actor=MEMBER)
    assert refused.problem is not None and refused.problem.reason == "too_many_to_propose"


async def test_a_folder_of_all_kinds_is_found_by_words_at_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "価格.docx").write_bytes(price_faq())
    (tmp_path / "規程.md").write_text("# 値引きの承認\n\n部長が承認します。\n", encoding="utf-8")
    (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04")
    results = [await read_file(file, root=tmp_path) for file in files_in(tmp_path)]
    library = Library(database, TOKENIZER)
    saved = await save_all(database, library, results, actor=system_actor("T1"))
    again = await save_all(database, library, results, actor=system_actor("T1"))
    assert (len(saved.created), len(again.unchanged), again.created) == (5, 5, ())
    search = KnowledgeSearch(database, TOKENIZER)
    found = await search.search("年間契約の割引は？", actor=MEMBER)
    await search.close()
    assert found[0].title == "年間契約にすると割引はありますか？" and found[0].source == "価格.docx"
