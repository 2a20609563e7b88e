"""Verdicts, synonyms, proposals and notices on the real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.assistant.decide_proposal import DecideProposal, DecisionOutcome
from app.assistant.judge_knowledge import JudgeKnowledge
from app.assistant.propose_knowledge import MOST_WAITING, ProposeKnowledge
from app.assistant.request_knowledge import RequestKnowledge
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.core.encryption import Cipher
from app.core.errors import NotAllowed, NotFound, TooManyRequests
from app.i18n.language import Language
from app.knowledge.entry import Category, system_actor
from app.knowledge.judgements.repository import Judgement
from app.knowledge.library import Library
from app.knowledge.notices.notice import NoticeKind
from app.knowledge.notices.repository import LEFT_ALONE_FOR, NoticeRepository
from app.knowledge.proposals.draft import EntryDraft, ProposalStatus
from app.knowledge.search import KnowledgeSearch
from app.knowledge.synonyms.thesaurus import SynonymsFile
from app.people.person import Actor, Standing
from app.storage.database import Database
from tests.unit.knowledge.clock import HandClock
from tests.with_services.knowledge_builders import MANAGER, MEMBER, TOKENIZER, draft, id_of, publish

CIPHER = Cipher({"k": b"k" * 32})
OWNER = Actor("T1", "U_OWNER", Standing.OWNER)
GUEST = Actor("T1", "U_GUEST", is_external=True)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
TEXT = EntryDraft("展示会の割引", "展示会の来場者には初月を無料にします。", Category.PRICING, Language.JAPANESE)


@pytest.fixture
def propose(database: Database) -> ProposeKnowledge:
    return ProposeKnowledge(database=database, cipher=CIPHER, clock=HandClock())


@pytest.fixture
def decide(database: Database) -> DecideProposal:
    return DecideProposal(database=database, cipher=CIPHER, library=Library(database, TOKENIZER), clock=HandClock())


async def titles(database: Database, text: str, actor: Actor = MEMBER, **options: object) -> list[str]:
    search = KnowledgeSearch(database, TOKENIZER, **options)  # type: ignore[arg-type]
    return [passage.title for passage in await search.search(text, actor=actor)]


# Verdicts


async def test_verdicts_change_the_order_of_entries_that_fit_equally_well(database: Database) -> None:
    same = "見積書は三つの案を並べて提出します。"
    await publish(
        database, draft("a", "案の出し方 甲", same), draft("b", "案の出し方 乙", same), draft("c", "名刺", "名刺を渡す。")
    )
    first, second = await titles(database, "見積書の案")
    judge = JudgeKnowledge(database)
    worst = await id_of(database, {"案の出し方 甲": "a", "案の出し方 乙": "b"}[first])
    assert await judge(worst, actor=MEMBER, verdict=Judgement.UNHELPFUL)
    assert await titles(database, "見積書の案") == [second, first]
    assert await judge(worst, actor=MEMBER, verdict=None)
    assert await titles(database, "見積書の案") == [first, second]


async def test_no_number_of_verdicts_moves_an_entry_that_hardly_fits_to_the_top(database: Database) -> None:
    await publish(
        database, draft("fits", "値引きの承認", "値引きの承認は部長が行います。値引きの申請書を出します。"),
        draft("hardly", "名刺の渡し方", "名刺は両手で渡します。承認は要りません。"), draft("not", "席次", "上座へ案内します。"),
    )  # fmt: skip
    entry = await id_of(database, "hardly")
    for number in range(30):
        await JudgeKnowledge(database)(entry, actor=Actor("T1", f"U{number}"), verdict=Judgement.HELPFUL)
    assert (await titles(database, "値引きの承認"))[0] == "値引きの承認"


async def test_one_person_has_one_verdict_however_often_they_click(database: Database) -> None:
    await publish(database, draft("a", "値引き", "値引きは部長が決めます。"))
    entry = await id_of(database, "a")
    for _ in range(5):
        await asyncio.gather(*(JudgeKnowledge(database)(entry, actor=MEMBER, verdict=Judgement.HELPFUL) for _ in range(4)))
    async with database.reading() as session:
        assert await session.fetch_value("select count(*) from knowledge_feedback") == 1
        assert await session.fetch_value("select boost from knowledge_entries") == pytest.approx(0.075)


async def test_nobody_judges_what_they_may_not_see(database: Database) -> None:
    await publish(database, draft("secret", "限界価格", "下限は八掛けです。", scope="managers"))
    await publish(database, draft("theirs", "値引き", "値引きは部長が決めます。"), team_id="T2")
    judge = JudgeKnowledge(database)
    assert not await judge(await id_of(database, "secret"), actor=MEMBER, verdict=Judgement.UNHELPFUL)
    assert not await judge(await id_of(database, "theirs", "T2"), actor=MEMBER, verdict=Judgement.UNHELPFUL)
    assert not await judge(await id_of(database, "secret"), actor=GUEST, verdict=Judgement.UNHELPFUL)
    assert await judge(await id_of(database, "secret"), actor=MANAGER, verdict=Judgement.UNHELPFUL)


async def test_verdicts_and_hidden_entries_make_remembered_results_void(database: Database, redis_url: str) -> None:
    redis = RedisConnection.open(RedisOptions(redis_url))
    cache = Cache(redis)
    await publish(database, draft("a", "値引き", "値引きは部長が決めます。"))
    entry = await id_of(database, "a")
    assert await titles(database, "値引き", cache=cache) == ["値引き"]
    await JudgeKnowledge(database)(entry, actor=MEMBER, verdict=Judgement.HIDDEN)
    assert await titles(database, "値引き", cache=cache) == []
    assert await titles(database, "値引き", MANAGER, cache=cache) == ["値引き"]
    await redis.close()


async def test_people_from_outside_find_nothing(database: Database) -> None:
    await publish(
        database, draft("a", "値引き", "値引きは部長が決めます。"), draft("b", "値引き", "値引き", scope="person:U_GUEST")
    )
    assert await titles(database, "値引き", GUEST) == []


# Synonyms


async def test_a_synonym_is_found_and_counts_as_the_word_itself(database: Database, tmp_path: Path) -> None:
    others = [draft(f"o{number}", f"題{number}", f"名刺と席次と訪問の作法その{number}。") for number in range(12)]
    await publish(database, draft("d", "ディスカウント規程", "ディスカウントは部長が決めます。"), *others)
    assert await titles(database, "値引きの規程") == ["ディスカウント規程"]
    assert await titles(database, "値引き") == []
    path = tmp_path / "synonyms.txt"
    path.write_text("値引き = ディスカウント", encoding="utf-8")
    file = SynonymsFile(path, TOKENIZER)
    search = KnowledgeSearch(database, TOKENIZER, synonyms=file)
    [passage] = await search.search("値引き", actor=MEMBER)
    assert passage.title == "ディスカウント規程" and passage.is_strong
    [pieces] = await search.snippets("値引き", [passage], length=100)
    assert [piece.text for piece in pieces if piece.is_match] == ["ディスカウント"]


@pytest.mark.parametrize("typed", ["ディスカンウト", "ディスカント", "ディスカウンと", "discuont approvals"])
async def test_a_slip_of_the_keyboard_is_mended_when_nothing_else_is_found(database: Database, typed: str) -> None:
    others = [draft(f"o{number}", f"題{number}", f"名刺と席次と訪問の作法その{number}。") for number in range(12)]
    english = draft("e", "Discount approval", "Discounts need approval.", language=Language.ENGLISH)
    await publish(database, draft("d", "ディスカウント規程", "ディスカウントは部長が決めます。"), english, *others)
    assert (await titles(database, typed))[:1] == ["Discount approval" if typed.isascii() else "ディスカウント規程"]
    assert await titles(database, "ディストピア") == []


# Proposals


async def test_the_same_proposal_twice_is_one_and_too_many_are_refused(propose: ProposeKnowledge) -> None:
    first, second = await asyncio.gather(propose(MEMBER, TEXT), propose(MEMBER, TEXT))
    assert first.proposal_id == second.proposal_id
    for number in range(MOST_WAITING - 1):
        await propose(MEMBER, EntryDraft(f"題{number}", "本文", Category.PRICING, Language.JAPANESE))
    with pytest.raises(TooManyRequests):
        await propose(MEMBER, EntryDraft("もう一つ", "本文", Category.PRICING, Language.JAPANESE))


async def test_guests_propose_nothing_and_members_decide_nothing(propose: ProposeKnowledge, decide: DecideProposal) -> None:
    with pytest.raises(NotAllowed):
        await propose(GUEST, TEXT)
    proposal = await propose(MEMBER, TEXT)
    for actor in (MEMBER, GUEST, Actor("T1", "U_BOSS", Standing.OWNER, is_external=True)):
        with pytest.raises(NotAllowed):
            await decide.approve(actor, proposal.proposal_id)
        with pytest.raises(NotAllowed):
            await decide.refuse(actor, proposal.proposal_id)


async def test_of_many_decisions_at_once_exactly_one_counts(
    database: Database, propose: ProposeKnowledge, decide: DecideProposal
) -> None:
    proposal = await propose(MEMBER, TEXT)
    decisions = await asyncio.gather(
        *(decide.approve(OWNER, proposal.proposal_id) for _ in range(4)),
        *(decide.refuse(MANAGER, proposal.proposal_id, reason="重複") for _ in range(4)),
    )
    assert sorted(decision.outcome for decision in decisions) == [DecisionOutcome.DONE] + [DecisionOutcome.TOO_LATE] * 7
    assert len({decision.proposal.status for decision in decisions}) == 1
    is_approved = decisions[0].proposal.status is ProposalStatus.APPROVED
    assert (await titles(database, "展示会の来場者") != []) is is_approved


async def test_a_change_of_a_text_that_has_changed_since_is_not_published_unseen(
    database: Database, propose: ProposeKnowledge, decide: DecideProposal
) -> None:
    await publish(database, draft("a", "値引き", "値引きは部長が決めます。"))
    entry = await id_of(database, "a")
    change = EntryDraft("値引き", "値引きは課長が決めます。", Category.PRICING, Language.JAPANESE, changes=entry, base_version=1)
    proposal = await propose(MEMBER, change)
    await publish(database, draft("a", "値引き", "値引きは社長が決めます。"))
    assert (await decide.approve(OWNER, proposal.proposal_id)).outcome is DecisionOutcome.OUTDATED
    assert await titles(database, "社長") == ["値引き"]
    assert (await decide.approve(OWNER, proposal.proposal_id, edited=change)).outcome is DecisionOutcome.DONE
    assert await titles(database, "課長") == ["値引き"] and await titles(database, "社長") == []


async def test_a_proposal_of_another_workspace_is_not_there(propose: ProposeKnowledge, decide: DecideProposal) -> None:
    proposal = await propose(Actor("T2", "U1"), TEXT)
    for wrong in (proposal.proposal_id, "no such id", "1; drop table inbox"):
        with pytest.raises(NotFound):
            await decide.approve(OWNER, wrong)


async def test_what_is_proposed_is_not_readable_in_the_database(database: Database, propose: ProposeKnowledge) -> None:
    await propose(MEMBER, TEXT)
    async with database.reading() as session:
        stored = bytes(await session.fetch_value("select content from knowledge_proposals"))
    assert "展示会".encode() not in stored


# Requests and notices


async def test_asking_for_the_same_again_counts_people_and_tells_owners_once(database: Database) -> None:
    ask = RequestKnowledge(database=database, cipher=CIPHER, tokenizer=TOKENIZER, clock=HandClock())
    for actor in (MEMBER, MEMBER, MANAGER):
        request = await ask(actor, "田中さん、輸出規制の確認は？", language=Language.JAPANESE)
    assert request.times_asked == 2 and "田中" not in request.question
    async with database.reading() as session:
        assert await session.fetch_value("select count(*) from knowledge_notices where kind = 'request'") == 1
    with pytest.raises(NotAllowed):
        await ask(GUEST, "輸出規制", language=Language.JAPANESE)
    with pytest.raises(NotAllowed):
        await ask.open_ones(MEMBER)


async def test_a_notice_is_taken_by_one_worker_and_again_when_that_one_is_gone(database: Database) -> None:
    async with database.transaction() as session:
        notices = NoticeRepository(session)
        assert await notices.add("T1", NoticeKind.GAPS, "2026-W14", to=["U1", "U1", "U2"], at=NOW) == 2
        assert await notices.add("T1", NoticeKind.GAPS, "2026-W14", to=["U1"], at=NOW) == 0

    async def take(at: datetime) -> list[int]:
        async with database.transaction() as session:
            return [notice.epoch for notice in await NoticeRepository(session).take(at, limit=10)]

    taken = await asyncio.gather(*(take(NOW) for _ in range(5)))
    assert sorted(epoch for epochs in taken for epoch in epochs) == [1, 1]
    assert await take(NOW + timedelta(minutes=1)) == []
    assert await take(NOW + LEFT_ALONE_FOR + timedelta(seconds=1)) == [2, 2]


async def test_saving_again_by_import_stays_possible_for_what_people_wrote(
    database: Database, propose: ProposeKnowledge, decide: DecideProposal
) -> None:
    proposal = await propose(MEMBER, TEXT)
    decided = await decide.approve(OWNER, proposal.proposal_id)
    library = Library(database, TOKENIZER)
    assert decided.proposal.entry_id is not None
    entry = await library.entry(decided.proposal.entry_id, actor=OWNER)
    assert (entry.author_id, entry.draft.owner_id, entry.version) == ("U_MEMBER", "U_OWNER", 1)
    assert (await library.save([entry.draft], actor=system_actor("T1"))).unchanged == (entry.draft.slug,)
