"""Somebody shares a file with the coach: it is read, reported, found, and taken back when it was a mistake."""

from pathlib import Path

import pytest

from app.core.errors import StorageUnavailable
from app.knowledge.importing.kinds import LARGEST_FILE
from app.people.person import Actor, Standing
from app.playground.demo_workspace import EMILY, KENTA, SALES_CHANNEL, TEAM, YOKO
from app.playground.small_slack import visible_text
from app.slack.blocks.validate import problems_of
from tests.doubles.files import pdf, price_faq, word_file
from tests.doubles.model_server import says
from tests.doubles.product import Json, Product, open_product, until

MANAGER = Actor(TEAM, YOKO, Standing.MANAGER)


async def upload(product: Product, *files: Json, text: str = "", user: str = YOKO) -> Json:
    """The report on the files."""
    [report] = await product.final(await product.slack.dm(text, files=list(files), user=user))
    assert problems_of(report["blocks"]) == []
    return report


def undo_button(report: Json) -> Json:
    return next(block for block in report["blocks"] if block["type"] == "actions")["elements"][0]


async def published(product: Product) -> list[str]:
    return [
        row["title"] for row in await product.rows("select title from knowledge_entries where status = 'published' order by id")
    ]


async def test_a_price_faq_is_uploaded_and_cited_for_other_words_and_other_languages(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with open_product(database_url, redis_url, tmp_path, embedding_provider="local") as product:
        report = await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
        shown = visible_text(report)
        assert "価格FAQ" in shown and "新規 4 件" in shown
        assert "年間契約にすると割引はありますか？" in shown

        async def is_found_by_meaning() -> bool:
            assert product.services.embedding_queue is not None
            return not (await product.services.embedding_queue.progress(TEAM)).missing

        await until(is_found_by_meaning)
        product.model.then(says("はい、一年分をまとめてお支払いいただくと15パーセント安くなります。[1]"))
        [answer] = await product.final(await product.slack.dm("一年分をまとめて払うと安くなりますか？", user=KENTA))
        assert "年間契約にすると割引はありますか" in visible_text(answer)
        assert "15パーセントを割り引きます" in product.model.requests[-1].text  # what the model was given to read

        product.model.then(says("Yes, paying for a whole year takes 15 percent off. [1]"))
        [answer] = await product.final(
            await product.slack.dm("Is there a discount if we pay for a whole year at once?", user=EMILY)
        )
        assert "年間契約にすると割引はありますか" in visible_text(answer)


async def test_what_is_going_on_is_shown_while_it_goes_on(product: Product) -> None:
    seen: list[str] = []
    product.slack.world.watchers.append(
        lambda change: seen.append(visible_text(change["message"])) if change.get("message") else None
    )
    await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
    assert any("読み込んでいます" in text for text in seen)


async def test_the_same_file_again_changes_nothing_and_a_new_version_edits(product: Product) -> None:
    await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
    again = await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
    assert "変更なし 4 件" in visible_text(again)
    assert not any(block["type"] == "actions" for block in again["blocks"])
    faq = "質問,回答\n年間契約の割引は？,20パーセントです。\n"
    await upload(
        product, product.slack.new_file("faq.csv", "質問,回答\n年間契約の割引は？,15パーセントです。\n".encode(), user=YOKO)
    )
    changed = await upload(product, product.slack.new_file("faq.csv", faq.encode("cp932"), user=YOKO))
    assert "更新 1 件" in visible_text(changed)


async def test_an_import_is_taken_back_with_one_button(product: Product) -> None:
    def csv(percent: int) -> Json:
        return product.slack.new_file("faq.csv", f"質問,回答\n年間契約の割引は？,{percent}パーセントです。\n".encode(), user=YOKO)

    await upload(product, csv(15))
    sent = await product.slack.dm("", files=[csv(20)], user=YOKO)
    [report] = await product.final(sent)
    button = undo_button(report)

    clicked = await product.slack.click(button["action_id"], ts=report["ts"], channel=sent.channel, user=YOKO)
    assert clicked.is_ok
    await product.until_quiet()
    assert "前の版に戻したもの 1 件" in visible_text(product.slack.answers_to(sent)[-1])
    [row] = await product.rows("select body, status, version from knowledge_entries")
    assert (row["body"], row["status"], row["version"]) == ("15パーセントです。", "published", 3)

    await product.slack.click(button["action_id"], ts=report["ts"], channel=sent.channel, user=YOKO)
    await product.until_quiet()
    assert "すでに取り消されている" in visible_text(product.slack.answers_to(sent)[-1])


async def test_new_entries_disappear_when_their_import_is_taken_back(product: Product) -> None:
    sent = await product.slack.dm("", files=[product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)], user=YOKO)
    [report] = await product.final(sent)
    assert len(await published(product)) == 4
    await product.slack.click(undo_button(report)["action_id"], ts=report["ts"], channel=sent.channel, user=YOKO)
    await product.until_quiet()
    assert await published(product) == []
    assert await product.edge.knowledge.search("年間契約の割引", actor=MANAGER) == []


async def test_a_salesperson_cannot_take_back_what_a_manager_brought_in(product: Product) -> None:
    bot = product.slack.workspace().bot_user_id
    sent = await product.slack.say(
        f"<@{bot}>", files=[product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)], user=YOKO, channel=SALES_CHANNEL
    )
    [report] = await product.final(sent)
    await product.slack.click(undo_button(report)["action_id"], ts=report["ts"], channel=sent.channel, user=KENTA)
    await product.until_quiet()
    assert len(await published(product)) == 4
    assert any("取り消せるのは" in visible_text(message) for message in product.slack.ephemerals_for(KENTA, channel=sent.channel))


async def test_a_salespersons_file_becomes_proposals_and_is_not_found_yet(product: Product) -> None:
    report = await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=KENTA), user=KENTA)
    assert "4 件をナレッジとして提案しました" in visible_text(report)
    assert await published(product) == []
    assert len(await product.rows("select 1 from knowledge_proposals")) == 4


async def test_each_file_has_its_own_end(product: Product) -> None:
    report = await upload(
        product,
        product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO),
        product.slack.new_file("録音.mp4", b"\0\0\0\x18ftypmp42", user=YOKO),
        product.slack.new_file("爆弾.docx", word_file("", more={"word/a.xml": b"0" * 30_000_000}), user=YOKO),
        product.slack.new_file("スキャン.pdf", pdf([[]]), user=YOKO),
        text="これらをナレッジに取り込んでください",
    )
    shown = visible_text(report)
    assert "新規 4 件" in shown
    assert "読み込めるのは txt, md, csv" in shown and "極端に大きくなる" in shown and "画像だけの PDF" in shown
    assert len(await published(product)) == 4
    assert product.door.asked == []


async def test_a_question_with_a_file_is_still_a_question(product: Product) -> None:
    file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
    await product.final(await product.slack.dm("この資料の使い方を教えてもらえますか？", files=[file], user=YOKO))
    assert len(product.door.asked) == 1 and await published(product) == []
    [hint] = product.slack.ephemerals_for(YOKO, channel=product.slack.workspace().direct(YOKO).id)
    assert "添付ファイルの中身は" in visible_text(hint)


async def test_the_token_goes_to_slacks_own_hosts_only(product: Product) -> None:
    file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
    stored = product.slack.workspace().files[file["id"]]
    for url in (
        "https://files.slack.com.evil.example/files-pri/x", "http://169.254.169.254/latest/meta-data/", "https://evil.example/x",
        f"http://user@{product.edge.client.base_url.removeprefix('http://')}", "file:///etc/passwd",
    ):  # fmt: skip
        stored["url_private"] = stored["url_private_download"] = url
        assert "Slack の外に保存されている" in visible_text(await upload(product, file))
    stored["is_external"] = True
    assert "Slack の外に保存されている" in visible_text(await upload(product, file))
    assert await published(product) == []


@pytest.mark.parametrize(
    ("about", "said"),
    [({"size": LARGEST_FILE + 1}, "20 MB を超えています"), ({"mode": "tombstone"}, "見つかりません")],
)
async def test_files_that_cannot_be_had_are_explained(product: Product, about: Json, said: str) -> None:
    file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
    product.slack.workspace().files[file["id"]] |= about
    assert said in visible_text(await upload(product, file))


async def test_without_the_scope_the_administrator_is_named(product: Product) -> None:
    product.slack.faults.add("files.info", "error", error="missing_scope")
    report = await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
    assert "files:read" in visible_text(report)


async def test_slack_failing_in_between_is_survived(product: Product) -> None:
    product.slack.faults.add("files.info", "server_error")
    report = await upload(product, product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO))
    assert "新規 4 件" in visible_text(report)


async def test_where_another_company_reads_along_no_file_is_brought_in(product: Product) -> None:
    product.slack.channel(SALES_CHANNEL).is_shared_with_others = True
    file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
    sent = await product.slack.mention("取り込んでください", files=[file], user=YOKO, channel=SALES_CHANNEL)
    [answer] = await product.final(sent)
    assert "社外の方もいるチャンネル" in visible_text(answer)
    assert await published(product) == []


async def import_then_undo(product: Product) -> Json:
    """The apology for an import in a channel that could not be taken back: in the direct messages of the one who clicked."""
    bot = product.slack.workspace().bot_user_id
    files = [product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)]
    [report] = await product.final(await product.slack.say(f"<@{bot}>", files=files, user=YOKO, channel=SALES_CHANNEL))
    clicked = await product.slack.click(undo_button(report)["action_id"], ts=report["ts"], channel=SALES_CHANNEL, user=YOKO)
    assert clicked.is_ok
    await product.until_quiet()
    [apology] = product.slack.workspace().direct(YOKO).messages.values()
    assert problems_of(apology["blocks"]) == []
    assert "価格FAQ" in visible_text(apology) and "取り消せませんでした" in visible_text(apology)
    return apology


async def test_an_import_that_cannot_be_taken_back_in_time_is_apologised_for(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undo(*_: object, **__: object) -> None:
        product.advance(seconds=200)
        raise StorageUnavailable("scripted")

    monkeypatch.setattr(product.edge.import_knowledge, "undo", undo)
    product.slack.faults.add("chat.postMessage", "lost_response", channel=product.slack.workspace().direct(YOKO).id)
    apology = await import_then_undo(product)
    [row] = await product.rows("select outcome, reference from inbox where kind = 'action'")
    assert row["outcome"] == "explained" and row["reference"] in visible_text(apology)
    assert len(await published(product)) == 4


async def test_an_import_taken_back_where_nobody_can_write_any_more_is_told_of_in_private(product: Product) -> None:
    product.slack.faults.add("chat.startStream", "error", error="is_archived", channel=SALES_CHANNEL, skip=1, times=99)
    product.slack.faults.add("chat.postMessage", "error", error="is_archived", channel=SALES_CHANNEL, times=99)
    apology = await import_then_undo(product)
    assert "Slackへの投稿がうまくいきませんでした" in visible_text(apology)
