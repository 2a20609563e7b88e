"""Without a model the coach is still a coach: sourced, concrete, and never a parrot."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coaching.extract import points_about, saying_about
from app.coaching.offline_coach import answer_by_rules
from app.coaching.remark import Remark
from app.coaching.skills import SKILLS
from app.coaching.wording import find_faults
from app.dialogue.turn import Turn, TurnRole
from app.i18n.language import Language
from app.i18n.messages import message
from tests.unit.coaching.passages import DISCOUNT, VALUE, a_passage

QUESTION = "値引きを求められたら、どう返せばいいですか？"
JA = Language.JAPANESE


def a_talk(*answers: str, skill: str = "negotiation") -> list[Turn]:
    return [
        turn for text in answers for turn in (Turn(TurnRole.SPEAKER, QUESTION, "U1"), Turn(TurnRole.COACH, text, "U1", skill))
    ]


def answer(question: str = QUESTION, remark: Remark = Remark.QUESTION, **changes: object) -> str:
    values: dict[str, object] = {"skill": "negotiation", "language": JA, "turns": (), "passages": (DISCOUNT, VALUE), **changes}
    return answer_by_rules(question, remark=remark, **values)  # type: ignore[arg-type]


def bullets(text: str) -> list[str]:
    return re.findall(r"^(?:- |\d\. )(.+)$", text, re.MULTILINE)


def test_an_answer_cites_says_a_sentence_and_asks_one_question() -> None:
    text = answer()
    assert bullets(text)[0] == "値引きを求められたら、まず比べている対象と理由を尋ねます。 [1]"
    assert 2 <= len(bullets(text)) <= 3
    assert any(bullet.endswith("[2]") for bullet in bullets(answer("値引きと価格の話は、どう返せばいいですか？")))
    assert text.splitlines()[-1].startswith("> 「")
    assert text.index("か。") < text.index(bullets(text)[0]), "a thought of their own comes before advice"
    assert "[9]" not in text, "numbers inside the material are no citations"


def test_more_of_the_same_goes_deeper_and_repeats_nothing() -> None:
    told = [answer()]
    for _ in range(3):
        told.append(answer("もう少し具体的に", Remark.FOLLOW_UP, turns=a_talk(*told)))
    knowledge = [bullet for text in told for bullet in bullets(text) if bullet.endswith("]")]
    assert len(knowledge) == len(set(knowledge)) >= 4
    assert message("coach.answer.deeper_knowledge", JA) in told[1]
    assert bullets(told[1])[0].endswith("[1]")
    assert len(set(told)) == 4
    assert all(bullets(text) for text in told)
    assert message("coach.answer.nothing_new", JA) in told[-1]


def test_without_knowledge_it_says_so_and_still_helps() -> None:
    text = answer(passages=())
    assert text.startswith(message("coach.answer.not_found", JA))
    assert "社内ナレッジには見つかりませんでした" in text
    assert len(bullets(text)) == 3
    assert not re.search(r"\[\d", text)
    again = answer("ほかの客でも値引きを言われます", passages=(), turns=a_talk(text))
    assert not set(bullets(again)) & set(bullets(text))


@pytest.mark.parametrize("remark", [Remark.GREETING, Remark.THANKS, Remark.NOD, Remark.SUCCESS])
@pytest.mark.parametrize("language", list(Language))
def test_greetings_and_thanks_are_answered_in_kind(remark: Remark, language: Language) -> None:
    assert answer("hi", remark, language=language) == message(f"coach.answer.{remark}", language)


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("language", list(Language))
def test_every_skill_answers_every_stage_in_every_language(skill: str, language: Language) -> None:
    told: list[str] = []
    for remark in (Remark.QUESTION, Remark.FOLLOW_UP, Remark.FOLLOW_UP, Remark.QUESTION):
        told.append(answer("?!x", remark, skill=skill, language=language, passages=(), turns=a_talk(*told, skill=skill)))
        assert len(bullets(told[-1])) >= 3
    assert len(set(told)) >= 3


@given(st.lists(st.text(max_size=120), max_size=4), st.text(max_size=60), st.sampled_from(list(Remark)))
def test_only_given_passages_are_cited_whatever_they_say(texts: list[str], question: str, remark: Remark) -> None:
    text = answer(question, remark, passages=[a_passage(text) for text in texts])
    assert all(1 <= int(number) <= len(texts) for bullet in bullets(text) for number in re.findall(r" \[(\d+)\]$", bullet))
    assert text.strip()


def test_points_are_whole_sentences_without_decoration() -> None:
    points = points_about("値引きの承認", [DISCOUNT], said="x")
    assert "5%を超える値引きは課長の承認が必要です。" in [point.text for point in points]
    assert not any(point.text.startswith(("#", "-")) or point.text.endswith("？") for point in points)
    english = a_passage("Ask why first. Never answer with a number! 1. Trade a discount for a longer term.")
    assert "Trade a discount for a longer term." in [point.text for point in points_about("discount", [english])]


def test_a_quotation_is_never_cut_in_two() -> None:
    said = "「社内で確かめます。金曜までにご返事します」と伝えてから持ち帰ります。"
    points = points_about("値引きをどう持ち帰る？", [a_passage(f"値引きはその場で決めません。{said}")])
    assert [point.text for point in points] == ["値引きはその場で決めません。", said]


@pytest.mark.parametrize("most", [1, 3, 5])
def test_no_more_advice_than_the_person_wants(most: int) -> None:
    for passages in ((), (DISCOUNT, VALUE)):
        assert 1 <= len(bullets(answer(passages=passages, most=most))) <= most


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("language", list(Language))
def test_an_answer_keeps_to_the_wording_rules(skill: str, language: Language) -> None:
    told: list[str] = []
    for remark in (Remark.QUESTION, Remark.FOLLOW_UP, Remark.QUESTION):
        told.append(answer("?!x", remark, skill=skill, language=language, passages=(), turns=a_talk(*told, skill=skill)))
        assert find_faults(told[-1], language, most_steps=3) == []
        assert len(told[-1]) <= (900 if language is Language.ENGLISH else 450), "longer than a screen of a phone"


@pytest.mark.parametrize(
    "heading", ["避けること", "言ってはいけないこと", "Avoid", "Do not", "Common mistakes", "不要做的", "常见的毛病"]
)
def test_what_not_to_do_is_never_given_as_advice(heading: str) -> None:
    text = f"まず理由を尋ねます。\n\n## {heading}\n\n- その場で値引きの数字を答える。\n\n## 次に\n\n条件と交換します。"
    points = [point.text for point in points_about("値引きの数字", [a_passage(text)], said="x", most=9)]
    assert points == ["まず理由を尋ねます。", "条件と交換します。"]
    below = a_passage("- その場で値引きの数字を答える。", heading=f"値引き › {heading}")
    assert points_about("値引きの数字", [below]) == []


@pytest.mark.parametrize("heading", ["送る文面", "会話の例", "Template", "Worked example", "邮件正文"])
def test_a_sentence_out_of_a_letter_is_no_advice(heading: str) -> None:
    text = f"値引きの前に理由を尋ねます。\n\n## {heading}\n\n件名：値引きの件\n\n平素より値引きのご相談をありがとうございます。"
    assert [point.text for point in points_about("値引き", [a_passage(text)], most=9)] == ["値引きの前に理由を尋ねます。"]


def test_the_companys_own_sentence_is_said_where_one_fits_and_not_listed_too() -> None:
    saying = "価格が合えば、ほかに決まっていない点はございませんか。"
    passage = a_passage(f"価格の値引きは最後に話します。\n\n## 最初の返し\n\n- 「{saying}」\n- 「はい。」")
    text = answer(passages=(passage,))
    assert text.endswith(f"> 「{saying}」 [1]")
    assert text.count(saying) == 1
    again = answer("もう少し", Remark.FOLLOW_UP, passages=(passage,), turns=a_talk(text))
    assert saying not in again


@pytest.mark.parametrize(
    "text",
    [
        "## 会話の例\n\n「価格の値引きはどこまでできますか、と聞かれました。」",
        "## よくある一言と返し方\n\n「価格の値引きはどこまでできますか、と聞かれました。」",
        "## 言ってはいけないこと\n\n「価格の値引きなら、いくらでもいたします。」",
        "## 最初の返し\n\n「今日はお時間をいただきありがとうございます。」",
    ],
)
def test_a_sentence_is_only_to_say_where_it_is_meant_so(text: str) -> None:
    assert saying_about("価格の値引きを求められた", [a_passage(text, title="資料")]) is None
