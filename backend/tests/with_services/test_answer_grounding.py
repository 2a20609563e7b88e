"""The measure of what answers rest on, tried on entries nobody has: it must see what is right, and what would be wrong."""

from collections.abc import AsyncIterator

import pytest

from app.i18n.language import Language
from app.knowledge.search import KnowledgeSearch
from app.storage.database import Database
from benchmarks.grounding import Coach, Grounding, coach
from tests.with_services.knowledge_builders import TOKENIZER, draft, publish

ENTRIES = {
    "discount": ("値引きの承認", "値引きの承認は課長が行います。五パーセントを超える値引きは部長の承認も要ります。"),
    "quote": ("見積の有効期限", "見積の有効期限は三十日です。期限が切れたら新しい見積を作り直します。"),
    "renewal": ("契約更新の連絡", "契約更新の連絡は満了の九十日前に始めます。"),
    "invoice": ("請求書の締め日", "請求書の締め日は月末で、翌月の十日までに送ります。"),
}


@pytest.fixture
async def asked(database: Database, redis_url: str) -> AsyncIterator[Coach]:
    drafts = [draft(slug, title, body, source=slug) for slug, (title, body) in ENTRIES.items()]
    await publish(database, *drafts)
    async with coach(database, redis_url, KnowledgeSearch(database, TOKENIZER), team_id="T1") as opened:
        yield opened


@pytest.mark.parametrize(
    "question, right",
    [
        ("値引きの承認は誰が行いますか？", "discount"),
        ("見積の有効期限は何日ですか？", "quote"),
        ("契約更新の連絡はいつ始めますか？", "renewal"),
    ],
)
async def test_the_right_entry_is_given_and_only_what_was_given_is_cited(asked: Coach, question: str, right: str) -> None:
    answer = await asked.ask(question, language=Language.JAPANESE)
    assert right in answer.given
    assert set(answer.cited) == set(answer.given)
    assert (answer.wrong_citations, answer.lost_citations, answer.is_by_rules) == (0, 0, False)
    assert "ほかにもあります" in answer.text, "what the model said about things it was not given is read, without its numbers"


async def test_for_a_foreign_question_nothing_is_given_and_nothing_cited(asked: Coach) -> None:
    answer = await asked.ask("火星の衛星の名前を知っていますか？", language=Language.JAPANESE)
    assert (answer.given, answer.cited, answer.wrong_citations) == ((), (), 0)
    assert "99" not in answer.text


def test_the_measure_sees_wrong_and_lost_citations() -> None:
    given = ("discount", "quote")
    right = Grounding(given, ("quote", "discount"), "「quote」による[1]。「discount」による[2]。同じです[2][1]。")
    assert (right.wrong_citations, right.lost_citations) == (0, 0)
    foreign = Grounding(given, ("quote", "discount", "invoice"), "「quote」による[1]。「discount」による[2]。別の話[3]。")
    assert foreign.wrong_citations == 1
    nowhere = Grounding(given, ("quote", "discount"), "「quote」による[1]。「discount」による[2]。別の話【3】［1, 9］。")
    assert nowhere.wrong_citations == 2
    swapped = Grounding(given, ("discount", "quote"), "「quote」による[1]。「discount」による[2]。")
    assert swapped.wrong_citations == 2
    assert Grounding(given, ("quote",), "「quote」による[1]。").lost_citations == 1
