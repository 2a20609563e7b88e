"""ナレッジにする: the shortcut on a message, for those who publish and for those who propose."""

from typing import Any

from app.playground.demo_workspace import GUEST, KENTA, SALES_CHANNEL, YOKO
from app.playground.small_slack import Answer
from app.slack.blocks.validate import problems_of_view
from tests.doubles.product import Json, Product

SAID = (
    "値引きの伝え方について\n<@U0YOKO00001> さん、値引きを求められたら、まず何と比べて高いのかを伺います。"
    "詳しくは<https://example.com/rules|規程>を見てください。"
)


async def open_form(product: Product, *, user: str, text: str = SAID) -> Json:
    said = await product.slack.say(text, channel=SALES_CHANNEL, user=KENTA)
    opened = await product.slack.shortcut("make_knowledge", ts=said.ts, channel=SALES_CHANNEL, user=user)
    assert opened.is_ok
    view = product.slack.modal_of(user)
    assert view is not None and problems_of_view({name: part for name, part in view.items() if part is not None}) == []
    return view


def field(view: Json, name: str) -> Any:
    return next(block["element"] for block in view["blocks"] if block.get("block_id") == name)


def filled(view: Json, **changes: str) -> Json:
    def text(name: str) -> Json:
        return {"text": {"type": "plain_text_input", "value": changes.get(name, field(view, name).get("initial_value"))}}

    category = {"chosen": {"type": "static_select", "selected_option": field(view, "category")["initial_option"]}}
    return {"title": text("title"), "body": text("body"), "source": text("source"), "category": category}


async def send(product: Product, view: Json, *, user: str, **changes: str) -> Answer:
    return await product.slack.submit(filled(view, **changes), user=user)


async def test_the_form_begins_with_the_message(product: Product) -> None:
    view = await open_form(product, user=YOKO)
    assert field(view, "title")["initial_value"] == "値引きの伝え方について"
    body = field(view, "body")["initial_value"]
    assert "まず何と比べて高いのかを伺います" in body and "規程 (https://example.com/rules)" in body
    assert "U0YOKO00001" not in body
    assert field(view, "source")["initial_value"] == "Slack のメッセージ"


async def test_a_manager_publishes_and_it_is_found(product: Product) -> None:
    view = await open_form(product, user=YOKO)
    assert (await send(product, view, user=YOKO, title="値引きを求められたとき")).is_ok
    [row] = await product.rows("select title, status, source, language from knowledge_entries")
    assert tuple(row.values()) == ("値引きを求められたとき", "published", "Slack のメッセージ", "ja")


async def test_a_salesperson_proposes_and_nothing_is_found_yet(product: Product) -> None:
    view = await open_form(product, user=KENTA)
    assert (await send(product, view, user=KENTA)).is_ok
    assert await product.rows("select 1 from knowledge_entries") == []
    assert len(await product.rows("select 1 from knowledge_proposals")) == 1


async def test_a_guest_and_a_message_without_words_get_a_reason(product: Product) -> None:
    view = await open_form(product, user=GUEST)
    assert "社内のメンバーだけ" in str(view["blocks"]) and not view["submit"]
    view = await open_form(product, user=YOKO, text="")
    assert "文章がありません" in str(view["blocks"])


async def test_a_title_of_spaces_is_refused_beside_its_field(product: Product) -> None:
    view = await open_form(product, user=YOKO)
    answer = await send(product, view, user=YOKO, title="   ")
    assert answer.json()["response_action"] == "errors"
    assert await product.rows("select 1 from knowledge_entries") == []
