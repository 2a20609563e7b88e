"""A manager uploads a price FAQ in the playground, a salesperson asks about it: in Chromium, as a person does it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from app.playground.demo_workspace import YOKO
from tests.doubles.files import price_faq
from tests.doubles.model_server import says
from tests.scenarios.browser.conftest import watched_page

from .product_page import ProductPage

pytestmark = pytest.mark.browser
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
async def page(browser: Browser, product: ProductPage) -> AsyncIterator[Page]:
    async with watched_page(browser, f"{product.url}?user={YOKO}") as page:
        yield page


async def open_direct_talk(page: Page) -> None:
    await page.get_by_role("button", name="AI営業支援").click()
    await expect(page.locator(".chip").first).to_be_visible()


async def test_a_word_file_is_uploaded_imported_asked_about_and_taken_back(page: Page, product: ProductPage) -> None:
    await open_direct_talk(page)
    send = page.locator("#composer .send")
    await expect(send).to_be_disabled()
    await page.locator("#composer input[type=file]").set_input_files(
        {"name": "価格FAQ.docx", "mimeType": WORD, "buffer": price_faq()}
    )
    await expect(page.locator("#composer .attachment")).to_contain_text("価格FAQ.docx")
    await send.click()
    await expect(page.locator("#composer .attachment")).to_have_count(0)
    report = page.locator("#timeline .message.inline").last
    await expect(report).to_contain_text("新規 4 件")
    await expect(report).to_contain_text("年間契約にすると割引はありますか？")

    product.model.then(says("15パーセントの割引があります。[1]"))
    await page.locator("#composer textarea").fill("年間契約の割引を教えてください")
    await page.locator("#composer textarea").press("Enter")
    answer = page.locator("#timeline .message.inline").last
    await expect(answer).to_contain_text("15パーセントの割引があります")
    await expect(answer).to_contain_text("価格FAQ")

    await report_of(page).get_by_role("button", name="取り込みを取り消す").click()
    await page.locator("#confirm").get_by_role("button", name="取り消す").click()
    await expect(page.locator("#timeline")).to_contain_text("外したもの 4 件")


def report_of(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("#timeline .message.inline", has_text="新規 4 件")


async def test_a_message_is_made_knowledge_from_its_tools(page: Page, product: ProductPage) -> None:
    await page.locator("#composer textarea").fill("値引きの伝え方\nまず理由を伺います。")
    await page.locator("#composer .send").click()
    said = page.locator("#timeline .message", has_text="まず理由を伺います").first
    await said.hover()
    await said.get_by_role("button", name="ナレッジにする").click()
    await expect(page.locator("#modal input").first).to_have_value("値引きの伝え方")
    await page.locator("#modal .primary").click()
    await expect(page.locator("#modal")).to_contain_text("を公開しました")
