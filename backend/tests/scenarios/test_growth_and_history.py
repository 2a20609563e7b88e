"""What somebody did with the coach, for their own eyes: in words, as a picture, as files, and gone when they say so."""

import io
import json
import zipfile
from typing import Any

import pytest

from app.assistant.change_plan import Outcome as Change
from app.coaching.memory.insight import Insight, Kind
from app.coaching.memory.repository import MemoryRepository
from app.people.person import Actor
from app.playground.demo_workspace import EMILY, KENTA, SALES_CHANNEL, TEAM, XIAOMING, YOKO
from app.playground.small_slack import Sent, visible_text
from tests.doubles.plans import keep_plan
from tests.doubles.product import Product, until

TITLES = ("10社に連絡する", "台本を5回読む", "断り文句を書く", "切り出しを直す")


def text_of(answer: Any) -> str:
    return json.dumps(answer.json(), ensure_ascii=False).replace("\u2060", "")


async def has_done(product: Product, user: str = KENTA, *, topic: str = "prospecting", done: int = 3) -> list[int]:
    """A plan of four actions, of which the first ones are done."""
    services = product.services
    async with services.database.transaction() as session:
        cipher = product.edge.talks._cipher
        items = await keep_plan(
            session, cipher, team_id=TEAM, user_id=user, now=services.clock.now(), titles=TITLES, topic=topic
        )  # fmt: skip
    for item in items[:done]:
        assert (await product.edge.change_plan.tick(Actor(TEAM, user), item)).outcome is Change.CHANGED
    return items


def direct_messages(product: Product, user: str = KENTA) -> list[dict[str, Any]]:
    return sorted(product.slack.workspace().direct(user).messages.values(), key=lambda message: str(message["ts"]))


def files_for(product: Product, user: str = KENTA) -> dict[str, bytes]:
    """Names and contents of what was shared in the person's DM."""
    workspace = product.slack.workspace()
    shared = [file for message in direct_messages(product, user) for file in message.get("files", ())]
    return {file["name"]: workspace.contents[file["id"]] for file in shared}


def buttons_of(message: dict[str, Any]) -> list[str]:
    return [one["action_id"] for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]


async def test_somebody_new_reads_how_to_begin_and_gets_no_chart(product: Product) -> None:
    shown = text_of(await product.slack.command("/ai_history"))
    assert "まだ記録がありません" in shown and "公開範囲: 自分のみ" in shown
    await product.until_quiet()
    assert direct_messages(product) == []


async def test_somebody_who_worked_reads_it_in_words_and_gets_the_chart(product: Product) -> None:
    await has_done(product)
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    answer = await product.slack.command("/ai_history", channel=SALES_CHANNEL)
    assert answer.json()["response_type"] == "ephemeral"
    for part in ("直近30日間", "*会話*\\n1件", "*進行中の行動*\\n1件", "*終えた行動*\\n3件", "100%（期限が来た3件のうち3件）",
                 "切り出しを直す", "▰▰▱▱▱ *新規開拓*：取り組み始め（記録3件）", "データ不足: ヒアリング", "次に取り組むこと",
                 "A社の値引き", "DMにお届け"):  # fmt: skip
        assert part in text_of(answer), part
    await product.until_quiet()
    files = files_for(product)
    assert list(files) == ["growth.png"] and files["growth.png"].startswith(b"\x89PNG")
    assert product.slack.ephemerals_for(YOKO, channel=SALES_CHANNEL) == []
    assert not any(message.get("files") for message in product.slack.channel(SALES_CHANNEL).messages.values())


async def test_the_latest_insights_are_read_with_their_kind(product: Product) -> None:
    now = product.services.clock.now()
    async with product.services.database.transaction() as session:
        memories = MemoryRepository(session, product.edge.talks._cipher)
        insights = [Insight(Kind.GOAL, "来月までに5件受注する", 0.9, now), Insight(Kind.STRENGTH, "聞き役が得意です", 0.9, now)]
        await memories.add(TEAM, KENTA, insights, [None, None])
        await memories.add(TEAM, YOKO, [Insight(Kind.CHALLENGE, "洋子の課題", 0.9, now)], [None])
    shown = text_of(await product.slack.command("/ai_history"))
    assert "目標：来月までに5件受注する" in shown and "強み：聞き役が得意です" in shown and "洋子" not in shown


async def test_nobody_else_sees_any_of_it(product: Product) -> None:
    await has_done(product)
    shown = text_of(await product.slack.command("/ai_history", user=YOKO))
    assert "まだ記録がありません" in shown and "10社" not in shown
    await product.until_quiet()
    assert files_for(product, YOKO) == {}


@pytest.mark.parametrize(
    "user, title",
    [(KENTA, "あなたの歩み（直近7日間）"), (EMILY, "Your progress (last 7 days)"), (XIAOMING, "您的成长（最近7天）")],
)
async def test_the_days_can_be_chosen_in_everybodys_language(product: Product, user: str, title: str) -> None:
    await has_done(product, user)
    assert title in text_of(await product.slack.command("/ai_history", "7d", user=user))
    await product.until_quiet()
    [message] = direct_messages(product, user)
    assert message["files"][0]["name"] == "growth.png" and message["text"]


async def test_the_same_use_of_the_command_brings_one_chart(product: Product) -> None:
    await has_done(product)
    for _ in range(2):
        await product.slack.command("/ai_history")
    await product.until_quiet()
    assert len(direct_messages(product)) == 2  # asked twice, answered twice
    assert len(await product.rows("select 1 from inbox where kind = 'command'")) == 2


async def test_words_it_does_not_know_are_answered_with_those_it_does(product: Product) -> None:
    shown = text_of(await product.slack.command("/ai_history", "なんとか <!channel>"))
    assert "なんとか" in shown and "export" in shown and "<!channel>" not in shown


async def test_in_a_thread_of_a_channel_it_is_whispered_and_the_chart_comes_privately(product: Product) -> None:
    await has_done(product)
    said = await product.slack.say("朝会です")
    await product.slack.say("!ai_history 90d", thread_ts=said.ts)
    await product.until_quiet()
    [shown] = product.slack.ephemerals_for(KENTA)
    assert "直近90日間" in visible_text(shown) and shown["thread_ts"] == said.ts
    assert list(files_for(product)) == ["growth.png"]


async def test_in_a_direct_message_the_chart_follows_in_the_same_thread(product: Product) -> None:
    await has_done(product)
    asked = await product.slack.dm("!ai_history")
    answers = await product.final(asked)
    assert "直近30日間" in visible_text(answers[0])
    assert [file["name"] for message in answers for file in message.get("files", ())] == ["growth.png"]


async def test_how_an_action_went_is_asked_and_counts(product: Product) -> None:
    await has_done(product)
    await product.slack.command("/ai_history", channel=SALES_CHANNEL)
    [shown] = product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)
    assert "「断り文句を書く」を終えましたね" in visible_text(shown)
    for outcome in ("missed", "reached"):
        assert (await product.slack.click(f"item_outcome_{outcome}", ts=shown["ts"], channel=SALES_CHANNEL)).is_ok
    values = [row["value"] for row in await product.rows("select value from skill_evidence order by id")]
    assert values == [0.8, 0.8, 1.0]
    noted = product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)[-1]
    assert "結果を記録しました" in visible_text(noted)
    assert "「台本を5回読む」を終えましたね" in text_of(await product.slack.command("/ai_history"))


async def test_without_a_picture_the_same_arrives_in_words(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.coaching.growth.chart.PAINTER", "app.no_such_painter")
    await has_done(product)
    await product.slack.command("/ai_history")
    await product.until_quiet()
    [message] = direct_messages(product)
    assert "グラフを作れませんでした" in visible_text(message) and "新規開拓" in visible_text(message)


async def test_an_upload_that_fails_once_is_tried_again(product: Product) -> None:
    await has_done(product)
    product.slack.faults.add("files.completeUploadExternal", "server_error", times=1)
    await product.slack.command("/ai_history")
    await product.until_quiet()
    assert list(files_for(product)) == ["growth.png"]


@pytest.mark.parametrize("words", ["", "export"])
async def test_a_file_whose_arrival_was_not_heard_of_is_not_sent_again(product: Product, words: str) -> None:
    await has_done(product)
    product.slack.faults.add("files.completeUploadExternal", "lost_response", times=1)
    await product.slack.command("/ai_history", words)
    await product.until_quiet()
    assert len(direct_messages(product)) == 1 and files_for(product)


async def test_an_app_that_may_not_write_files_says_it_in_words(product: Product) -> None:
    await has_done(product)
    product.slack.faults.add("files.getUploadURLExternal", "error", error="missing_scope", times=9)
    await product.slack.command("/ai_history")
    await product.until_quiet()
    [message] = direct_messages(product)
    assert "グラフを作れませんでした" in visible_text(message) and "新規開拓" in visible_text(message)


async def test_everything_can_be_taken_away_as_files(product: Product) -> None:
    await has_done(product)
    await has_done(product, YOKO, topic="closing")
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    await product.final(await product.slack.dm("洋子の秘密です", user=YOKO))
    assert "書き出しを始めました" in text_of(await product.slack.command("/ai_history", "export"))
    await product.until_quiet()
    files = files_for(product)
    [as_json] = [content for name, content in files.items() if name.endswith(".json")]
    [as_zip] = [content for name, content in files.items() if name.endswith(".zip")]
    assert "A社の値引き" in as_json.decode() and "10社に連絡する" in as_json.decode() and "洋子" not in as_json.decode()
    with zipfile.ZipFile(io.BytesIO(as_zip)) as archive:
        assert {"messages.csv", "plan_items.csv", "skill_evidence.csv"} <= set(archive.namelist())
        assert all("洋子".encode() not in archive.read(name) for name in archive.namelist())
    assert files_for(product, YOKO) == {}
    assert "公開範囲: 自分のみ" in visible_text(direct_messages(product)[-1])


async def test_the_export_can_be_asked_for_by_button(product: Product) -> None:
    await product.slack.command("/ai_history", channel=SALES_CHANNEL)
    [shown] = product.slack.ephemerals_for(KENTA, channel=SALES_CHANNEL)
    assert (await product.slack.click("export_my_data", ts=shown["ts"], channel=SALES_CHANNEL)).is_ok
    await product.until_quiet()
    assert len(files_for(product)) == 2


async def type_word(product: Product, word: str, user: str = KENTA) -> Any:
    return await product.slack.submit({"word": {"text": {"type": "plain_text_input", "value": word}}}, user=user)


async def test_erasing_says_what_goes_and_wants_the_word(product: Product) -> None:
    await has_done(product)
    assert (await product.slack.command("/ai_history", "delete")).is_ok
    modal = json.dumps(product.slack.modal_of(), ensure_ascii=False)
    for part in ("元に戻すことはできません", "行動計画の項目", "スキルの記録", "Slackに残っているDM", "export", "AIの利用量"):
        assert part in modal
    answer = await type_word(product, "はい")
    assert answer.json()["response_action"] == "errors"
    assert len(await product.rows("select 1 from skill_evidence")) == 3


@pytest.mark.parametrize("word", ["削除", " 「削除」 ", "DELETE", "删除"])
async def test_everything_is_erased_and_said_to_be(product: Product, word: str) -> None:
    await has_done(product)
    await has_done(product, YOKO)
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    await product.until_quiet()
    await product.slack.command("/ai_history", "delete")
    assert (await type_word(product, word)).is_ok
    assert "消去を始めました" in json.dumps(product.slack.modal_of(), ensure_ascii=False)
    await product.until_quiet()
    assert "すべて消去しました" in visible_text(direct_messages(product)[-1])
    for table in ("skill_evidence", "plan_items", "action_plans", "dialogue_messages", "dialogue_sessions"):
        users = {row["user_id"] for row in await product.rows(f"select user_id from {table}")}
        assert KENTA not in users, table
    assert {row["user_id"] for row in await product.rows("select user_id from skill_evidence")} == {YOKO}
    assert "まだ記録がありません" in text_of(await product.slack.command("/ai_history"))
    await product.until_quiet()


async def test_in_a_thread_a_button_opens_the_window_before_anything_is_erased(product: Product) -> None:
    await has_done(product)
    said = await product.slack.say("朝会です")
    await product.slack.say("!ai_history delete", thread_ts=said.ts)
    await product.until_quiet()
    [shown] = product.slack.ephemerals_for(KENTA)
    assert buttons_of(shown) == ["forget_me_open"]
    assert len(await product.rows("select 1 from skill_evidence")) == 3
    assert (await product.slack.click("forget_me_open", ts=shown["ts"])).is_ok
    assert (await type_word(product, "削除")).is_ok
    await product.until_quiet()
    assert await product.rows("select 1 from skill_evidence") == []


async def test_an_export_that_cannot_be_delivered_says_so(product: Product) -> None:
    product.slack.faults.add("files.completeUploadExternal", "error", error="channel_not_found", times=99)
    await product.slack.command("/ai_history", "export")
    await product.until_quiet()
    [message] = direct_messages(product)
    assert "お問い合わせ番号" in visible_text(message)


async def test_after_erasing_not_even_the_wish_to_be_forgotten_names_the_person(product: Product) -> None:
    await product.final(await product.slack.dm("A社の値引きについて相談です"))
    await product.slack.command("/ai_history", "delete")
    await type_word(product, "削除")

    async def nobody_is_named() -> bool:
        return not await product.rows(f"select 1 from inbox where user_id = '{KENTA}' or event_id like '%{KENTA}%'")

    await until(nobody_is_named)
    assert "すべて消去しました" in visible_text(direct_messages(product)[-1])
    assert not await product.rows(f"select 1 from people where user_id = '{KENTA}'")


async def ask_as_soon_as_erased(product: Product) -> list[Sent]:
    """Questions that the person sends between the erasure and its last word; the coach does not get to them at first."""
    forget, asked = product.edge.forget_person, list[Sent]()

    async def forget_and_ask(*given: Any, **more: Any) -> Any:
        forgotten = await forget(*given, **more)
        if not asked:
            product.door.opened.clear()
            asked.append(await product.slack.dm("新しい相談です。断られたらどうしますか？"))
            await product.until_asked(1)
            asked.append(await product.slack.dm("値引きを求められたらどうしますか？", thread_ts=asked[0].ts))
        return forgotten

    object.__setattr__(product.edge, "forget_person", forget_and_ask)
    await product.slack.command("/ai_history", "delete")
    await type_word(product, "削除")

    async def is_said() -> bool:
        done = await product.rows("select 1 from inbox where kind = 'command' and outcome = 'answered' and user_id is null")
        return bool(done)

    await until(is_said)
    object.__setattr__(product.edge, "forget_person", forget)
    return asked


@pytest.mark.parametrize("is_interrupted", [False, True])
async def test_what_is_asked_while_everything_is_erased_is_answered(product: Product, is_interrupted: bool) -> None:
    if is_interrupted:  # the last word is not taken at first, so that the wish is worked on twice
        product.slack.faults.add("chat.postMessage", "server_error", channel=product.slack.workspace().direct(KENTA).id)
    asked = await ask_as_soon_as_erased(product)
    product.door.opened.set()
    await product.until_quiet()
    answers = [visible_text(message) for message in product.slack.answers_to(asked[0])]
    assert len(answers) == 2 and all("課題を伺い" in answer for answer in answers)
    assert sum("すべて消去しました" in visible_text(message) for message in direct_messages(product)) == 1


async def test_the_last_word_of_an_erasure_is_said_once_when_its_answer_is_lost(product: Product) -> None:
    product.slack.faults.add("chat.postMessage", "lost_response", times=1)
    await product.slack.command("/ai_history", "delete")
    await type_word(product, "削除")
    await product.until_quiet()
    assert sum("すべて消去しました" in visible_text(message) for message in direct_messages(product)) == 1
