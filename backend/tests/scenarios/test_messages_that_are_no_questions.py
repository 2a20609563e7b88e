"""Bots, edits, deletions, files, empty mentions, guests: each has its own behaviour, and none is silence where somebody waits."""

import pytest

from app.playground.demo_workspace import GUEST, KENTA, SALES_CHANNEL, TEAM
from app.playground.small_slack import visible_text
from tests.doubles.product import Product


async def test_other_bots_are_not_answered(product: Product) -> None:
    await product.slack.mention("日報です", bot_id="B0OTHER0001")
    await product.slack.dm("自動通知", bot_id="B0OTHER0001")
    assert await product.outcomes() == []


async def test_talk_among_colleagues_is_left_alone(product: Product) -> None:
    said = await product.slack.say("おはようございます")
    reply = await product.slack.say("おはよう", thread_ts=said.ts)
    assert said.is_accepted and reply.is_accepted
    assert await product.outcomes() == []


async def test_our_own_messages_are_no_questions(product: Product) -> None:
    product.slack.world.watchers.append(product.slack._echo)
    asked = await product.slack.dm("こんにちは、相談です")
    await product.final(asked)
    assert len(product.door.asked) == 1


async def test_an_empty_mention_is_told_what_can_be_asked(product: Product) -> None:
    asked = await product.slack.say(f"<@{product.slack.workspace().bot_user_id}>")
    [answer] = await product.final(asked)
    assert "お呼びでしょうか" in visible_text(answer)
    assert any(block["type"] == "actions" for block in answer["blocks"])
    assert product.door.asked == []


async def test_a_file_without_words_that_cannot_be_read_is_answered_with_what_to_do(product: Product) -> None:
    file = product.slack.new_file("商談.mov", b"\0\0\0\x14ftypqt")
    asked = await product.slack.dm("", files=[file])
    [answer] = await product.final(asked)
    assert "読み込めるのは" in visible_text(answer)
    assert product.door.asked == []


async def test_too_long_a_text_is_explained_with_both_numbers(product: Product) -> None:
    asked = await product.slack.dm("長" * 10_001)
    [answer] = await product.final(asked)
    assert "10000" in visible_text(answer) and "10001" in visible_text(answer)
    assert product.door.asked == []


async def test_a_guest_is_refused_and_told_so(product: Product) -> None:
    asked = await product.slack.dm("御社の値引き条件は？", user=GUEST)
    [answer] = await product.final(asked)
    assert "ゲスト" in visible_text(answer)
    assert product.door.asked == []


async def test_somebody_from_another_company_is_refused(product: Product) -> None:
    product.slack.workspace().add_user("U0PARTNER01", "Partner", team_id="T0PARTNER01", is_stranger=True)
    asked = await product.slack.mention("値引き条件は？", user="U0PARTNER01")
    [answer] = await product.final(asked)
    assert "社外" in visible_text(answer)
    assert product.door.asked == []


async def test_a_person_slack_cannot_tell_about_is_not_taken_for_a_member(product: Product) -> None:
    product.slack.faults.add("users.info", "error", error="user_not_found")
    asked = await product.slack.dm("値引き条件は？")
    [answer] = await product.final(asked)
    assert "お答えできません" in visible_text(answer)
    assert product.door.asked == []


async def test_an_edit_before_the_answer_begins_changes_the_question(product: Product) -> None:
    product.door.opened.clear()
    first = await product.slack.dm("まず最初の質問です")
    await product.until_asked(1)
    waiting = await product.slack.dm("間違えた質問です", thread_ts=first.ts)
    edited = await product.slack.edit(waiting.ts, "正しい質問です", channel=waiting.channel)
    assert edited.is_accepted
    product.door.opened.set()
    await product.until_asked(2)
    await product.until_quiet()
    assert product.door.texts == ["まず最初の質問です", "正しい質問です"]


async def test_a_message_deleted_before_its_turn_is_not_answered(product: Product) -> None:
    product.door.opened.clear()
    first = await product.slack.dm("まず最初の質問です")
    await product.until_asked(1)
    waiting = await product.slack.dm("やっぱり要りません", thread_ts=first.ts)
    await product.slack.delete(waiting.ts, channel=waiting.channel)
    product.door.opened.set()
    await product.final(first)
    assert len(product.door.asked) == 1
    assert await product.outcomes() == ["answered", "withdrawn"]


@pytest.mark.parametrize("mode, is_answered", [("never", False), ("auto", True)])
async def test_untagged_replies_in_our_thread_are_answered_only_where_wanted(
    product: Product, mode: str, *, is_answered: bool
) -> None:
    await product.let_threads_reply(mode)
    asked = await product.slack.mention("値引きの相談です")
    await product.final(asked)
    reply = await product.slack.say("では、どう切り出せばよいですか？", thread_ts=asked.ts)
    if is_answered:
        await product.final(reply)
    assert len(product.door.asked) == 1 + is_answered


async def test_in_mode_auto_other_threads_are_still_left_alone(product: Product) -> None:
    await product.let_threads_reply("auto")
    said = await product.slack.say("今日のランチは？")
    await product.slack.say("カレーで", thread_ts=said.ts)
    await product.until_quiet()
    assert product.door.asked == [] and await product.outcomes() == ["ignored"]


async def test_in_mode_ask_the_author_decides_with_a_button(product: Product) -> None:
    await product.let_threads_reply("ask")
    asked = await product.slack.mention("値引きの相談です")
    await product.final(asked)
    reply = await product.slack.say("では、どう切り出せばよいですか？", thread_ts=asked.ts)
    await product.until_quiet()
    [offer] = product.slack.ephemerals_for(KENTA)
    assert len(product.door.asked) == 1

    clicked = await product.slack.click("answer_this_reply", ts=offer["ts"])

    assert clicked.is_ok
    await product.final(reply)
    assert product.door.asked[1].text == "では、どう切り出せばよいですか？"


async def test_two_programs_cannot_talk_to_each_other_for_ever(product: Product) -> None:
    asked = await product.slack.mention("こんにちは、ご相談です")
    await product.final(asked)
    for number in range(14):
        await product.slack.mention(f"返事 {number} ありがとうございます", thread_ts=asked.ts)
    await product.until_quiet()
    assert len(product.door.asked) == 10
    assert sum("しばらくお休み" in visible_text(message) for message in product.slack.thread(asked)) == 1


async def test_events_of_other_workspaces_and_apps_leave_no_trace(product: Product) -> None:
    workspace = product.slack.workspace()
    workspace.app_id = "A0OTHER0001"
    asked = await product.slack.mention("値引きの相談です", channel=SALES_CHANNEL)
    assert {answer.status for delivery in asked.deliveries for answer in delivery.answers} == {403}
    assert await product.outcomes() == [] and product.edge.workspaces.current.team_id == TEAM
