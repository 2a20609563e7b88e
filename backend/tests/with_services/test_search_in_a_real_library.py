"""A company's own documents among the starter library, asked in other words and in other languages, with the default local model.

The questions and what answers them stand in ``real_library_questions.py``. Right is: the answering entry is among the first three
and strong; or, where there is no answer, nothing that is given is strong.
"""

from collections.abc import AsyncIterator, Sequence

import pytest

from app.embeddings.local import LocalEmbedder
from app.embeddings.prepared import PreparedEmbedder
from app.knowledge.embedding_queue import EmbeddingQueue
from app.knowledge.library import Library
from app.knowledge.search import KnowledgeSearch
from app.knowledge.starter_library import load_starter_library
from app.storage.database import Database
from tests.with_services.knowledge_builders import MEMBER, TOKENIZER, publish
from tests.with_services.real_library_questions import COMPANY, FOR_TUNING, HELD_OUT, MINIMUM, PRICES, REFUND, YEARLY, Asked

FIRST, GIVEN = 3, 5


@pytest.fixture(scope="module")
async def embedder() -> AsyncIterator[PreparedEmbedder]:
    remembering = PreparedEmbedder(LocalEmbedder(core_share=1))
    await remembering.prepare()
    yield remembering
    await remembering.close()


@pytest.fixture
async def search(database: Database, embedder: PreparedEmbedder) -> AsyncIterator[KnowledgeSearch]:
    await load_starter_library(Library(database, TOKENIZER), team_id=MEMBER.team_id)
    await publish(database, *COMPANY)
    await EmbeddingQueue(database, embedder).embed_pending(limit=1_000)
    knowledge = KnowledgeSearch(database, TOKENIZER, embedder=embedder, meaning_deadline_seconds=60)
    await knowledge.prepare(MEMBER.team_id)
    yield knowledge
    await knowledge.close()


async def missed(search: KnowledgeSearch, database: Database, questions: Sequence[Asked]) -> list[str]:
    async with database.reading() as session:
        slugs = dict(await session.fetch("select id, slug from knowledge_entries where team_id = $1", MEMBER.team_id))
    wrong = []
    for asked in questions:
        passages = await search.search(asked.text, actor=MEMBER, limit=GIVEN)
        if asked.answers:
            is_right = any(slugs[one.entry_id] in asked.answers and one.is_strong for one in passages[:FIRST])
        else:
            is_right = not any(one.is_strong for one in passages)
        if not is_right:
            wrong.append(asked.text)
    return wrong


def share(wrong: Sequence[str], of: Sequence[Asked]) -> float:
    return sum(one.text not in wrong for one in of) / len(of)


# What is reached, with room for one question where they were held out: 20 and 19 of 28 are answered (before the languages were
# measured by themselves 9 and 10), and 7 and 9 of 10 are not found, as they should not be.
@pytest.mark.parametrize(
    ("questions", "answered", "not_found"), [(FOR_TUNING, 0.71, 0.6), (HELD_OUT, 0.64, 0.8)], ids=["tuned for", "held out"]
)
async def test_what_the_company_wrote_is_found_in_other_words_and_from_other_languages(
    search: KnowledgeSearch, database: Database, questions: Sequence[Asked], answered: float, not_found: float
) -> None:
    wrong = await missed(search, database, questions)
    assert share(wrong, [one for one in questions if one.answers]) >= answered, wrong
    assert share(wrong, [one for one in questions if not one.answers]) >= not_found, wrong


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Can customers get their money back if they cancel early?", REFUND),
        ("Is there a discount if we sign for a year?", YEARLY),
        ("What is the minimum number of licenses?", MINIMUM),
        ("解約したときのお金の扱いは？", REFUND),
    ],
)
async def test_the_companys_own_answer_comes_first(
    search: KnowledgeSearch, database: Database, question: str, answer: str
) -> None:
    async with database.reading() as session:
        slugs = dict(await session.fetch("select id, slug from knowledge_entries where team_id = $1", MEMBER.team_id))
    first = (await search.search(question, actor=MEMBER))[0]
    assert (slugs[first.entry_id], first.is_strong) == (answer, True)


async def test_a_fresh_entry_does_not_wait_behind_a_library_and_is_found_by_the_first_question(
    database: Database, embedder: PreparedEmbedder
) -> None:
    await load_starter_library(Library(database, TOKENIZER), team_id=MEMBER.team_id)
    await publish(database, *PRICES)
    await EmbeddingQueue(database, embedder).embed_pending(limit=len(PRICES))
    knowledge = KnowledgeSearch(database, TOKENIZER, embedder=embedder, meaning_deadline_seconds=60)
    await knowledge.prepare("T_OTHER")
    assert await missed(knowledge, database, [Asked("Can customers get their money back if they cancel early?", (REFUND,))]) == []
    await knowledge.close()
