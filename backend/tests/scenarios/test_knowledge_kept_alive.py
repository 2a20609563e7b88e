"""Knowledge that people find, judge, propose, decide about and ask for."""

import asyncio
import json
from typing import Any

import pytest

from app.playground.demo_workspace import EMILY, GUEST, KENTA, SALES_CHANNEL, TEAM, YOKO
from app.playground.small_slack import visible_text
from tests.doubles.product import Product, until

Json = dict[str, Any]
DISCOUNT = ("値引きの承認ルール", "10%を超える値引きには部長の承認が必要です。")


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\u2060", "")


def entry_form(title: str, body: str, category: str = "pricing") -> Json:
    return {
        "title": {"text": {"type": "plain_text_input", "value": title}},
        "body": {"text": {"type": "plain_text_input", "value": body}},
        "category": {"chosen": {"type": "static_select", "selected_option": {"value": category}}},
        "source": {"text": {"type": "plain_text_input", "value": "営業会議"}},
    }


async def direct_with(product: Product, user: str, words: str) -> Json:
    """The message in a person's DM that has these words, once it stands."""
    found: list[Json] = []

    async def stands() -> bool:
        found[:] = [one for one in product.slack.workspace().direct(user).messages.values() if words in visible_text(one)]
        return bool(found)

    await until(stands)
    return found[-1]


async def search(product: Product, words: str, user: str = KENTA) -> str:
    return shown((await product.slack.command("/ai_knowledge", words, user=user)).json())


async def owner_is_known(product: Product) -> None:
    await product.edge.people.find(TEAM, YOKO)


async def propose(product: Product, title: str, body: str, user: str = KENTA) -> None:
    """As everybody may: from Home's button."""
    await product.slack.open_home(user=user)
    await product.until_quiet()
    assert (await product.slack.click("proposals_open", user=user)).is_ok
    answer = await product.slack.submit(entry_form(title, body), user=user)
    assert answer.is_ok and "ありがとうございます" in shown(answer.json())


async def click_unseen(product: Product, action_id: str, value: str, *, user: str, trigger: str) -> Any:
    """A click that no button was shown for: what a forger, or an old message, would send."""
    return await product.slack.deliveries.interaction(
        {
            "type": "block_actions", "api_app_id": product.slack.workspace().app_id, "team": {"id": TEAM}, "user": {"id": user},
            "trigger_id": trigger, "container": {"type": "view"},
            "view": {"type": "home", "id": "VH", "callback_id": "home"},
            "actions": [{"type": "button", "block_id": "b", "action_id": action_id, "value": value}],
        }
    )  # fmt: skip


async def test_what_a_rep_proposes_is_found_at_once_when_an_owner_approves(product: Product) -> None:
    await owner_is_known(product)
    await propose(product, "展示会の割引", "展示会の来場者には初月を無料にします。")
    assert "見つかりませんでした" in await search(product, "展示会の来場者")
    told = await direct_with(product, YOKO, "展示会の割引")
    assert (await product.slack.click("proposal_approve_0", ts=told["ts"], channel=told_in(product, YOKO), user=YOKO)).is_ok
    assert "展示会の割引" in await search(product, "展示会の来場者")
    await direct_with(product, KENTA, "公開されました")
    decided = await direct_with(product, YOKO, "承認しました")
    assert "proposal_approve_0" not in shown(decided)


def told_in(product: Product, user: str) -> str:
    return product.slack.workspace().direct(user).id


async def test_a_refusal_reaches_the_proposer_with_its_reason(product: Product) -> None:
    await owner_is_known(product)
    await propose(product, "大口割引", "大口のお客様には30%を引きます。")
    told = await direct_with(product, YOKO, "大口割引")
    assert (await product.slack.click("proposal_refuse_0", ts=told["ts"], channel=told_in(product, YOKO), user=YOKO)).is_ok
    answer = await product.slack.submit(
        {"reason": {"text": {"type": "plain_text_input", "value": "規程にありません"}}}, user=YOKO
    )
    assert answer.is_ok and "見送りました" in shown(answer.json())
    await direct_with(product, KENTA, "規程にありません")
    assert "見つかりませんでした" in await search(product, "大口のお客様")


async def test_a_rep_can_publish_nothing_however_the_click_is_made(product: Product) -> None:
    await owner_is_known(product)
    await product.knows(*DISCOUNT)
    await propose(product, "勝手な割引", "どんな割引でも認めます。")
    [proposal] = await product.rows("select id::text from knowledge_proposals")
    [entry] = await product.rows("select id from knowledge_entries")
    for number, (action, value) in enumerate(
        [("proposal_approve_0", proposal["id"]), ("proposal_edit_0", proposal["id"]), ("proposal_refuse_0", proposal["id"]),
         ("knowledge_roll_back_0", f"{entry['id']}:1"), ("entry_still_right", str(entry["id"])),
         ("entry_retire", str(entry["id"])), ("request_write_0", "1")]
    ):  # fmt: skip
        for user in (KENTA, GUEST):
            await click_unseen(product, action, value, user=user, trigger=f"forged.{number}.{user}")
    assert [row["status"] for row in await product.rows("select status from knowledge_proposals")] == ["open"]
    assert [row["title"] for row in await product.rows("select title from knowledge_entries where status = 'published'")] == [
        DISCOUNT[0]
    ]
    assert [row["version"] for row in await product.rows("select version from knowledge_entries")] == [1]


async def test_of_two_owners_who_click_at_once_one_decides_and_the_other_is_told(product: Product) -> None:
    await owner_is_known(product)
    await propose(product, "展示会の割引", "展示会の来場者には初月を無料にします。")
    told = await direct_with(product, YOKO, "展示会の割引")
    [proposal] = await product.rows("select id::text from knowledge_proposals")
    async with product.services.database.transaction() as session:
        await session.execute(
            "insert into people (team_id, user_id, role, looked_up_at) values ($1, $2, 'owner', now()) "
            "on conflict (team_id, user_id) do update set role = 'owner'", TEAM, EMILY,
        )  # fmt: skip
    await product.edge.people.drop_cached(TEAM, EMILY)
    trigger = product.slack.api.triggers.issue(TEAM, EMILY, None)
    await asyncio.gather(
        product.slack.click("proposal_approve_0", ts=told["ts"], channel=told_in(product, YOKO), user=YOKO),
        click_unseen(product, "proposal_approve_0", proposal["id"], user=EMILY, trigger=trigger),
    )
    assert [row["version"] for row in await product.rows("select version from knowledge_entries")] == [1]
    assert [row["status"] for row in await product.rows("select status from knowledge_proposals")] == ["approved"]
    seen = [visible_text(one) for one in product.slack.ephemerals_for(YOKO, channel=told_in(product, YOKO))]
    seen.append(shown(product.slack.modal_of(EMILY)))
    assert sum("すでに判断" in one or "already decided" in one for one in seen) == 1


async def test_an_owner_is_shown_duplicates_and_other_numbers_before_deciding(product: Product) -> None:
    await owner_is_known(product)
    await product.knows(*DISCOUNT)
    await propose(product, "値引きの承認ルール", "20%を超える値引きには部長の承認が必要です。")
    told = visible_text(await direct_with(product, YOKO, "20%を超える"))
    assert "ほぼ同じ内容" in told and "数字が食い違って" in told and "10%を超える値引き" in told


async def test_a_fix_goes_in_and_comes_out_again_in_one_step(product: Product) -> None:
    await owner_is_known(product)
    await product.knows(*DISCOUNT)
    await product.slack.command("/ai_knowledge", "値引き")
    [results] = product.slack.ephemerals_for(KENTA)
    [entry] = await product.rows("select id from knowledge_entries")
    await product.slack.click(
        "knowledge_more_0", ts=results["ts"], chosen={"selected_option": {"value": f"change:{entry['id']}"}}
    )
    assert (await product.slack.submit(entry_form(DISCOUNT[0], "値引きは担当者が自由に決めます。"))).is_ok
    told = await direct_with(product, YOKO, "自由に決めます")
    await product.slack.click("proposal_approve_0", ts=told["ts"], channel=told_in(product, YOKO), user=YOKO)
    assert "決めます" in await search(product, "担当者が自由に")
    await product.slack.command("/ai_knowledge", "担当者が自由に", user=YOKO)
    results = product.slack.ephemerals_for(YOKO)[-1]
    await product.slack.click(
        "knowledge_more_0", ts=results["ts"], user=YOKO, chosen={"selected_option": {"value": f"details:{entry['id']}"}}
    )
    details = product.slack.modal_of(YOKO)
    assert (
        details is not None
        and "第2版" in shown(details)
        and f"承認 <@{YOKO}>" in shown(details)
        and f"<@{KENTA}>" in shown(details)
    )
    await product.slack.click("knowledge_roll_back_1", view_id=details["id"], user=YOKO)
    assert "見つかりませんでした" in await search(product, "担当者が自由に")
    assert DISCOUNT[0] in await search(product, "部長の承認")


async def test_what_is_missing_is_asked_for_written_and_then_found(product: Product) -> None:
    await owner_is_known(product)
    for subject in ("値引きの承認", "見積の出し方", "展示会の準備", "名刺の管理"):
        await product.knows(subject, f"{subject}は、課長に相談して進めます。")
    question = "田中さん向けの輸出規制の確認手順を教えてください"
    asked = await product.slack.dm(question)
    [answer] = await product.final(asked)
    assert "見つかりませんでした" in visible_text(answer)
    where = product.slack.workspace().direct(KENTA).id
    assert (await product.slack.click("knowledge_request", ts=answer["ts"], channel=where)).is_ok
    assert any("依頼しました" in visible_text(one) for one in product.slack.ephemerals_for(KENTA, channel=where))
    wish = await direct_with(product, YOKO, "輸出規制の確認手順")
    assert "田中" not in visible_text(wish) and KENTA not in shown(wish["blocks"])
    await product.slack.click("request_write_0", ts=wish["ts"], channel=told_in(product, YOKO), user=YOKO)
    form = product.slack.modal_of(YOKO)
    assert form is not None and "輸出規制の確認手順" in shown(form)
    written = entry_form("輸出規制の確認手順", "輸出規制の確認は、法務部に該非判定書を依頼して行います。", "company")
    assert "公開しました" in shown((await product.slack.submit(written, user=YOKO)).json())
    await direct_with(product, KENTA, "ご依頼の知識が公開されました")
    [again] = await product.final(await product.slack.dm(question))
    assert "見つかりませんでした" not in visible_text(again)
    assert "該非判定書" in await search(product, "輸出規制の確認手順")


async def test_an_entry_that_people_find_unhelpful_falls(product: Product) -> None:
    await product.knows("見積の出し方A", "見積書は三つの案を並べて提出します。")
    await product.knows("見積の出し方B", "見積書は三つの案を並べて提出します。")
    before = await search(product, "見積書の案")
    first, second = ("A", "B") if before.index("出し方A") < before.index("出し方B") else ("B", "A")
    results = product.slack.ephemerals_for(KENTA)[-1]
    await product.slack.click("knowledge_unhelpful_0", ts=results["ts"])
    after = await search(product, "見積書の案", user=YOKO)
    assert after.index(f"出し方{second}") < after.index(f"出し方{first}")


async def test_what_one_person_hides_is_hidden_from_them_alone_until_they_undo_it(product: Product) -> None:
    await product.knows(*DISCOUNT)
    await product.slack.command("/ai_knowledge", "値引き")
    results = product.slack.ephemerals_for(KENTA)[-1]
    [entry] = await product.rows("select id from knowledge_entries")
    await product.slack.click("knowledge_more_0", ts=results["ts"], chosen={"selected_option": {"value": f"hide:{entry['id']}"}})
    assert "見つかりませんでした" in await search(product, "値引き")
    assert DISCOUNT[0] in await search(product, "値引き", user=YOKO)
    note = next(one for one in product.slack.ephemerals_for(KENTA) if "表示しません" in visible_text(one))
    await product.slack.click("knowledge_show_again", ts=note["ts"])
    assert DISCOUNT[0] in await search(product, "値引き")


async def test_a_search_marks_its_words_and_can_become_a_question(product: Product) -> None:
    await product.knows(*DISCOUNT)
    answer = await product.slack.command("/ai_knowledge", "値引き")
    marked = [
        element["text"] for block in answer.json()["blocks"] if block["type"] == "rich_text"
        for element in block["elements"][0]["elements"] if element.get("style", {}).get("bold")
    ]  # fmt: skip
    assert marked == ["値引き"]
    assert "関連度" in shown(answer.json())
    results = product.slack.ephemerals_for(KENTA)[-1]
    assert (await product.slack.click("knowledge_answer", ts=results["ts"])).is_ok
    await product.until_asked(1)
    assert product.door.texts == ["値引き"]


@pytest.mark.parametrize("category, is_found", [("negotiation", True), ("mail", False), ("all", True)])
async def test_a_search_in_the_window_goes_by_its_filters(product: Product, category: str, is_found: bool) -> None:
    await product.knows(*DISCOUNT)
    await product.slack.command("/ai_knowledge")
    answer = await product.slack.submit(
        {
            "query": {"text": {"type": "plain_text_input", "value": "値引き"}},
            "category": {"chosen": {"type": "static_select", "selected_option": {"value": category}}},
            "language": {"chosen": {"type": "static_select", "selected_option": {"value": "all"}}},
            "period": {"chosen": {"type": "static_select", "selected_option": {"value": "all"}}},
        }
    )
    assert answer.is_ok
    assert (DISCOUNT[0] in shown(product.slack.modal_of())) is is_found


async def test_the_weeks_gaps_reach_the_owners_once_and_without_names(product: Product) -> None:
    await owner_is_known(product)
    await product.final(await product.slack.mention("佐藤さんへの海外出張費の精算方法を教えてください"))
    await product.final(await product.slack.dm("内緒の相談です。退職金の計算方法を教えてください"))
    assert await product.services.knowledge_gaps() == 1
    assert await product.services.knowledge_gaps() == 0
    told = visible_text(await direct_with(product, YOKO, "今週のナレッジの穴"))
    assert "海外出張費の精算方法" in told and "佐藤" not in told and "退職金" not in told
    await product.services.deliver_notices()
    direct = product.slack.workspace().direct(YOKO).messages.values()
    assert sum("今週のナレッジの穴" in visible_text(one) for one in direct) == 1


async def test_an_old_entry_that_is_still_used_asks_whether_it_holds(product: Product) -> None:
    await owner_is_known(product)
    await product.knows(*DISCOUNT, owner_id=YOKO)
    async with product.services.database.transaction() as session:
        await session.execute("update knowledge_entries set review_on = date '2020-01-01'")
    assert await product.services.review_stale() == 1
    assert await product.services.review_stale() == 0
    asked = await direct_with(product, YOKO, "いまも正しいですか")
    await product.slack.click("entry_retire", ts=asked["ts"], channel=told_in(product, YOKO), user=YOKO)
    assert "見つかりませんでした" in await search(product, "値引き")
    await direct_with(product, YOKO, "取り下げました")


async def test_the_list_behind_home_shows_what_waits(product: Product) -> None:
    await owner_is_known(product)
    await propose(product, "展示会の割引", "展示会の来場者には初月を無料にします。")
    await product.slack.open_home(user=YOKO)
    await product.until_quiet()
    await product.slack.click("proposals_open", user=YOKO)
    listed = product.slack.modal_of(YOKO)
    assert listed is not None and "展示会の割引" in shown(listed)
    await product.slack.click("proposal_approve_0", view_id=listed["id"], user=YOKO)
    assert "公開しました" in shown(product.slack.modal_of(YOKO))
    assert "展示会の割引" in await search(product, "展示会の来場者")


async def test_where_another_company_reads_along_nothing_of_the_own_knowledge_is_used(product: Product) -> None:
    await product.knows(*DISCOUNT)
    product.slack.channel(SALES_CHANNEL).is_shared_with_others = True
    [answer] = await product.final(await product.slack.mention("値引きの承認ルールを教えてください"))
    assert DISCOUNT[0] not in visible_text(answer)
    assert all(DISCOUNT[1] not in json.dumps(request.body, ensure_ascii=False) for request in product.model.requests)


async def test_a_notice_whose_worker_died_after_posting_is_not_posted_again(product: Product) -> None:
    await owner_is_known(product)
    await propose(product, "展示会の割引", "展示会の来場者には初月を無料にします。")
    first = await direct_with(product, YOKO, "展示会の割引")
    await until_told(product)
    async with product.services.database.transaction() as session:
        await session.execute(
            "update knowledge_notices set done_at = null, outcome = null, ts = null, channel_id = null, "
            "taken_at = now() - interval '1 hour' where user_id = $1", YOKO,
        )  # fmt: skip
    await until_told(product)
    [notice] = [row for row in await product.rows("select ts, user_id, epoch from knowledge_notices") if row["user_id"] == YOKO]
    assert (notice["ts"], notice["epoch"]) == (first["ts"], 2)
    direct = product.slack.workspace().direct(YOKO).messages.values()
    assert sum("展示会の割引" in visible_text(one) for one in direct) == 1


async def until_told(product: Product) -> None:
    async def is_told() -> bool:
        return not await product.rows("select 1 from knowledge_notices where done_at is null")

    await until(is_told)


async def test_an_entry_that_still_holds_counts_as_checked_today(product: Product) -> None:
    await owner_is_known(product)
    await product.knows(*DISCOUNT, owner_id=YOKO)
    async with product.services.database.transaction() as session:
        await session.execute("update knowledge_entries set review_on = date '2020-01-01'")
    await product.services.review_stale()
    asked = await direct_with(product, YOKO, "いまも正しいですか")
    await product.slack.click("entry_still_right", ts=asked["ts"], channel=told_in(product, YOKO), user=YOKO)
    [entry] = await product.rows("select version, review_on, updated_on, author_id from knowledge_entries")
    assert (entry["version"], entry["review_on"], entry["author_id"]) == (2, None, YOKO)
    assert entry["updated_on"] == product.edge.clock.now().date()
    await direct_with(product, YOKO, "確認ありがとうございます")


async def test_when_no_owner_is_known_slack_is_asked_who_runs_the_workspace(product: Product) -> None:
    await propose(product, "展示会の割引", "展示会の来場者には初月を無料にします。")
    await direct_with(product, YOKO, "展示会の割引")


async def test_whose_form_it_is_decides_nothing_but_who_sends_it_does(product: Product) -> None:
    await owner_is_known(product)
    view = {
        "type": "modal", "id": "VFORGED", "callback_id": "entry_form", "title": {"type": "plain_text", "text": "x"}, "blocks": [],
        "private_metadata": json.dumps({"proposal": None, "entry": None, "version": None, "request": None}),
        "state": {"values": entry_form("勝手な割引", "どんな割引でも認めます。")},
    }  # fmt: skip
    payload = {
        "type": "view_submission", "api_app_id": product.slack.workspace().app_id, "team": {"id": TEAM}, "user": {"id": KENTA},
        "trigger_id": "forged.form", "view": view,
    }  # fmt: skip
    assert (await product.slack.deliveries.interaction(payload)).is_ok
    assert await product.rows("select 1 from knowledge_entries") == []
    assert [row["status"] for row in await product.rows("select status from knowledge_proposals")] == ["open"]
    await product.slack.deliveries.interaction(payload | {"user": {"id": GUEST}, "trigger_id": "forged.guest"})
    assert len(await product.rows("select 1 from knowledge_proposals")) == 1
