"""Words about the person are found; words about what was done and what to say next are left alone, ours all of them."""

import tomllib
from pathlib import Path

import pytest

from app.coaching.skills import SKILLS
from app.coaching.wording import TOO_MANY_STEPS, faults_in, find_faults
from app.i18n.language import Language
from app.i18n.messages import catalog

JA, EN, ZH = Language.JAPANESE, Language.ENGLISH, Language.CHINESE
APP = Path(__file__).parents[3] / "app"

FAULTY = {
    JA: {
        "judges_the_person": [
            "あなたは人見知りなタイプですね。",
            "あなたはヒアリングが苦手です。",
            "あなたは話を聞かない人です。",
            "営業に向いていないのかもしれません。",
            "交渉の才能がありますね。",
            "センスがないと言わざるを得ません。",
            "あなたの弱点は質問です。",
            "やる気が足りません。",
            "営業としての能力が不足しています。",
            "このままではダメな営業になります。",
        ],
        "shames": [
            "なぜ準備しなかったのですか？",
            "どうして最後まで聞けなかったのですか。",
            "新人でも普通にできることです。",
            "できて当たり前です。",
            "情けない結果です。",
            "それは言い訳に過ぎません。",
            "同期はみんなできています。",
        ],
        "makes_absolute": ["あなたはいつも話しすぎます。", "毎回同じミスを繰り返しています。", "このままでは絶対に売れません。"],
        "ranks": ["チームで最下位です。", "同期に比べて成績が低いです。", "部署の中で一番遅いです。"],
    },
    EN: {
        "judges_the_person": [
            "You are bad at closing.",
            "You're just lazy.",
            "You’re not cut out for sales.",
            "You lack discipline.",
            "You are a natural talent.",
            "You have no drive.",
            "Your biggest flaw aside, your weaknesses show in calls.",
            "You are the kind of person who talks.",
            "As a low performer you need more calls.",
        ],
        "shames": [
            "Why didn't you ask about the budget?",
            "Everyone else can do this.",
            "How could you forget the follow-up?",
            "You should have known that.",
            "Even a beginner asks that.",
            "This is pathetic.",
        ],
        "makes_absolute": ["You always talk too much.", "You never listen to the customer.", "You will never close this way."],
        "ranks": ["You are the worst in the team.", "Your numbers are behind your colleagues."],
    },
    ZH: {
        "judges_the_person": [
            "您这个人太内向。",
            "你不适合做销售。",
            "您有销售天赋。",
            "您的弱点是提问。",
            "你能力不足。",
            "您太粗心了。",
            "您缺乏毅力。",
            "这样下去就是失败者。",
        ],
        "shames": ["别人都能做到。", "连这么简单的问题都不会。", "不要找借口。", "这样的结果太丢人了。"],
        "makes_absolute": ["您总是打断客户。", "你永远不会成功。", "您从来不准备。"],
        "ranks": ["您在团队里垫底。", "您比其他同事慢。"],
    },
}

FAULTLESS = {
    JA: [
        "ヒアリングが苦手と感じているのですね。",
        "その順番にした理由を教えてください。",
        "あなたはどの場面で迷いましたか？",
        "次の商談では「それはどなたがお決めになりますか」と尋ねてみましょう。",
        "この方法は短い電話には向いていません。",
        "人材の才能開発を扱うお客様ですね。",
        "お客様が断るのは、なぜでしょうか。",
        "お客様は何と比べて高いと感じているのでしょうか。",
        "この商談で、いつも最初に話す一文は何ですか？",
        "「自分には才能がないと思います」とのこと、話してくださってありがとうございます。",
        "見積の提出が、約束の日より2日遅れました。次は前日に一報を入れましょう。",
        "決裁者が誰か分からないまま、提案に進んでいました。",
        "普通は3回目の連絡で返事が来ます。",
    ],
    EN: [
        "What are you good at, and what would you like to practise?",
        "How could you open the call differently?",
        "Why don't you try a shorter opening?",
        "You are not alone with this.",
        "You never have to answer at once.",
        'You wrote: "I am bad at closing and always fail". Which moment do you mean?',
        "The quote went out two days late. Next time, send one line the day before.",
        "In this call, you spoke for eight of ten minutes. Try one question after each answer.",
        "A weak opening can be mended in one sentence.",
        "Their team is the last in the company to decide.",
    ],
    ZH: [
        "您觉得哪一步最难？",
        "为什么客户会这么说？",
        "您在哪一步卡住了？",
        "这个办法不适合电话。",
        "您没有提到预算，下次可以先问一句。",
        "“我总是失败，没有天赋”——谢谢您愿意说出来。",
        "报价比约定晚了两天，下次提前一天发一条消息。",
        "这次您说了十分钟里的八分钟，下次可以在对方回答之后再问一句。",
        "客户的能力有多大，取决于预算。",
    ],
}


@pytest.mark.parametrize(
    "text, language, rule",
    [(text, language, rule) for language, rules in FAULTY.items() for rule, texts in rules.items() for text in texts],
)
def test_words_about_the_person_are_found(text: str, language: Language, rule: str) -> None:
    assert rule in find_faults(text, language)


@pytest.mark.parametrize("text, language", [(text, language) for language, texts in FAULTLESS.items() for text in texts])
def test_words_about_what_was_done_are_left_alone(text: str, language: Language) -> None:
    assert faults_in(text, language) == []


def test_each_rule_is_named_once_whatever_the_script_of_the_letters() -> None:
    text = "Ｙｏｕ ａｒｅ ｂａｄ ａｔ closing. You are lazy. You’re hopeless."
    assert find_faults(text, EN) == ["judges_the_person"]
    assert [fault.words for fault in faults_in(text, EN)] == ["you are bad", "you are lazy", "you’re hopeless"]


def test_more_advice_than_can_be_taken_in_is_a_fault() -> None:
    text = "試してみてください。\n- 理由を尋ねる\n- 3秒待つ\n・まとめる\n1. 次の日を決める"
    assert find_faults(text, JA) == []
    assert find_faults(text, JA, most_steps=4) == []
    assert find_faults(text, JA, most_steps=3) == [TOO_MANY_STEPS]


def test_every_rule_stands_in_every_language() -> None:
    rules = tomllib.loads((APP / "coaching" / "wording.toml").read_text(encoding="utf-8"))["rules"]
    assert all(rule[language.value] for rule in rules for language in Language)
    assert {rule["name"] for rule in rules} == set(FAULTY[JA]) == set(FAULTY[EN]) == set(FAULTY[ZH])


@pytest.mark.parametrize("language", list(Language))
def test_no_text_of_ours_speaks_about_the_person(language: Language) -> None:
    """Everything somebody may read in Slack, and everything a model is told to do. Topics have their own test."""
    texts = dict(catalog(language))
    prompts = APP / "coaching" / "prompts" / language.value
    texts |= {str(file.relative_to(prompts)): file.read_text(encoding="utf-8") for file in prompts.rglob("*.txt")}
    assert len(texts) > 300
    assert {name: faults for name, text in texts.items() if (faults := faults_in(text, language))} == {}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("skill", SKILLS)
def test_what_a_model_is_told_keeps_to_behaviour(skill: str, language: Language) -> None:
    """The rule itself stands in the prompt that all skills share."""
    shared = (APP / "coaching" / "prompts" / language.value / "coach.txt").read_text(encoding="utf-8")
    assert {JA: "人ではなく行動", EN: "behaviour, never on the person", ZH: "行为"}[language] in shared
    own = (APP / "coaching" / "prompts" / language.value / f"{skill}.txt").read_text(encoding="utf-8")
    assert find_faults(own, language) == []


@pytest.mark.parametrize("language", list(Language))
def test_the_starter_library_speaks_about_what_is_done(language: Language) -> None:
    """It is quoted in answers as it stands."""
    folder = APP.parent / "data" / "knowledge" / language.value
    texts = {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in folder.rglob("*.md")}
    assert len(texts) > 10
    assert {name: faults for name, text in texts.items() if (faults := faults_in(text, language))} == {}
