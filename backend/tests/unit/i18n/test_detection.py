import tomllib
from pathlib import Path

import pytest

from app.i18n.detection import language_of
from app.i18n.language import Language

MESSAGES = tomllib.loads(Path(__file__).with_name("messages_by_language.toml").read_text(encoding="utf-8"))
FLOOR = 0.96  # 0.99 when written

JA, EN, ZH = Language.JAPANESE, Language.ENGLISH, Language.CHINESE


@pytest.mark.parametrize(
    "text, language",
    [
        ("値引きを求められたらどう返す？", JA),
        ("値引対応", JA),
        ("ｶﾀｶﾅ", JA),
        ("CRM の Opportunity を Close するには?", JA),
        ("SPIN とは", JA),
        ("客户说太贵了怎么办？", ZH),
        ("请问如何应对客户的价格异议", ZH),
        ("請問如何應對客戶的價格異議？", ZH),
        ("您好", ZH),
        ("请问日语的“は”怎么读？请说明", ZH),
        ("How do I handle 「高いです」?", EN),
        ("What does 検討します mean in a Japanese meeting?", EN),
        ("what is BANT", EN),
        ("Discount tips please", EN),
        ("hello", EN),
        ("Ｈｏｗ ｓｈｏｕｌｄ Ｉ ｒｅｓｐｏｎｄ？", EN),
    ],
)
def test_what_a_text_is_clearly_written_in(text: str, language: Language) -> None:
    assert language_of(text) is language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "BANT?",
        "ROI",
        "商品",
        "12,000",
        "😀",
        "ok",
        "https://example.com/how/to/and/the",
        "<@U1> `how are you`",
        ":thumbsup:",
        "Привет",
    ],
)
def test_what_does_not_show_its_language(text: str) -> None:
    assert language_of(text) is None


def test_a_long_text_is_decided_by_its_beginning() -> None:
    assert language_of("お世話になっております。" * 300 + "how are you doing in this the and" * 10_000) is JA


def test_nearly_all_messages_of_the_labelled_set_are_recognised() -> None:
    labelled = [(text, None if name == "unknown" else Language(name)) for name, texts in MESSAGES.items() for text in texts]
    wrong = [text for text, language in labelled if language_of(text) is not language]
    assert len(labelled) >= 200
    assert len(wrong) <= (1 - FLOOR) * len(labelled), wrong


def test_a_message_is_never_taken_for_a_language_it_is_clearly_not_in() -> None:
    """Doubt falls back to the person's own language; a wrong answer to it would stay for the whole thread."""
    for name in Language:
        found = {text: language_of(text) for text in MESSAGES[name]}
        assert {text for text, language in found.items() if language not in {name, None}} == set()
    assert [text for text in MESSAGES["unknown"] if language_of(text) is not None] == []


SENTENCES = {JA: "はい、そうです。", EN: "Yes, that is what I mean.", ZH: "是的，就是这个意思。"}


@pytest.mark.parametrize("language, sentence", SENTENCES.items())
def test_lone_letters_and_names_do_not_change_a_sentence_of_some_length(language: Language, sentence: str) -> None:
    for inserted in ("A", "A/B", "Salesforce", "KPI", "Q3", "I"):
        assert language_of(f"{inserted} {sentence}") is language
        assert language_of(f"{sentence} {inserted}") is language
