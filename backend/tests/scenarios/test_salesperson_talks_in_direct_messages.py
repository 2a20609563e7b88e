"""A salesperson writes to the coach directly: at top level, in threads, in their own language."""

from app.i18n.language import Language
from app.playground.demo_workspace import EMILY, XIAOMING
from app.playground.small_slack import visible_text
from tests.doubles.product import Product


async def test_a_direct_message_is_answered_in_a_thread_of_its_own(product: Product) -> None:
    asked = await product.slack.dm("商談の準備を手伝ってください")

    [answer] = await product.final(asked)

    assert answer["thread_ts"] == asked.ts
    assert product.door.asked[0].conversation.is_direct


async def test_a_follow_up_in_the_thread_belongs_to_the_same_conversation(product: Product) -> None:
    first = await product.slack.dm("商談の準備を手伝ってください")
    await product.final(first)
    second = await product.slack.dm("BANT?", thread_ts=first.ts)
    await product.final(second)

    before, after = product.door.asked
    assert after.conversation == before.conversation
    assert after.text == "BANT?"


async def test_an_english_speaker_is_answered_in_english(product: Product) -> None:
    asked = await product.slack.dm("ROI?", user=EMILY)
    await product.final(asked)
    assert product.door.asked[0].language is Language.ENGLISH  # by their locale: the text does not show it


async def test_the_language_of_the_words_counts_more_than_the_locale(product: Product) -> None:
    asked = await product.slack.dm("値引きを求められました", user=EMILY)
    [answer] = await product.final(asked)
    assert product.door.asked[0].language is Language.JAPANESE
    assert "見つかりませんでした" in visible_text(answer)


async def test_a_thread_keeps_the_language_it_began_in(product: Product) -> None:
    first = await product.slack.dm("How do I prepare for the meeting?", user=XIAOMING)
    await product.final(first)
    second = await product.slack.dm("明白了，还有吗？", user=XIAOMING, thread_ts=first.ts)
    await product.final(second)
    assert [question.language for question in product.door.asked] == [Language.ENGLISH, Language.ENGLISH]
