"""Remarks on proposals, questions without names, clusters of questions, verdicts, snippets: the parts that only compute."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import BadRequest
from app.i18n.language import Language
from app.knowledge.entry import Category, Draft, Entry, Status
from app.knowledge.judgements.ranking import MOST, boost_of
from app.knowledge.proposals.draft import EntryDraft, as_entry, draft_of, tidied
from app.knowledge.proposals.remarks import remarks_on
from app.knowledge.requests.anonymous import anonymous, fingerprint_of
from app.knowledge.requests.clusters import Unanswered, clusters_of
from app.knowledge.respelling import slips_between
from app.knowledge.snippet import snippet_of
from app.knowledge.tokens import Tokenizer

TOKENIZER = Tokenizer()
JA, EN, ZH = Language.JAPANESE, Language.ENGLISH, Language.CHINESE


def standing(body: str, title: str = "別の題", language: Language = JA, entry_id: int = 1) -> Entry:
    draft = Draft(
        slug=f"s{entry_id}", title=title, body=body, category=Category.PRICING, language=language, updated_on=date(2026, 4, 1),
        tags=("価格",), scope="managers", owner_id="U_OWNER", review_on=date(2026, 3, 1),
    )  # fmt: skip
    return Entry(entry_id, draft, Status.PUBLISHED, 3, "U_AUTHOR", datetime(2026, 4, 1, tzinfo=UTC))


def proposed(body: str, title: str = "題", language: Language = JA, **more: object) -> EntryDraft:
    return EntryDraft(title, body, Category.PRICING, language, **more)  # type: ignore[arg-type]


# Remarks


@pytest.mark.parametrize(
    "ours, theirs, language",
    [
        ("20%を超える値引きには部長の承認が必要です。", "10％を超える値引きには、部長の承認が必要です。", JA),
        ("見積の有効期限は３０日です。", "見積の有効期限は60日とします。", JA),
        ("導入費用は1,200,000円です。", "導入費用は150万円です。導入費用は900,000円です。", JA),
        ("Discounts above 20% need the approval of the head.", "Discounts above 10 percent need approval by the head.", EN),
        ("超过20%的折扣需要部门经理批准。", "超过10%的折扣需要部门经理批准。", ZH),
    ],
)  # fmt: skip
def test_other_numbers_about_the_same_are_pointed_out(ours: str, theirs: str, language: Language) -> None:
    assert remarks_on(proposed(ours, language=language), [standing(theirs, language=language)], TOKENIZER).disagreements


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ("10%を超える値引きには部長の承認が必要です。", "10％を超える値引きには、部長の承認が必要です。"),
        ("値引きは10%までです。", "納期は通常20日です。"),
        ("訪問は3回までに決めます。", "見積の有効期限は30日です。"),
        ("値引きは10%までです。", "値引きの話は最後にします。"),
        ("費用は1,000円です。", "費用は1000円です。"),
    ],
)
def test_the_same_numbers_and_other_subjects_are_no_contradiction(ours: str, theirs: str) -> None:
    assert not remarks_on(proposed(ours), [standing(theirs)], TOKENIZER).disagreements


def test_nearly_the_same_text_or_the_same_title_is_a_duplicate_and_the_changed_entry_is_not() -> None:
    text = "展示会の来場者には、当日中にお礼のメールを送り、三日以内に電話をします。担当は会場で決めます。"
    assert remarks_on(proposed(text), [standing(text.replace("三日", "3日"))], TOKENIZER).near_duplicates == ((1, "別の題"),)
    assert remarks_on(proposed("短い", "値引き ルール"), [standing("別の内容", "値引きルール")], TOKENIZER).near_duplicates
    assert not remarks_on(proposed("名刺は五十音順に並べます。"), [standing(text)], TOKENIZER).near_duplicates
    assert remarks_on(proposed(text, changes=1), [standing(text)], TOKENIZER).is_empty


# Drafts


def test_a_draft_is_tidied_and_refused_when_it_says_nothing() -> None:
    draft = tidied(proposed("  本文 \r\n二行目 ", "  値引き\n の　ルール ", tags=("ｶｶｸ", "カカク", " ")))
    assert (draft.title, draft.body, draft.tags) == ("値引き の ルール", "本文 \n二行目", ("カカク",))
    for body, title in (("", "題"), ("本文", " \n "), ("本文", "題" * 151), ("本" * 50_001, "題")):
        with pytest.raises(BadRequest):
            tidied(proposed(body, title))


def test_a_draft_survives_being_stored() -> None:
    draft = proposed("本文", tags=("a", "b"), changes=3, base_version=2, request_id=9, url="https://example.com")
    assert (
        EntryDraft.from_json(draft.to_json()) == draft and EntryDraft.from_json(draft.to_json()).fingerprint == draft.fingerprint
    )


def test_a_change_keeps_what_is_not_part_of_it() -> None:
    before = standing("古い本文")
    after = as_entry(draft_of(before), slug="new", before=before, owner_id="U_BOSS", today=date(2026, 5, 1))
    assert (after.slug, after.scope, after.owner_id, after.review_on) == ("s1", "managers", "U_OWNER", None)
    new = as_entry(proposed("本文"), slug="new", before=None, owner_id="U_BOSS", today=date(2026, 5, 1))
    assert (new.slug, new.owner_id, new.updated_on) == ("new", "U_BOSS", date(2026, 5, 1))


# Questions without names


@pytest.mark.parametrize(
    "question, language, gone, kept",
    [
        ("田中さんと鈴木部長への値引きの返し方は？", JA, ("田中", "鈴木"), ("値引き", "部長")),
        ("<@U0KENTA> と @yoko に聞いた納期の件", JA, ("KENTA", "yoko"), ("納期",)),
        ("090-1234-5678 か taro@example.com に連絡していい？", JA, ("1234", "taro", "example.com"), ("連絡",)),
        ("ヤマモト様の稟議が止まっています", JA, ("ヤマモト",), ("稟議",)),
        ("購買部長とお客様に何を伝えますか", JA, (), ("購買部長", "お客様")),
        ("How do I answer Ms. Emily Clarke about the discount?", EN, ("Emily", "Clarke"), ("discount",)),
        ("I met John Smith, what now?", EN, ("John", "Smith"), ("met",)),
        ("请问王经理要求折扣怎么办", ZH, ("王经理",), ("折扣", "经理")),
        ("https://crm.example.com/deals/42 の案件", JA, ("crm", "42"), ("案件",)),
    ],
)  # fmt: skip
def test_who_asks_and_about_whom_does_not_stay(
    question: str, language: Language, gone: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    text = anonymous(question, language, TOKENIZER)
    assert not [name for name in gone if name in text], text
    assert not [word for word in kept if word not in text], text


def test_the_same_words_in_another_order_are_the_same_question() -> None:
    assert fingerprint_of("値引きの承認は誰ですか", TOKENIZER) == fingerprint_of("承認、値引は誰？", TOKENIZER)
    assert fingerprint_of("値引きの承認", TOKENIZER) != fingerprint_of("見積の承認", TOKENIZER)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=1_500), language=st.sampled_from(Language))
def test_any_text_can_be_made_anonymous_and_stays_short(text: str, language: Language) -> None:
    assert len(anonymous(text, language, TOKENIZER)) <= 500


# Clusters


def asked(text: str, asker: str, *, may_be_shown: bool = False) -> Unanswered:
    return Unanswered(text, JA, asker, may_be_shown)


def test_questions_about_the_same_are_one_cluster_the_most_asked_first() -> None:
    found = clusters_of(
        [asked("輸出規制の確認手順は？", "A"), asked("退職金の計算", "B"), asked("輸出規制の確認手順を教えてください", "C")],
        TOKENIZER,
    )
    assert [len(cluster.questions) for cluster in found] == [2, 1]


def test_a_private_question_of_one_person_is_never_shown() -> None:
    alone, together = clusters_of(
        [asked("退職金の計算", "B"), asked("退職金の計算は", "B"), asked("輸出規制の確認", "A"), asked("輸出規制を確認", "C")],
        TOKENIZER,
    )[::-1]
    assert alone.shown is None and together.shown is not None
    [open_one] = clusters_of([asked("退職金の計算", "B", may_be_shown=True), asked("退職金の計算は", "B")], TOKENIZER)
    assert open_one.shown is not None and open_one.shown.text == "退職金の計算"


# Verdicts


@given(helpful=st.integers(0, 100_000), unhelpful=st.integers(0, 100_000))
def test_verdicts_move_an_entry_by_little_and_in_their_direction(helpful: int, unhelpful: int) -> None:
    boost = boost_of(helpful=helpful, unhelpful=unhelpful)
    assert abs(boost) < MOST
    assert boost_of(helpful=helpful + 1, unhelpful=unhelpful) > boost > boost_of(helpful=helpful, unhelpful=unhelpful + 1)
    assert boost == pytest.approx(-boost_of(helpful=unhelpful, unhelpful=helpful))


def test_without_verdicts_nothing_moves_and_one_person_moves_little() -> None:
    assert boost_of(helpful=0, unhelpful=0) == 0
    assert abs(boost_of(helpful=1, unhelpful=0)) < 0.1


# Snippets


def test_a_snippet_begins_with_the_sentence_that_answers_and_marks_its_words() -> None:
    text = "はじめに。" * 60 + "値引きには部長の承認が必要です。" + "おわりに。" * 60
    pieces = snippet_of(text, {"値引き": 0, "承認": 1}, language=JA, tokenizer=TOKENIZER, length=100)
    assert [piece.text for piece in pieces if piece.is_match] == ["値引き", "承認"]
    assert "".join(piece.text for piece in pieces).startswith("…値引きには")


@pytest.mark.parametrize(
    "text, word, language, marked",
    [("Our discounts need approval", "discount", EN, "discounts"), ("超过10%的折扣需要批准", "折扣", ZH, "折扣"),
     ("ディスカウントの見積り", "見積もり", JA, "見積り")],
)  # fmt: skip
def test_words_are_marked_in_the_form_in_which_they_stand(text: str, word: str, language: Language, marked: str) -> None:
    words = dict.fromkeys(TOKENIZER.question_terms(word), 0)
    pieces = snippet_of(text, words, language=language, tokenizer=TOKENIZER, length=200)
    assert [piece.text for piece in pieces if piece.is_match] == [marked]
    assert "".join(piece.text for piece in pieces) == text


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300), words=st.lists(st.text(max_size=5), max_size=3), length=st.integers(1, 200))
def test_a_snippet_is_a_part_of_the_text(text: str, words: list[str], length: int) -> None:
    pieces = snippet_of(text, dict.fromkeys(words, 0), language=JA, tokenizer=TOKENIZER, length=length)
    assert len("".join(piece.text for piece in pieces)) <= length + 2


# Slips of the keyboard


@pytest.mark.parametrize(
    "one, other, slips",
    [("abcdef", "abcdef", 0), ("abcdef", "abcdfe", 1), ("abcdef", "abcde", 1), ("abcdef", "abXdef", 1), ("abcdef", "bacdfe", 2),
     ("abcdef", "abc", None), ("abcdef", "fedcba", None), ("ディスカンウト", "ディスカウント", 1)],
)  # fmt: skip
def test_slips_are_counted_up_to_a_bound(one: str, other: str, slips: int | None) -> None:
    assert slips_between(one, other, most=2) == slips == slips_between(other, one, most=2)


@given(one=st.text("abc", max_size=8), other=st.text("abc", max_size=8))
def test_a_bound_hides_nothing_below_it(one: str, other: str) -> None:
    exactly = slips_between(one, other, most=20)
    assert exactly is not None
    assert slips_between(one, other, most=1) == (exactly if exactly <= 1 else None)
