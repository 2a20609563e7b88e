import pytest

from app.i18n.detection import language_of
from app.i18n.language import Language

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
        "見積",
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
