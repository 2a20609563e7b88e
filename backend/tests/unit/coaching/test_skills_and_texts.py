"""Over the lists: every skill has its data, its prompts and its offline texts, in every language."""

from pathlib import Path

import pytest

from app.coaching.choose_skill import choose_skill
from app.coaching.compose_prompt import compose_prompt
from app.coaching.remark import Remark, remark_of
from app.coaching.skills import SKILLS
from app.coaching.talk.topics import topics
from app.i18n.language import Language
from app.i18n.messages import catalog

COACHING = Path(__file__).parents[3] / "app" / "coaching"
LISTS = ("points", "deeper_1", "deeper_2")
SENTENCES = ("title", "opening", "say_1", "say_2", "reflect_1", "reflect_2")


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("language", list(Language))
def test_every_skill_speaks_every_language(skill: str, language: Language) -> None:
    prompt = (COACHING / "prompts" / language.value / f"{skill}.txt").read_text(encoding="utf-8")
    assert len(prompt) > 50
    texts = catalog(language)
    for name in SENTENCES:
        assert texts[f"coach.skill.{skill}.{name}"].strip()
    for name in LISTS:
        assert 3 <= len([line for line in texts[f"coach.skill.{skill}.{name}"].splitlines() if line.strip()]) <= 4
    for name in ("reflect_1", "reflect_2"):
        assert texts[f"coach.skill.{skill}.{name}"].endswith(("か。", "？", "?"))
    assert skill == "general" or len(topics(language)[skill].triggers) >= 8


def test_the_folders_hold_what_the_list_names_and_nothing_else() -> None:
    assert set(topics(Language.JAPANESE)) == set(SKILLS)
    for language in Language:
        assert {path.stem for path in (COACHING / "prompts" / language.value).glob("*.txt")} == {*SKILLS, "coach"}


def test_catalog_keys_and_gaps_are_equal_in_all_languages() -> None:
    ours = [
        {key: text.count("{") for key, text in catalog(language).items() if key.startswith(("coach.", "privacy."))}
        for language in Language
    ]
    assert ours[0] == ours[1] == ours[2]


def test_a_prompt_version_names_its_skill_and_language_and_changes_with_the_texts() -> None:
    versions = {
        compose_prompt("?", skill=skill, language=language, turns=(), passages=()).version
        for skill in SKILLS
        for language in Language
    }
    assert len(versions) == len(SKILLS) * len(Language)
    assert all(version.split("-")[0] in SKILLS for version in versions)


@pytest.mark.parametrize(
    "text, skill",
    [
        ("値引きを求められたら、どう返せばいい？", "negotiation"),
        ("新規開拓で苦戦しています", "prospecting"),
        ("ﾃﾚｱﾎﾟがうまくいきません", "prospecting"),
        ("お礼メールの文面を見てほしい", "follow_up"),
        ("お客様に断られました。切り返しを教えて", "objection_handling"),
        ("初回訪問のヒアリングで何を聞く？", "discovery"),
        ("稟議で止まって成約しません", "closing"),
        ("提案資料が刺さらない", "proposal"),
        ("失注が続いて自信がない", "lost_deals"),
        ("自信がなくて朝がつらい", "mindset"),
        ("How do I answer a request for a discount?", "negotiation"),
        ("They are not interested, they already have a supplier", "objection_handling"),
        ("I designed a signal", "general"),
        ("客户说太贵了，要求降价", "negotiation"),
        ("怎么开发新客户？", "prospecting"),
        ("今日はいい天気ですね", "general"),
    ],
)
def test_the_words_of_a_question_choose_its_skill(text: str, skill: str) -> None:
    assert choose_skill(text) == skill


def test_a_talk_stays_with_its_subject_until_another_is_named() -> None:
    assert choose_skill("もう少し具体的に", previous="closing") == "closing"
    assert choose_skill("ところで新規開拓についてですが", previous="closing") == "prospecting"
    assert choose_skill("もう少し", previous="a skill of an older version") == "general"


@pytest.mark.parametrize(
    "text, in_talk, remark",
    [
        ("もう少し具体的に", True, Remark.FOLLOW_UP),
        ("もう少し具体的に", False, Remark.QUESTION),
        ("Can you give me an example?", True, Remark.FOLLOW_UP),
        ("能举例吗？", True, Remark.FOLLOW_UP),
        ("こんにちは！", False, Remark.GREETING),
        ("hi there", False, Remark.GREETING),
        ("hiring plan for sales", False, Remark.QUESTION),
        ("👋", False, Remark.GREETING),
        ("ありがとうございます。", True, Remark.THANKS),
        ("谢谢！", True, Remark.THANKS),
        ("こんにちは、初回訪問では何を聞けばいいですか？", False, Remark.QUESTION),
        ("値引き交渉の相談です。" * 10 + "もっと", True, Remark.QUESTION),
        ("なぜですか？", True, Remark.FOLLOW_UP),
        ("why?", True, Remark.FOLLOW_UP),
        ("why?", False, Remark.QUESTION),
        ("Why do customers hesitate", True, Remark.QUESTION),
        ("hi, I lost a deal", False, Remark.QUESTION),
        ("お疲れ様です。紹介が全然もらえません", False, Remark.QUESTION),
        ("おはようございます。今日もよろしくお願いします", False, Remark.GREETING),
        ("Perfect, thank you!", True, Remark.THANKS),
        ("好的，谢谢", True, Remark.THANKS),
        ("ありがとうございます。でもまだ値引きされ続けています", False, Remark.QUESTION),
        ("OK", True, Remark.NOD),
        ("はい、明日やってみます", True, Remark.NOD),
        ("👍", True, Remark.THANKS),
        ("好的", False, Remark.NOD),
        ("はいと言わせる方法", False, Remark.QUESTION),
        ("OKRの立て方", False, Remark.QUESTION),
        ("昨日試したら契約が取れました", True, Remark.SUCCESS),
        ("It worked!", False, Remark.SUCCESS),
        ("客户签约了", False, Remark.SUCCESS),
        ("アポは取れましたが、商談で困っています", True, Remark.QUESTION),
        ("We won the deal but the margin is low", False, Remark.QUESTION),
        ("Would it help if it worked offline?", False, Remark.QUESTION),
    ],
)
def test_remarks_are_told_apart(text: str, in_talk: bool, remark: Remark) -> None:
    assert remark_of(text, in_talk=in_talk) is remark
