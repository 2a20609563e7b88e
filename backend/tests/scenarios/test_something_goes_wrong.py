"""Failures: a sentence in the person's language, a reference to quote, a button to try again; once, and never silence."""

import json

from app.core.errors import ModelMisconfigured, ModelRefused
from app.playground.demo_workspace import EMILY, KENTA, TEAM, YOKO
from app.playground.small_slack import visible_text
from tests.doubles.model_server import Script, fails, says
from tests.doubles.product import Product


async def test_a_failure_is_explained_and_the_button_asks_again(product: Product) -> None:
    product.door.failures.append(ModelRefused("scripted"))
    asked = await product.slack.mention("値引きを求められました。どう返せばよいですか？")
    [apology] = await product.final(asked)
    assert "言い方を変えて" in visible_text(apology) and "E-" in visible_text(apology)
    await product.until_quiet()

    clicked = await product.slack.click("retry_question", ts=apology["ts"])

    assert clicked.is_ok
    await product.until_asked(2)
    apology, answer = await product.final(asked)
    assert "課題を伺い" in visible_text(answer)
    await product.until_quiet()
    assert await product.outcomes() == ["explained", "answered"]
    # Pressed once more, it explains that this was done already.
    await product.slack.click("retry_question", ts=apology["ts"])
    assert any("期限が切れた" in visible_text(shown) for shown in product.slack.ephemerals_for(KENTA))
    assert len(product.door.asked) == 2


async def test_only_the_person_who_asked_can_press_the_button(product: Product) -> None:
    product.door.failures.append(ModelRefused("scripted"))
    asked = await product.slack.mention("値引きを求められました。どう返せばよいですか？", user=KENTA)
    [apology] = await product.final(asked)
    await product.slack.click("retry_question", ts=apology["ts"], user=YOKO)
    assert await product.outcomes() == ["explained"]


async def test_an_english_speaker_reads_the_reason_in_english(product: Product) -> None:
    product.door.failures.append(ModelMisconfigured("scripted"))
    asked = await product.slack.dm("How should I respond to a discount request?", user=EMILY)
    [apology] = await product.final(asked)
    assert "not set up correctly" in visible_text(apology) and "Reference" in visible_text(apology)


async def test_an_unexpected_failure_is_tried_again_and_then_explained_without_its_details(product: Product) -> None:
    product.door.failures += [RuntimeError("秘密の詳細")] * 3
    asked = await product.slack.dm("値引きを求められました。どう返せばよいですか？")
    await product.until_asked(3)
    await product.until_quiet()
    [apology] = product.slack.thread(asked)
    assert "予期しない問題" in visible_text(apology)
    assert "秘密" not in json.dumps(apology, ensure_ascii=False)
    assert len(product.door.asked) == 3
    [letter] = await product.services.inbox.dead_letters(TEAM)
    assert letter.attempts == 3 and letter.reference in visible_text(apology)


async def test_when_every_model_fails_the_answer_comes_by_rules_and_says_so(product: Product) -> None:
    product.model.respond = lambda _body: Script(status=500)
    product.model.then(fails(500))
    asked = await product.slack.dm("値引きを求められました。どう返せばよいですか？")
    [answer] = await product.final(asked)
    assert "オフラインモード" in visible_text(answer)


async def test_too_many_questions_in_a_minute_are_slowed_down(product: Product) -> None:
    object.__setattr__(product.edge.rules, "questions_per_minute", 2)
    for number in range(2):
        await product.final(await product.slack.dm(f"質問その{number}です"))
    asked = await product.slack.dm("三つ目の質問です")
    [refusal] = await product.final(asked)
    assert "秒ほど待って" in visible_text(refusal)
    assert len(product.door.asked) == 2
    # Somebody else is not slowed down by that.
    other = await product.slack.dm("私の最初の質問です", user=YOKO)
    await product.final(other)
    assert len(product.door.asked) == 3


async def test_model_text_pings_nobody(product: Product) -> None:
    product.model.then(says("<!channel> <@U0KENTA0001> ", "[こちら](https://evil.example/?q=1) をご覧ください"))
    asked = await product.slack.mention("資料はどこにありますか？")
    [answer] = await product.final(asked)
    sent = json.dumps(answer, ensure_ascii=False)
    assert not any(sign in sent for sign in ("<!", "<@U0KENTA", "](https://evil"))
