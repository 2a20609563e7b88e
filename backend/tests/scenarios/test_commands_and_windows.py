"""Slash commands, their ! forms, the Home tab, forms and buttons."""

import asyncio
import json

import pytest

from app.i18n.language import Language
from app.playground.demo_workspace import EMILY, GUEST, KENTA, SALES_CHANNEL, XIAOMING, YOKO
from app.playground.small_slack import visible_text
from tests.doubles.product import Product


def text_of(answer) -> str:
    return json.dumps(answer.json(), ensure_ascii=False).replace("\u2060", "")


async def test_help_answers_in_the_acknowledgement_for_the_caller_only(product: Product) -> None:
    answer = await product.slack.command("/ai_help")
    assert answer.json()["response_type"] == "ephemeral"
    for part in ("/ai_help", "/ai_knowledge", "/ai_history", "!ai_help", "正常に動いています"):
        assert part in text_of(answer)
    assert await product.outcomes() == []


@pytest.mark.parametrize("user, words", [(EMILY, "How to talk to me"), (XIAOMING, "如何与我对话"), (KENTA, "話しかけ方")])
async def test_help_speaks_the_callers_language(product: Product, user: str, words: str) -> None:
    assert words in text_of(await product.slack.command("/ai_help", user=user))


async def test_a_search_shows_source_date_and_category_privately(product: Product) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")
    answer = await product.slack.command("/ai_knowledge", "値引き")
    for part in ("値引きの承認ルール", "営業規程集", "2026年4月1日", "あなただけ"):
        assert part in text_of(answer)
    assert answer.json()["response_type"] == "ephemeral"


@pytest.mark.parametrize("text", ["payload", "payload=1", "値引き payload <!channel> & *bold*", "💡" * 300])
async def test_no_search_word_breaks_a_command(product: Product, text: str) -> None:
    answer = await product.slack.command("/ai_knowledge", text)
    assert answer.is_ok and "見つかりませんでした" in text_of(answer)
    assert "<!channel>" not in visible_text(answer.json())


async def test_a_search_without_words_opens_a_form_whose_results_replace_it(product: Product) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")
    assert (await product.slack.command("/ai_knowledge")).is_ok
    assert (await product.slack.submit({"query": {"text": {"type": "plain_text_input", "value": "値引き"}}})).is_ok
    modal = product.slack.modal_of()
    assert modal is not None and "値引きの承認ルール" in json.dumps(modal, ensure_ascii=False)


async def test_a_result_is_shared_with_the_channel_by_its_button(product: Product) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")
    await product.slack.command("/ai_knowledge", "値引き", channel=SALES_CHANNEL)
    [shown] = product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)
    assert (await product.slack.click("knowledge_share_0", ts=shown["ts"], channel=SALES_CHANNEL)).is_ok
    messages = product.slack.channel(SALES_CHANNEL).messages.values()
    assert any("値引きの承認ルール" in visible_text(message) and "共有しました" in visible_text(message) for message in messages)


@pytest.mark.parametrize(("is_known", "reason"), [(True, "社外の方が参加している"), (False, "確かめられない")])
async def test_nothing_is_shared_where_people_outside_the_company_read_or_may_read(
    product: Product, is_known: bool, reason: str
) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")
    channel = product.slack.channel(SALES_CHANNEL)
    await product.slack.command("/ai_knowledge", "値引き", channel=SALES_CHANNEL)
    [shown] = product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)
    if is_known:
        channel.is_shared_with_others = True
    else:
        product.slack.faults.add("conversations.info", "error", error="channel_not_found")
    assert (await product.slack.click("knowledge_share_0", ts=shown["ts"], channel=SALES_CHANNEL)).is_ok
    assert not any("共有しました" in visible_text(message) for message in channel.messages.values())
    assert reason in visible_text(product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)[-1])


async def test_history_lists_the_callers_own_talks_and_nobody_elses(product: Product) -> None:
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    await product.final(await product.slack.dm("私だけの秘密の相談です", user=YOKO))
    await product.until_quiet()
    shown = text_of(await product.slack.command("/ai_history"))
    assert "A社の値引き" in shown and "秘密" not in shown and "公開範囲: 自分のみ" in shown


async def test_commands_of_guests_are_refused(product: Product) -> None:
    assert "ゲスト" in text_of(await product.slack.command("/ai_knowledge", "値引き", user=GUEST))


async def test_a_command_nobody_knows_is_answered(product: Product) -> None:
    assert "/ai_unknown" in text_of(await product.slack.command("/ai_unknown"))


@pytest.mark.parametrize("typed", ["!ai_help", "！ai_help", "！ａｉ＿ｈｅｌｐ"])
async def test_in_a_thread_the_exclamation_mark_does_what_the_slash_does_outside(product: Product, typed: str) -> None:
    said = await product.slack.say("朝会です")
    asked = await product.slack.say(typed, thread_ts=said.ts)
    assert asked.is_accepted
    await product.until_quiet()
    [shown] = product.slack.ephemerals_for(KENTA)
    assert "話しかけ方" in visible_text(shown)
    assert product.door.asked == [] and await product.outcomes() == ["answered"]


async def test_in_a_direct_message_it_is_an_ordinary_answer(product: Product) -> None:
    asked = await product.slack.dm("!ai_knowledge 値引き")
    [answer] = await product.final(asked)
    assert "見つかりませんでした" in visible_text(answer)


async def test_home_greets_lists_talks_and_says_who_sees_it(product: Product) -> None:
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    await product.slack.open_home()
    await product.until_quiet()
    home = json.dumps(product.slack.home_of(), ensure_ascii=False)
    for part in ("こんにちは", "A社の値引き", "公開範囲: 自分のみ"):
        assert part in home


async def test_the_language_chosen_on_home_counts_from_then_on(product: Product) -> None:
    await product.slack.open_home()
    await product.until_quiet()
    await product.slack.click("choose_language", chosen={"selected_option": {"value": "en"}})
    await product.until_quiet()
    assert "Recent conversations" in json.dumps(product.slack.home_of())
    await product.final(await product.slack.dm("ROI?"))
    assert product.door.asked[0].language is Language.ENGLISH


async def test_a_question_asked_in_the_form_is_answered_in_the_direct_message(product: Product) -> None:
    await product.slack.open_home()
    await product.until_quiet()
    assert (await product.slack.click("open_question_form")).is_ok
    sent = await product.slack.submit({"question": {"text": {"type": "plain_text_input", "value": "値引きへの返し方は？"}}})
    assert sent.is_ok and product.slack.modal_of() is None
    await product.until_asked(1)
    await product.until_quiet()
    direct = product.slack.workspace().direct(KENTA)
    question, answer = sorted(direct.messages.values(), key=lambda message: message["ts"])
    assert "値引きへの返し方は？" in visible_text(question)
    assert answer["thread_ts"] == question["ts"] and "課題を伺い" in visible_text(answer)


async def test_a_form_that_cannot_be_sent_says_so_and_stays_open(product: Product) -> None:
    await product.slack.open_home()
    await product.until_quiet()
    await product.slack.click("open_question_form")
    product.slack.faults.add("conversations.open", "error", error="fatal_error", times=9)
    answer = await product.slack.submit({"question": {"text": {"type": "plain_text_input", "value": "値引きへの返し方は？"}}})
    assert answer.json()["response_action"] == "errors" and "お問い合わせ番号" in answer.text
    assert product.slack.modal_of() is not None and product.door.asked == []


async def test_the_messages_tab_suggests_questions_in_the_persons_language(product: Product) -> None:
    await product.slack.open_home(tab="messages", user=EMILY)
    await product.until_quiet()
    prompts = product.slack.workspace().prompts[product.slack.workspace().direct(EMILY).id]["prompts"]
    assert len(prompts) == 4 and prompts[0]["title"] == "A customer asks for a discount"


async def test_help_opens_as_a_window_from_home(product: Product) -> None:
    await product.slack.open_home()
    await product.until_quiet()
    await product.slack.click("open_help")
    assert "話しかけ方" in json.dumps(product.slack.modal_of(), ensure_ascii=False)


async def test_a_slow_search_is_acknowledged_and_answered_later(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.slack.listeners.slash.QUICK_SECONDS", 0.3)
    search = product.edge.knowledge.search
    is_slow = True

    async def slow_at_first(*args, **options):
        nonlocal is_slow
        if is_slow:
            is_slow = False
            await asyncio.Event().wait()
        return await search(*args, **options)

    monkeypatch.setattr(product.edge.knowledge, "search", slow_at_first)
    answer = await product.slack.command("/ai_knowledge", "値引き")
    assert "調べています" in text_of(answer)
    await product.until_quiet()
    assert any("見つかりませんでした" in visible_text(shown) for shown in product.slack.ephemerals_for(KENTA))


async def test_the_same_click_delivered_twice_counts_once(product: Product) -> None:
    await product.slack.command("/ai_help")
    payload = {
        "type": "block_actions", "team": {"id": product.slack.workspace().id}, "user": {"id": KENTA}, "trigger_id": "1.2.same",
        "api_app_id": product.slack.workspace().app_id, "view": {"type": "home"}, "container": {"type": "view"},
        "actions": [{"action_id": "choose_language", "block_id": "b", "type": "static_select",
                     "selected_option": {"value": "zh"}}],
    }  # fmt: skip
    for _ in range(3):
        assert (await product.slack.deliveries.interaction(payload)).is_ok
    await product.until_quiet()
    assert await product.outcomes() == ["answered"]


async def test_when_the_app_is_removed_an_operator_can_see_it(product: Product) -> None:
    await product.slack.event({"type": "app_uninstalled"})
    await product.until_quiet()
    assert product.edge.workspaces.current.is_removed


async def test_a_search_result_can_be_judged_and_the_last_click_wins(product: Product) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")
    await product.slack.command("/ai_knowledge", "値引き")
    [shown] = product.slack.ephemerals_for(KENTA)
    for verdict in ("unhelpful", "helpful"):
        assert (await product.slack.click(f"knowledge_{verdict}_0", ts=shown["ts"])).is_ok
    assert [row["verdict"] for row in await product.rows("select verdict from knowledge_feedback")] == ["helpful"]
    assert any("記録しました" in visible_text(message) for message in product.slack.ephemerals_for(KENTA))
