"""A salesperson mentions the coach in a channel and gets a sourced answer in the thread."""

from app.core.errors import ModelRefused
from app.playground.small_slack import visible_text
from tests.doubles.model_server import says
from tests.doubles.product import Product


async def test_a_mention_is_answered_in_its_thread_with_the_source(product: Product) -> None:
    await product.knows("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。申請は前日までに行います。")
    product.model.then(says("10%を超える値引きには", "部長の承認が必要です。[1]"))
    asked = await product.slack.mention("10%を超える値引きの承認は誰に申請しますか？")

    [answer] = await product.final(asked)

    assert answer["thread_ts"] == asked.ts
    shown = visible_text(answer)
    assert "部長の承認が必要です" in shown
    assert "値引きの承認ルール" in shown and "2026年4月1日" in shown
    assert "承認が必要" in product.model.requests[0].text  # what the model was given to read


async def test_a_mention_that_arrives_twice_is_answered_once(product: Product) -> None:
    asked = await product.slack.mention("商談の準備を手伝ってください")
    assert len(asked.deliveries) == 2  # as app_mention and as message
    answers = await product.slack.redeliver(asked.event_id, times=4, retry=1)
    assert {answer.status for answer in answers} == {200}

    await product.final(asked)

    assert await product.outcomes() == ["answered"]
    assert len(product.slack.thread(asked)) == 1


async def test_an_answer_without_sources_says_so(product: Product) -> None:
    asked = await product.slack.mention("初回訪問では何を聞けばよいですか？")
    [answer] = await product.final(asked)
    assert "見つかりませんでした" in visible_text(answer)


async def test_a_mention_inside_a_thread_is_answered_in_that_thread(product: Product) -> None:
    said = await product.slack.say("A社から値引きを求められています")
    asked = await product.slack.mention("どう返せばよいですか？", thread_ts=said.ts)
    [answer] = await product.final(asked)
    assert answer["thread_ts"] == said.ts
    assert not product.door.asked[0].conversation.is_direct


async def test_feedback_is_kept_and_the_last_click_wins(product: Product) -> None:
    asked = await product.slack.dm("商談の準備を手伝ってください")
    [answer] = await product.final(asked)

    for verdict in ("helpful", "unhelpful"):
        clicked = await product.slack.click("answer_feedback", ts=answer["ts"], channel=asked.channel, chosen={"value": verdict})
        assert clicked.is_ok

    modal = product.slack.modal_of()
    assert modal is not None and modal["callback_id"] == "feedback_reason"
    assert (await product.slack.submit({"reason": {"text": {"type": "plain_text_input", "value": "根拠が古い"}}})).is_ok
    [row] = await product.rows("select verdict, reason, message_ts from feedback")
    assert (row["verdict"], row["message_ts"]) == ("unhelpful", answer["ts"])
    assert row["reason"] and "根拠".encode() not in row["reason"]


async def test_a_person_stops_an_answer(product: Product) -> None:
    product.model.then(says("まず、", "お客様の", "課題を", "伺います。", piece_seconds=30.0))
    asked = await product.slack.dm("商談の準備を手伝ってください")
    request = await product.model.request(0)

    stopped = await product.slack.stop(asked.ts, channel=asked.channel)

    assert stopped.is_accepted
    await product.final(asked)
    assert sorted(str(outcome) for outcome in await product.outcomes()) == ["answered", "stopped"]
    await request.is_closed.wait()  # the model was really stopped
    # What was read by then is part of the talk.
    await product.final(await product.slack.dm("続きをお願いします", thread_ts=asked.ts))
    assert "まず、" in product.model.requests[1].text


async def test_a_failure_at_the_very_beginning_leaves_one_message_only(product: Product) -> None:
    product.door.failures += [ModelRefused("scripted")] * 3
    for number in range(3):
        asked = await product.slack.dm(f"質問その{number}です")
        [apology] = await product.final(asked)
        assert apology.get("streaming_state") != "in_progress"
