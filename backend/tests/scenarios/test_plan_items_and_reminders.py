"""Plan items changed in messages and on Home, reminders on the morning they are due, settings, Home full and empty."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any

import pytest

from app.coaching.plan.due_dates import next_working_day, reminder_moment, today_of
from app.coaching.plan.plan import ActionPlan, Category, PlannedAction, Priority, Rhythm
from app.coaching.plan.repository import PlanRepository
from app.composition import open_cipher
from app.i18n.language import Language
from app.jobs.work import working
from app.people.person import Dose, Persona, Visibility
from app.playground.demo_workspace import EMILY, GUEST, KENTA, TEAM, YOKO
from app.playground.small_slack import visible_text
from app.slack.blocks.plan import plan_item_blocks
from tests.doubles.product import Product, until

TOKYO = "Asia/Tokyo"
TITLE = "既存顧客3社に電話する"


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\u2060", "")


async def has_plan(
    product: Product,
    *,
    user: str = KENTA,
    titles: tuple[str, ...] = (TITLE, "提案書を見直す"),
    in_days: int = 3,
    zone: str = TOKYO,
) -> list[int]:
    """A plan about negotiation whose items are due on a working day to come; their ids."""
    due_on = next_working_day(today_of(product.clock.now(), TOKYO) + timedelta(days=in_days))
    actions = tuple(
        PlannedAction(title, "用件を先に決めておく", Priority.HIGH, due_on, Category.CUSTOMER, "3社と話せた") for title in titles
    )
    async with product.services.database.transaction() as session:
        plans = PlanRepository(session, open_cipher(product.services.settings))
        plan_id = await plans.keep(
            TEAM, user, ActionPlan("価格の話に備える", actions, Rhythm.WEEKLY), talk_id=None, topic="negotiation", language="ja",
            made_by="rules", reminders=tuple(reminder_moment(due_on, TOKYO) for _ in actions),
        )  # fmt: skip
        assert plan_id is not None
        return [item.id for item in await plans.items_of_plan(TEAM, user, plan_id)]


async def item_of(product: Product, item_id: int, *, user: str = KENTA) -> Any:
    async with product.services.database.reading() as session:
        return await PlanRepository(session, open_cipher(product.services.settings)).item(TEAM, user, item_id)


async def home_of(product: Product, *, user: str = KENTA) -> str:
    await product.slack.open_home(user=user)
    await product.until_quiet()
    return shown(product.slack.home_of(user))


async def plan_message(product: Product, item_ids: list[int], *, user: str = KENTA) -> tuple[str, str]:
    """The plan as a message in the person's direct messages: its channel and ts."""
    items = [await item_of(product, item_id, user=user) for item_id in item_ids]
    language = (await product.edge.people.find(TEAM, user)).language
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "計画です"}, "block_id": "intro"}]
    channel_id = (await product.edge.client.call("conversations.open", json={"users": user}))["channel"]["id"]
    blocks += plan_item_blocks(items, language, today_of(product.clock.now(), TOKYO))
    ts = await product.edge.client.post_message(channel_id=channel_id, thread_ts=None, text="計画です", blocks=blocks)
    return channel_id, ts


def message_at(product: Product, where: tuple[str, str]) -> str:
    return shown(product.slack.channel(where[0]).messages[where[1]])


def choose(choice: str, item_id: int) -> dict[str, Any]:
    return {"selected_option": {"value": f"{choice}:{item_id}"}}


def a_day(day: date) -> dict[str, Any]:
    return {"due_on": {"day": {"type": "datepicker", "selected_date": day.isoformat()}}}


async def test_ticking_in_a_message_shows_it_there_counts_as_evidence_and_can_be_undone(product: Product) -> None:
    first, second = await has_plan(product)
    where = await plan_message(product, [first, second])
    assert (await product.slack.click("plan_item_done", ts=where[1], channel=where[0], block_id=f"plan_item:{first}:2")).is_ok
    assert "完了" in message_at(product, where) and "計画です" in message_at(product, where)
    assert (await item_of(product, first)).status == "done" and (await item_of(product, second)).status == "open"
    evidence = await product.rows("select source, user_id from skill_evidence")
    assert evidence and {(row["source"], row["user_id"]) for row in evidence} == {(f"plan_item:{first}", KENTA)}
    assert (await product.slack.click("plan_item_undo", ts=where[1], channel=where[0])).is_ok
    assert (await item_of(product, first)).status == "open" and await product.rows("select 1 from skill_evidence") == []
    assert "完了" not in message_at(product, where)


async def test_ticking_on_home_takes_it_off_the_list(product: Product) -> None:
    first, _ = await has_plan(product)
    assert TITLE in await home_of(product)
    assert (await product.slack.click("plan_item_done", block_id=f"plan_item:{first}:2")).is_ok
    await product.until_quiet()
    home = shown(product.slack.home_of())
    assert f"plan_item:{first}:2" not in home and "提案書を見直す" in home and "終えた行動1件" in home


async def test_a_click_on_an_old_list_says_what_holds_and_changes_nothing(product: Product) -> None:
    first, second = await has_plan(product)
    where = await plan_message(product, [first, second])
    await home_of(product)
    await product.slack.click("plan_item_done", ts=where[1], channel=where[0], block_id=f"plan_item:{first}:2")
    settled_at = (await item_of(product, first)).settled_at
    old = product.slack.workspace().homes[KENTA]
    await forged(product, "plan_item_done", {"value": str(first)}, view=old)
    assert (await item_of(product, first)).settled_at == settled_at
    assert "すでに完了しています" in shown(product.slack.modal_of())


async def forged(product: Product, action_id: str, chosen: dict[str, Any], *, user: str = KENTA, view: Any = None) -> Any:
    """A click with whatever in it."""
    workspace = product.slack.workspace()
    payload = {
        "type": "block_actions", "team": {"id": TEAM}, "user": {"id": user}, "api_app_id": workspace.app_id,
        "trigger_id": product.slack.api.triggers.issue(TEAM, user, None), "view": view or {"type": "home"},
        "container": {"type": "view"},
        "actions": [{"action_id": action_id, "block_id": "b", "type": "button", **chosen}],
    }  # fmt: skip
    return await product.slack.deliveries.interaction(payload)


@pytest.mark.parametrize("number", ["{theirs}", "999999", "0", "-1", "abc", "9" * 30, "１"])
async def test_somebody_elses_item_in_a_forged_click_changes_nothing(product: Product, number: str) -> None:
    theirs = (await has_plan(product, user=YOKO))[0]
    before = await product.rows("select * from plan_items order by id")
    value = number.format(theirs=theirs)
    for action_id in ("plan_item_done", "plan_item_undo", "reminder_stop_item"):
        assert (await forged(product, action_id, {"value": value})).is_ok
        assert "見つかりませんでした" in shown(product.slack.modal_of())
    for action_id, choice in (("plan_item_menu", "edit"), ("plan_item_menu", "drop"), ("reminder_snooze", "tomorrow")):
        assert (await forged(product, action_id, {"selected_option": {"value": f"{choice}:{value}"}})).is_ok
        assert TITLE not in shown(product.slack.modal_of())
    assert await product.rows("select * from plan_items order by id") == before
    assert await product.rows("select 1 from skill_evidence") == []


async def test_a_forged_form_for_somebody_elses_item_changes_nothing(product: Product) -> None:
    [mine], [theirs] = await has_plan(product, titles=("私の行動",)), await has_plan(product, user=YOKO, titles=(TITLE,))
    before = await product.rows(f"select * from plan_items where id = {theirs}")
    for choice, values in (
        ("postpone", a_day(today_of(product.clock.now(), TOKYO) + timedelta(days=30))),
        ("drop", {"reason": {"text": {"value": "x"}}}),
    ):
        await home_of(product)
        await product.slack.click("plan_item_menu", chosen=choose(choice, mine))
        view = product.slack.api.views.top(product.slack.workspace(), KENTA)
        view["private_metadata"] = json.dumps({"item": theirs})
        assert (await product.slack.submit(values)).is_ok
        assert "見つかりませんでした" in shown(product.slack.modal_of())
    assert await product.rows(f"select * from plan_items where id = {theirs}") == before


async def test_postponing_from_a_message_moves_the_date_there_and_the_reminder_with_it(product: Product) -> None:
    first, second = await has_plan(product)
    where = await plan_message(product, [first, second])
    await product.slack.click(
        "plan_item_menu", ts=where[1], channel=where[0], block_id=f"plan_item:{first}:2", chosen=choose("postpone", first)
    )
    day = next_working_day(today_of(product.clock.now(), TOKYO) + timedelta(days=20))
    assert (await product.slack.submit(a_day(day))).is_ok and product.slack.modal_of() is None
    item = await item_of(product, first)
    assert (item.action.due_on, item.postponed, item.remind_at) == (day, 1, reminder_moment(day, TOKYO))
    assert f"{day.year}年{day.month}月{day.day}日" in message_at(product, where)


@pytest.mark.parametrize("days", [-400, -1, 0, 400])
async def test_a_date_that_is_not_to_come_is_refused_in_the_form(product: Product, days: int) -> None:
    first, _ = await has_plan(product)
    before = await item_of(product, first)
    await home_of(product)
    await product.slack.click("plan_item_menu", block_id=f"plan_item:{first}:2", chosen=choose("postpone", first))
    answer = await product.slack.submit(a_day(today_of(product.clock.now(), TOKYO) + timedelta(days=days)))
    assert answer.json()["response_action"] == "errors" and "due_on" in answer.json()["errors"]
    assert await item_of(product, first) == before


async def test_a_holiday_becomes_the_next_working_day_and_the_person_reads_so(product: Product) -> None:
    first, _ = await has_plan(product)
    today = today_of(product.clock.now(), TOKYO)
    saturday = today + timedelta(days=12 - today.weekday())
    await home_of(product)
    await product.slack.click("plan_item_menu", block_id=f"plan_item:{first}:2", chosen=choose("postpone", first))
    await product.slack.submit(a_day(saturday))
    assert "次の営業日" in shown(product.slack.modal_of())
    assert (await item_of(product, first)).action.due_on == next_working_day(saturday)


async def test_an_item_is_rewritten_in_the_persons_own_words(product: Product) -> None:
    first, _ = await has_plan(product)
    due_on = (await item_of(product, first)).action.due_on
    where = await plan_message(product, [first])
    await product.slack.click("plan_item_menu", ts=where[1], channel=where[0], chosen=choose("edit", first))
    written = {
        "title": {"text": {"value": "A社とB社に電話する <!channel>"}}, "description": {"text": {"value": "朝いちばんに"}},
        "metric": {"text": {"value": "2社"}}, "priority": {"choice": {"selected_option": {"value": "low"}}}, **a_day(due_on),
    }  # fmt: skip
    spaces = await product.slack.submit(written | {"title": {"text": {"value": "　 "}}})
    assert set(spaces.json()["errors"]) == {"title"}
    assert (await product.slack.submit(written)).is_ok and product.slack.modal_of() is None
    action = (await item_of(product, first)).action
    assert (action.title, action.description, action.success_metric, action.priority, action.due_on) == (
        "A社とB社に電話する <!channel>", "朝いちばんに", "2社", "low", due_on,
    )  # fmt: skip
    assert "A社とB社に電話する" in message_at(product, where) and "<!channel>" not in message_at(product, where)
    stored = await product.rows(f"select title, description from plan_items where id = {first}")
    assert "A社".encode() not in stored[0]["title"]


async def test_dropping_asks_first_keeps_the_reason_encrypted_and_can_be_undone(product: Product) -> None:
    first, _ = await has_plan(product)
    where = await plan_message(product, [first])
    await product.slack.click("plan_item_menu", ts=where[1], channel=where[0], chosen=choose("drop", first))
    assert (await item_of(product, first)).status == "open"
    assert (await product.slack.submit({"reason": {"text": {"value": "体制が変わった"}}})).is_ok
    assert (await item_of(product, first)).status == "dropped" and "取りやめ" in message_at(product, where)
    [row] = await product.rows(f"select drop_reason from plan_items where id = {first}")
    assert row["drop_reason"] and "体制".encode() not in row["drop_reason"]
    await product.slack.click("plan_item_undo", ts=where[1], channel=where[0])
    assert (await item_of(product, first)).status == "open"


async def test_a_click_in_a_message_only_one_person_sees_is_answered_with_a_sentence(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    channel_id = product.slack.workspace().direct(KENTA).id
    blocks = plan_item_blocks([await item_of(product, first)], Language.JAPANESE, today_of(product.clock.now(), TOKYO))
    await product.edge.client.post_ephemeral(channel_id=channel_id, user_id=KENTA, text="計画です", blocks=blocks)
    [only_mine] = product.slack.ephemerals_for(KENTA, channel=channel_id)
    assert (await product.slack.click("plan_item_done", ts=only_mine["ts"], channel=channel_id)).is_ok
    assert (await item_of(product, first)).status == "done"
    assert any("完了にしました" in visible_text(one) for one in product.slack.ephemerals_for(KENTA, channel=channel_id))


async def reminders_of(product: Product, user: str = KENTA) -> list[Any]:
    direct = product.slack.workspace().direct(user)
    return [one for one in sorted(direct.messages.values(), key=lambda one: one["ts"])
            if (one.get("metadata") or {}).get("event_type") == "sales_agent_reminder"]  # fmt: skip


async def to_the_morning_of(product: Product, item_id: int, *, user: str = KENTA, zone: str = TOKYO, **more: float) -> None:
    item = await item_of(product, item_id, user=user)
    product.advance_to(reminder_moment(item.action.due_on, zone) + timedelta(**more))


async def test_on_the_morning_of_the_due_date_the_person_is_reminded_once_by_however_many_workers(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    await to_the_morning_of(product, first, seconds=-60)
    await product.services.send_reminders()
    assert await reminders_of(product) == []
    product.advance(minutes=2)
    await asyncio.gather(*(product.services.send_reminders() for _ in range(5)))
    await product.services.send_reminders()
    [reminder] = await reminders_of(product)
    for part in ("今日が期限", TITLE, "3社と話せた", "公開範囲: 非公開"):
        assert part in shown(reminder)
    assert [row["outcome"] for row in await product.rows("select outcome from plan_reminders")] == ["sent"]


async def test_a_worker_that_died_after_posting_is_not_repeated_and_one_that_died_before_is(product: Product) -> None:
    first, second = await has_plan(product)
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    sent = await reminders_of(product)
    assert len(sent) == 2
    async with product.services.database.transaction() as session:  # both rows as their worker left them when it died
        await session.execute("update plan_reminders set done_at = null, outcome = null, ts = null, channel_id = null")
    lost = next(one for one in sent if "提案書" in shown(one))
    await product.edge.client.delete_message(channel_id=product.slack.workspace().direct(KENTA).id, ts=lost["ts"])
    assert await product.services.send_reminders() == 0, "left alone while its worker may still be at it"
    product.advance(minutes=6)
    assert await product.services.send_reminders() == 2
    again = await reminders_of(product)
    assert len(again) == 2 and sum(TITLE in shown(one) for one in again) == 1
    rows = await product.rows("select outcome, ts from plan_reminders order by id")
    assert {row["ts"] for row in rows} == {one["ts"] for one in again}
    assert (await item_of(product, second)).status == "open"


async def test_slack_away_delays_a_reminder_and_loses_none(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    await to_the_morning_of(product, first, minutes=1)
    product.slack.faults.add("chat.postMessage", "error", error="fatal_error", times=1)
    await product.services.send_reminders()
    assert await reminders_of(product) == []
    product.advance(minutes=6)
    await product.services.send_reminders()
    assert len(await reminders_of(product)) == 1


async def test_done_under_the_reminder_ticks_the_item(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    [reminder] = await reminders_of(product)
    direct = product.slack.workspace().direct(KENTA).id
    assert (await product.slack.click("plan_item_done", ts=reminder["ts"], channel=direct)).is_ok
    assert (await item_of(product, first)).status == "done"
    assert "完了" in message_at(product, (direct, reminder["ts"])) and "reminder_snooze" not in message_at(
        product, (direct, reminder["ts"])
    )


async def test_snoozed_until_tomorrow_it_comes_again_tomorrow_and_no_sooner(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    [reminder] = await reminders_of(product)
    direct = product.slack.workspace().direct(KENTA).id
    await product.slack.click("reminder_snooze", ts=reminder["ts"], channel=direct, chosen=choose("tomorrow", first))
    assert "もう一度お知らせします" in message_at(product, (direct, reminder["ts"]))
    await product.services.send_reminders()
    assert len(await reminders_of(product)) == 1
    product.advance(days=1)
    await product.services.send_reminders()
    [_, second] = await reminders_of(product)
    assert "期限を過ぎている" in shown(second)


async def test_reminders_of_one_item_stop_and_the_others_come(product: Product) -> None:
    first, second = await has_plan(product)
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    direct = product.slack.workspace().direct(KENTA).id
    for reminder in await reminders_of(product):
        item_id = first if TITLE in shown(reminder) else second
        if item_id == first:
            await product.slack.click("reminder_stop_item", ts=reminder["ts"], channel=direct)
            assert "お知らせは止めました" in message_at(product, (direct, reminder["ts"]))
        else:
            await product.slack.click("reminder_snooze", ts=reminder["ts"], channel=direct, chosen=choose("three_days", second))
    product.advance(days=3)
    await product.services.send_reminders()
    assert ["提案書" in shown(one) for one in (await reminders_of(product))[2:]] == [True]


async def test_who_stops_all_reminders_gets_none_until_they_turn_them_on(product: Product) -> None:
    first, _ = await has_plan(product)
    await home_of(product)
    assert (await product.slack.click("reminders_switch")).is_ok
    await product.until_quiet()
    assert "オフ" in shown(product.slack.home_of())
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    assert await reminders_of(product) == []
    await product.slack.click("reminders_switch")
    await product.until_quiet()
    assert (await product.edge.people.find(TEAM, KENTA)).reminders_on
    await product.services.send_reminders()
    assert await reminders_of(product) == [], "what has passed has passed"


async def test_guests_and_people_who_have_gone_get_no_reminder(product: Product) -> None:
    [first] = await has_plan(product, user=GUEST, titles=(TITLE,))
    [second] = await has_plan(product, user="U0GONE00001", titles=(TITLE,))
    await to_the_morning_of(product, first, user=GUEST, minutes=1)
    await product.services.send_reminders()
    assert {row["outcome"] for row in await product.rows("select outcome from plan_reminders")} == {"stranger"}
    assert await reminders_of(product, GUEST) == [] and second


async def test_what_is_done_or_dropped_before_the_morning_is_not_reminded_of(product: Product) -> None:
    first, second = await has_plan(product)
    await home_of(product)
    await product.slack.click("plan_item_done", block_id=f"plan_item:{first}:2")
    await product.slack.click("plan_item_menu", block_id=f"plan_item:{second}:2", chosen=choose("drop", second))
    await product.slack.submit({"reason": {"text": {"value": None}}})
    await product.until_quiet()
    await to_the_morning_of(product, first, minutes=1)
    await product.services.send_reminders()
    assert await reminders_of(product) == []


async def test_nobody_is_woken_in_the_place_they_have_travelled_to(product: Product) -> None:
    [first] = await has_plan(product, titles=(TITLE,))
    product.slack.workspace().users[KENTA]["tz"] = "Europe/London"
    await to_the_morning_of(product, first, minutes=1)  # nine in Tokyo: the night in London
    await product.services.send_reminders()
    assert await reminders_of(product) == []
    await to_the_morning_of(product, first, zone="Europe/London", minutes=1)
    await product.services.send_reminders()
    assert len(await reminders_of(product)) == 1


async def test_the_reminder_speaks_the_persons_language(product: Product) -> None:
    [first] = await has_plan(product, user=EMILY, titles=("Call three customers",))
    await to_the_morning_of(product, first, user=EMILY, minutes=1)
    await product.services.send_reminders()
    [reminder] = await reminders_of(product, EMILY)
    assert "Good morning" in visible_text(reminder) and "Remind me later" in shown(reminder)


async def test_the_settings_on_home_hold_from_then_on_and_reach_the_model(product: Product) -> None:
    await home_of(product)
    for action_id, value in (("choose_dose", "full"), ("choose_persona", "direct"), ("choose_visibility", "team_numbers")):
        assert (await product.slack.click(action_id, chosen={"selected_option": {"value": value}})).is_ok
        await product.until_quiet()
    person = await product.edge.people.find(TEAM, KENTA)
    assert (person.dose, person.persona, person.visibility) == (Dose.FULL, Persona.DIRECT, Visibility.TEAM_NUMBERS)
    await product.final(await product.slack.dm("値引きを求められたらどう返せばよいですか？"))
    [asked] = [question.speaker for question in product.door.asked]
    assert (asked.dose, asked.persona) == (Dose.FULL, Persona.DIRECT)
    assert (await product.edge.people.find(TEAM, YOKO)).visibility is Visibility.PRIVATE
    await product.slack.click("choose_dose", chosen={"selected_option": {"value": "auto"}})
    await product.until_quiet()
    assert (await product.edge.people.find(TEAM, KENTA)).dose is Dose.ONE


async def test_home_is_there_at_once_and_then_as_it_is_now(product: Product) -> None:
    assert "進行中の行動はありません" in await home_of(product)
    await has_plan(product)
    published = product.slack.record.calls_per_method["views.publish"]
    assert TITLE in await home_of(product)
    assert product.slack.record.calls_per_method["views.publish"] == published + 2, "the old one at once, then the new one"
    await home_of(product)
    assert product.slack.record.calls_per_method["views.publish"] == published + 3, "the same one need not be shown twice"


async def test_home_never_shows_a_colleagues_things(product: Product) -> None:
    await has_plan(product, user=YOKO, titles=("陽子さんだけの行動",))
    assert "陽子さんだけの行動" not in await home_of(product)
    assert "陽子さんだけの行動" in await home_of(product, user=YOKO)


async def test_home_of_a_guest_says_that_the_coach_is_not_for_them(product: Product) -> None:
    home = await home_of(product, user=GUEST)
    assert "ゲスト" in home and "choose_dose" not in home


async def test_a_very_full_home_is_published(product: Product) -> None:
    for number in range(12):
        await has_plan(product, titles=tuple(f"行動{number}-{n}" + "あ" * 70 for n in range(5)))
    home = await home_of(product)
    assert "ほかに50件" in home and "行動0-0" in home


async def test_a_job_looks_every_minute_for_what_is_due(product: Product) -> None:
    async def is_deferred() -> bool:
        return bool(await product.rows("select 1 from procrastinate_periodic_defers where periodic_id = 'remind'"))

    async with working(product.services):  # as a process that keeps to the clock, beside the test's own
        await until(is_deferred)
