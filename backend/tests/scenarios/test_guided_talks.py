"""A trouble is worked out in Slack: questions, buttons to switch, the plan, the way back to it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.coaching.talk.state import Point
from app.i18n.language import Language
from app.playground.demo_workspace import EMILY, KENTA, SALES_CHANNEL, XIAOMING, YOKO
from app.playground.small_slack import Sent, visible_text
from app.slack.blocks.validate import problems_of
from tests.doubles.model_server import Script, says
from tests.doubles.product import Product, open_product
from tests.scenarios.coaching_person import a_plan, asked_in, is_reading, story

TROUBLE = "新規開拓で苦戦しています。"
PERSON = story("prospecting", Language.JAPANESE)


@pytest.fixture
async def offline(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path, llm_base_url=None, llm_api_key=None, llm_model="") as opened:
        yield opened


def shown(message: dict[str, Any]) -> str:
    """All of a message, buttons too; ours never break Slack's rules."""
    assert not problems_of(message["blocks"])
    return json.dumps(message, ensure_ascii=False).replace("\u2060", "")


async def say(product: Product, text: str, thread: Sent, *, user: str = KENTA) -> dict[str, Any]:
    return (await product.final(await product.slack.dm(text, user=user, thread_ts=thread.ts)))[-1]


async def press(product: Product, action_id: str, message: dict[str, Any], *, user: str = KENTA) -> dict[str, Any]:
    """The newest message of the thread after a button was pressed."""
    place = product.slack.workspace().direct(user)
    assert (await product.slack.click(action_id, ts=message["ts"], channel=place.id, user=user)).is_ok
    await product.until_quiet()
    in_thread = [one for one in place.messages.values() if one.get("thread_ts") == message["thread_ts"]]
    return max(in_thread, key=lambda one: float(one["ts"]))


async def talks(product: Product) -> list[tuple[str, str | None]]:
    return [(row["topic"], row["outcome"]) for row in await product.rows("select topic, outcome from coaching_talks order by id")]


async def until_planned(product: Product, first: dict[str, Any], root: Sent) -> dict[str, Any]:
    reply = first
    for _ in range(6):
        if "plan_item_done" in shown(reply):
            return reply
        reply = await say(product, PERSON.answer(visible_text(reply)), root)
    raise AssertionError("no plan")


async def test_a_trouble_becomes_a_plan_question_by_question(offline: Product) -> None:
    root = await offline.slack.dm(TROUBLE)
    [first] = await offline.final(root)
    text = visible_text(first)
    assert "ご相談として" in text and "「新規開拓で苦戦しています」という困りごと" in text
    assert "25%" in text and len(asked_in(text, Language.JAPANESE)) == 1
    assert "talk_wish_plan" in shown(first) and "talk_wish_answer" in shown(first)
    plan = await until_planned(offline, first, root)
    assert "新規開拓" in visible_text(plan) and "期限" in visible_text(plan) and "plan_item_menu" in shown(plan)
    assert offline.door.asked == [] and await talks(offline) == [("prospecting", "planned")]


@pytest.mark.parametrize(
    ("user", "trouble", "sentence"),
    [
        (EMILY, "I keep getting rejected on cold calls.", "I take this as something to work on."),
        (XIAOMING, "最近总是约不到客户，压力很大。", "我把这当作需要一起梳理的问题。"),
    ],
)
async def test_other_languages_are_worked_with_in_their_own(offline: Product, user: str, trouble: str, sentence: str) -> None:
    [first] = await offline.final(await offline.slack.dm(trouble, user=user))
    assert sentence in visible_text(first)


async def test_an_answer_says_that_it_is_one_and_can_become_a_talk(product: Product) -> None:
    root = await product.slack.dm("新規開拓の電話はどう切り出せばいいですか？")
    [answer] = await product.final(root)
    assert "ご質問としてお答えしました" in shown(answer)
    begun = await press(product, "talk_wish_talk", answer)
    assert "ご相談として" in visible_text(begun)
    assert await talks(product) == [("prospecting", None)]
    again = await press(product, "talk_wish_talk", answer)
    assert again["ts"] == begun["ts"], "a second press begins nothing"


async def test_a_talk_can_be_turned_into_an_answer_about_the_whole_trouble(product: Product) -> None:
    root = await product.slack.dm(TROUBLE)
    [first] = await product.final(root)
    second = await say(product, PERSON.answer(visible_text(first)), root)
    answer = await press(product, "talk_wish_answer", second)
    assert "ご質問としてお答えしました" in shown(answer)
    assert TROUBLE in product.door.asked[-1].text and "総務部長" in product.door.asked[-1].text
    assert await talks(product) == [("prospecting", "answered")]


async def test_the_plan_can_be_asked_for_at_any_time(offline: Product) -> None:
    [first] = await offline.final(await offline.slack.dm(TROUBLE))
    plan = await press(offline, "talk_wish_plan", first)
    assert "plan_item_done" in shown(plan) and "いま分かっていることで計画を作りました" in visible_text(plan)
    once_more = await press(offline, "talk_wish_plan", first)
    assert once_more["ts"] == plan["ts"] and len(await offline.rows("select 1 from action_plans")) == 1


async def test_a_question_inside_a_talk_is_answered_and_the_talk_stays_open(product: Product) -> None:
    root = await product.slack.dm(TROUBLE)
    await product.final(root)
    answer = await say(product, "ところで、BANTとは何ですか？", root)
    assert "整理は続いています" in shown(answer) and len(product.door.asked) == 1
    thanks = await say(product, "ありがとうございます", root)
    assert "ご質問としてお答えしました" not in shown(thanks)
    going_on = await say(product, PERSON.facts[Point.SITUATION], root)
    assert "ということがあったのですね" in visible_text(going_on)
    assert await talks(product) == [("prospecting", None)]


async def test_a_correction_replaces_what_was_understood(offline: Product) -> None:
    root = await offline.slack.dm("新規開拓で苦戦しています。目標は来月末までに5件です。")
    [first] = await offline.final(root)
    assert "45%" in visible_text(first)
    corrected = await say(offline, "違います、目標は10件です", root)
    assert "「目標は10件です」として進めます" in visible_text(corrected) and "45%" in visible_text(corrected)
    withdrawn = await say(offline, "目標の件は忘れてください", root)
    assert "白紙に戻します" in visible_text(withdrawn) and "25%" in visible_text(withdrawn)


async def test_a_no_is_asked_what_is_right_and_the_next_words_say_it(offline: Product) -> None:
    root = await offline.slack.dm("新規開拓で苦戦しています。目標は来月末までに5件です。")
    await offline.final(root)
    assert "どう直せばよいか" in visible_text(await say(offline, "違います", root))
    assert "「目標は月に10件です」として進めます" in visible_text(await say(offline, "目標は月に10件です", root))


async def test_a_talk_that_was_left_idle_goes_on_when_the_person_writes_in_it_again(offline: Product) -> None:
    root = await offline.slack.dm(TROUBLE)
    [first] = await offline.final(root)
    await offline.rows("update coaching_talks set closed_at = now(), outcome = 'idle' returning id")
    reply = await say(offline, PERSON.answer(visible_text(first)), root)
    assert "50%" in visible_text(reply) and await talks(offline) == [("prospecting", None)]


async def test_who_returns_starts_from_the_plan(offline: Product) -> None:
    root = await offline.slack.dm(TROUBLE)
    await until_planned(offline, (await offline.final(root))[-1], root)
    soon = await offline.slack.dm("こんにちは")
    assert "おかえりなさい" not in visible_text((await offline.final(soon))[-1])

    offline.advance(days=3)
    back = await offline.slack.dm("おはようございます")
    [greeted] = await offline.final(back)
    title = (await _titles(offline, greeted))[0]
    assert f"前回の計画の「{title}」はどうでしたか" in visible_text(greeted).replace("\u2060", "")
    assert "3日たちました" in visible_text(greeted) and "plan_item_done" in shown(greeted)
    planned = await say(offline, "10社に電話しましたが、受付で止まってばかりです。", back)
    assert "plan_item_done" in shown(planned)
    assert not set(await _titles(offline, planned)) & {title}, "what is under way is not planned again"


async def _titles(product: Product, message: dict[str, Any]) -> list[str]:
    return [
        block["text"]["text"].replace("\u2060", "").split("*")[1]
        for block in message["blocks"]
        if block["type"] == "section" and block["text"]["text"].startswith("*")
    ]


async def test_in_a_channel_nothing_shows_of_what_was_told_in_private(offline: Product) -> None:
    root = await offline.slack.dm("新規開拓で苦戦しています。山田商事の件で失敗しました。目標は来月末までに5件です。")
    await until_planned(offline, (await offline.final(root))[-1], root)
    offline.advance(days=1)
    asked = await offline.slack.mention("また新規開拓で苦戦しています。")
    [reply] = await offline.final(asked)
    assert "ご相談として" in visible_text(reply) and "25%" in visible_text(reply)
    assert "山田商事" not in shown(reply) and "5件" not in shown(reply) and "plan_item" not in shown(reply)
    assert "メンションしてください" in shown(reply)
    other = await offline.slack.mention("私も新規開拓で苦戦しています。", user=YOKO, thread_ts=asked.ts)
    assert "別の方との整理" in visible_text((await offline.final(other))[-1])
    plan = (await offline.final(await offline.slack.mention("もう計画をお願いします", thread_ts=asked.ts)))[-1]
    assert "山田商事" not in shown(plan) and "plan_item_done" in shown(plan)
    assert asked.channel == SALES_CHANNEL


async def test_with_a_model_its_plan_is_shown_when_it_is_valid(product: Product) -> None:
    def respond(body: dict[str, Any]) -> Script:
        if is_reading(body):
            return says('{"statements": []}')
        return says(json.dumps(a_plan(PERSON, _in_a_week(product)), ensure_ascii=False))

    product.model.respond = respond
    [first] = await product.final(await product.slack.dm(TROUBLE))
    plan = await press(product, "talk_wish_plan", first)
    assert "最初の一言を書き出す" in shown(plan)
    assert {row["purpose"] for row in await product.rows("select purpose from model_usage")} == {"read_talk", "plan"}


def _in_a_week(product: Product) -> str:
    return (product.clock.now() + timedelta(days=7)).date().isoformat()


async def test_a_plan_that_slack_did_not_take_at_first_is_shown_with_its_buttons(offline: Product) -> None:
    [first] = await offline.final(await offline.slack.dm(TROUBLE))
    for method in ("chat.startStream", "chat.stopStream", "chat.update", "chat.postMessage"):
        offline.slack.faults.add(method, "server_error", times=2)
    plan = await press(offline, "talk_wish_plan", first)
    assert "plan_item_done" in shown(plan) and "talk_wish_plan" not in shown(plan)
    assert len(await offline.rows("select 1 from action_plans")) == 1
    [again] = await offline.rows("select attempts from inbox where kind = 'retry'")
    assert again["attempts"] > 1


async def test_in_a_dm_the_talk_goes_on_wherever_the_person_writes(offline: Product) -> None:
    """Few people answer in threads: the next message stands below, and belongs to the same talk."""
    root = await offline.slack.dm(TROUBLE, user=KENTA)
    reply = (await offline.final(root))[-1]
    for _ in range(6):
        if "plan_item_done" in shown(reply):
            break
        below = await offline.slack.dm(PERSON.answer(visible_text(reply)), user=KENTA)
        reply = (await offline.final(below))[-1]
        assert reply["thread_ts"] == below.ts, "the answer stands where the person wrote"
    assert "plan_item_done" in shown(reply)
    assert await talks(offline) == [("prospecting", "planned")]


async def test_half_an_hour_later_another_message_is_another_matter(offline: Product) -> None:
    await offline.final(await offline.slack.dm(TROUBLE, user=KENTA))
    offline.advance(seconds=31 * 60)
    await offline.final(await offline.slack.dm("クロージングで悩んでいます。", user=KENTA))
    assert [topic for topic, _ in await talks(offline)] == ["prospecting", "closing"]
