"""A trouble becomes a plan, the plan's items are done over days, and the coach's own pages follow: the whole way, offline."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.coaching.plan.due_dates import next_working_day, today_of
from app.playground.demo_workspace import EMILY, KENTA, XIAOMING
from app.playground.small_slack import visible_text
from tests.doubles.product import Product, open_product, until


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path, llm_base_url=None, llm_api_key=None, llm_model="") as opened:
        yield opened


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\u2060", "")


def buttons(message: dict[str, Any], action_id: str) -> list[str]:
    """Block ids of the buttons with this name."""
    return [
        block["block_id"] for block in message.get("blocks", ())
        if any(element.get("action_id") == action_id for element in block.get("elements", ()))
    ]  # fmt: skip


async def a_plan(product: Product) -> dict[str, Any]:
    """Talks until there is a plan; the message it stands in."""
    asked = await product.slack.dm("新規開拓で苦戦しています。テレアポが全然つながりません。")
    await product.final(asked)
    sent = await product.slack.dm("もう計画を立ててください", thread_ts=asked.ts)
    answers = await product.final(sent)
    return answers[-1]


async def test_a_plan_made_in_a_talk_is_ticked_in_its_thread_and_reminded_of_in_the_morning(product: Product) -> None:
    plan = await a_plan(product)
    direct = product.slack.workspace().direct(KENTA).id
    [first, *others] = buttons(plan, "plan_item_done")
    assert others
    before = visible_text(plan)
    assert (await product.slack.click("plan_item_done", ts=plan["ts"], channel=direct, block_id=first)).is_ok
    after = product.slack.channel(direct).messages[plan["ts"]]
    assert len(buttons(after, "plan_item_done")) == len(others) and "完了" in visible_text(after)
    assert visible_text(after).splitlines()[0] == before.splitlines()[0], "what was said above the items stays"
    day = next_working_day(today_of(product.clock.now(), "Asia/Tokyo") + timedelta(days=25))
    later = {"due_on": {"day": {"type": "datepicker", "selected_date": day.isoformat()}}}
    [menu, *_] = buttons(after, "plan_item_menu")
    chosen = {"selected_option": {"value": f"postpone:{menu.split(':')[1]}"}}
    await product.slack.click("plan_item_menu", ts=plan["ts"], channel=direct, block_id=menu, chosen=chosen)
    assert (await product.slack.submit(later)).is_ok
    moved = visible_text(product.slack.channel(direct).messages[plan["ts"]])
    assert f"{day.month}月{day.day}日" in moved and moved.splitlines()[0] == before.splitlines()[0]
    await product.slack.open_home()
    await product.until_quiet()
    assert "最近の相談: 新規開拓" in shown(product.slack.home_of()) and "終えた行動1件" in shown(product.slack.home_of())
    product.advance(days=30)
    await product.services.send_reminders()
    reminders = [one for one in product.slack.workspace().direct(KENTA).messages.values()
                 if (one.get("metadata") or {}).get("event_type") == "sales_agent_reminder"]  # fmt: skip
    assert len(reminders) == len(others)
    await product.slack.open_home()
    await product.until_quiet()
    home = shown(product.slack.home_of())
    assert ("新規開拓" in home and "終えた行動0件" in home) or "終えた行動1件" in home


async def test_the_dose_chosen_on_home_changes_how_much_is_asked(product: Product) -> None:
    counts = {}
    for dose in ("one", "full"):
        await product.slack.open_home()
        await product.until_quiet()
        await product.slack.click("choose_dose", chosen={"selected_option": {"value": dose}})
        await product.until_quiet()
        topic = "新規開拓で苦戦しています。" if dose == "one" else "クロージングで最後に決めきれず困っています。"
        [answer] = await product.final(await product.slack.dm(topic))
        counts[dose] = visible_text(answer).count("？")
    assert counts["one"] == 1 < counts["full"]


async def test_who_is_forgotten_sees_nothing_of_theirs_on_home(product: Product) -> None:
    await a_plan(product)
    await product.slack.open_home()
    await product.until_quiet()
    assert "plan_item:" in shown(product.slack.home_of())
    await product.slack.command("/ai_history", "delete")
    await product.slack.submit({"word": {"text": {"value": "削除"}}})

    async def is_forgotten() -> bool:
        return not await product.rows(f"select 1 from inbox where user_id = '{KENTA}'")

    await until(is_forgotten)
    assert "plan_item:" not in shown(product.slack.home_of())
    await product.slack.open_home()
    await product.until_quiet()
    assert "進行中の行動はありません" in shown(product.slack.home_of())
    assert await product.rows("select 1 from plan_items union all select 1 from plan_reminders") == []


@pytest.mark.parametrize("user", [KENTA, EMILY, XIAOMING])
async def test_the_start_button_of_home_begins_a_talk(product: Product, user: str) -> None:
    await product.slack.open_home(user=user)
    await product.until_quiet()
    await product.slack.click("suggested_prompt_9", user=user)
    form = product.slack.modal_of(user)
    assert form is not None
    text = next(block["element"]["initial_value"] for block in form["blocks"] if block["type"] == "input")
    await product.slack.submit({"question": {"text": {"type": "plain_text_input", "value": text}}}, user=user)
    await product.until_quiet()
    answers = product.slack.workspace().direct(user).messages.values()
    assert any("□" in visible_text(answer) for answer in answers), "progress is shown in guided talks only"


async def test_the_dose_chosen_on_home_changes_how_much_an_answer_advises(product: Product) -> None:
    counts = {}
    for dose in ("one", "full"):
        await product.slack.open_home()
        await product.until_quiet()
        await product.slack.click("choose_dose", chosen={"selected_option": {"value": dose}})
        await product.until_quiet()
        [answer] = await product.final(await product.slack.dm("値引きを求められたらどう返せばいいですか？"))
        counts[dose] = len(re.findall(r"^\d\. ", visible_text(answer), re.MULTILINE))
    assert counts["one"] == 1 and 3 < counts["full"] <= 5
