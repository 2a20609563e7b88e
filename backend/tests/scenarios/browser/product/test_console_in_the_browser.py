"""An administrator in Chromium, without JavaScript: reading, writing, comparing and importing knowledge."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from .product_page import ADMIN_KEY, TITLE, ProductPage

pytestmark = pytest.mark.browser


@pytest.fixture
async def page(browser: Browser, product: ProductPage) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="ja-JP", java_script_enabled=False)
    page = await context.new_page()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 500 else None)
    await page.goto(f"{urlsplit(product.url)._replace(path='').geturl()}/console")
    await page.get_by_label("管理キー").fill(ADMIN_KEY)
    await page.get_by_role("button", name="サインイン").click()
    yield page
    await context.close()
    assert refused == []


async def test_an_entry_is_found_edited_and_compared(page: Page) -> None:
    await page.get_by_label("文字で絞り込む").fill("部長")
    await page.get_by_role("button", name="絞り込む").click()
    await page.get_by_role("link", name=TITLE).click()
    await expect(page.locator("article")).to_contain_text("部長の承認が必要です")
    await page.get_by_role("link", name="編集する").click()
    await page.get_by_label("本文").fill("15%を超える値引きには部長の承認が必要です。申請は当日でもかまいません。")
    await page.get_by_role("button", name="保存して公開する").click()
    await page.get_by_role("link", name="変更点").click()
    await expect(page.locator("ins").first).to_have_text("15")
    await expect(page.locator("del").first).to_have_text("10")
    await page.get_by_role("link", name=TITLE).click()
    await page.get_by_role("button", name="この版に戻す").click()
    await expect(page.locator("article")).to_contain_text("10%を超える")


async def test_what_is_missing_is_said_beside_the_field(page: Page) -> None:
    await page.get_by_role("link", name="新しいナレッジ").click()
    await page.get_by_label("題名").fill("保証期間")
    await page.get_by_label("本文").fill("一年間です。")
    await page.get_by_label("出典の URL").fill("https://")
    await page.locator("form.entry").evaluate("form => form.noValidate = true")
    await page.get_by_role("button", name="保存して公開する").click()
    await expect(page.locator("form.entry .problem")).to_have_count(1)
    await page.get_by_label("出典の URL").fill("")
    await page.get_by_role("button", name="保存して公開する").click()
    await expect(page.get_by_role("heading", name="保証期間")).to_be_visible()


async def test_files_are_imported(page: Page) -> None:
    await page.get_by_role("link", name="ファイルの取り込み").click()
    files = [
        {"name": "納期.md", "mimeType": "text/markdown", "buffer": "# 納期の答え方\n\n通常は二週間です。".encode()},
        {"name": "壊れた.xlsx", "mimeType": "application/octet-stream", "buffer": b"no workbook"},
    ]
    await page.get_by_label("ファイル", exact=True).set_input_files(files)  # type: ignore[arg-type]
    await page.get_by_role("button", name="取り込む").click()
    await expect(page.locator(".files li")).to_have_count(2)
    await expect(page.locator(".files li").first).to_contain_text("新規 1 件")
    await expect(page.get_by_role("status")).to_contain_text("すべて読み終えました")
    await page.get_by_role("status").get_by_role("link").click()
    await expect(page.get_by_role("link", name="納期の答え方")).to_be_visible()
