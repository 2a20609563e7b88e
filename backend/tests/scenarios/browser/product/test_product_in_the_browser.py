"""What a newcomer does after ``make demo``, in Chromium, with the real application behind the page."""

import pytest
from playwright.async_api import Page, expect

from app.playground.demo_workspace import EMILY
from tests.doubles.model_server import paced, says

from .product_page import TITLE, ProductPage

pytestmark = pytest.mark.browser


async def write(page: Page, text: str) -> None:
    await page.locator("#composer textarea").fill(text)
    await page.locator("#composer textarea").press("Enter")


async def open_direct_talk(page: Page) -> None:
    await page.get_by_role("button", name="AI営業支援").click()
    await expect(page.locator(".chip").first).to_be_visible()


async def test_a_mention_gets_a_sourced_answer_in_the_thread(page: Page, product: ProductPage):
    product.model.then(says("10%を超える値引きには", "**部長**の承認が必要です。[1]"))
    await write(page, "@AI営業支援 10%を超える値引きの承認は誰に申請しますか？")
    answer = page.locator("#thread-timeline .message").nth(1)
    await expect(answer).to_contain_text("部長の承認が必要です")
    await expect(answer.locator(".block-context").first).to_contain_text(TITLE)
    await expect(answer.locator("strong", has_text="部長")).to_be_visible()
    await expect(page.locator("#thread-timeline .working")).to_have_count(0)


async def test_a_direct_message_by_a_suggested_prompt(page: Page, product: ProductPage):
    product.model.then(says("準備の手順は三つあります。"))
    await open_direct_talk(page)
    await page.locator(".chip").first.click()
    await expect(page.locator("#timeline .message.inline")).to_contain_text("準備の手順は三つあります")


async def test_commands_answer_privately(page: Page, product: ProductPage):
    await write(page, "/ai_help")
    await expect(page.locator(".message.ephemeral .block-header").first).to_be_visible()
    await write(page, "/ai_knowledge 値引き")
    await expect(page.locator(".message.ephemeral").last).to_contain_text(TITLE)


async def test_a_thumb_down_asks_why(page: Page, product: ProductPage):
    product.model.then(says("範囲の調整を提案します。"))
    await open_direct_talk(page)
    await write(page, "値引きを求められました")
    await page.locator(".feedback").last.click()
    await expect(page.locator("#modal textarea")).to_be_visible()
    await page.locator("#modal textarea").fill("具体例がほしいです")
    await page.locator("#modal .primary").click()
    await expect(page.locator("#modal")).not_to_be_visible()


async def test_stop_ends_the_model_call_and_keeps_what_was_said(page: Page, product: ProductPage):
    product.model.then(paced("まず理由を伺います。" * 200, pieces=400, seconds=120))
    await open_direct_talk(page)
    await write(page, "値引きを求められました")
    await expect(page.locator("#timeline .message.inline")).to_contain_text("まず理由を伺います")
    await page.get_by_role("button", name="停止").click()
    await expect(page.locator("#timeline .working")).to_have_count(0)
    asked = await product.model.request(0)
    await asked.is_closed.wait()
    await expect(page.locator("#timeline .message.inline")).to_contain_text("まず理由を伺います")


async def test_home_changes_the_language_and_asks(page: Page, product: ProductPage):
    product.model.then(says("Ask for the reason first."))
    await page.get_by_role("button", name="AI営業支援").click()
    await page.get_by_role("tab", name="ホーム").click()
    await expect(page.locator("#home .block-header").first).to_have_text("AI営業支援")
    await page.locator("#home select").first.select_option(label="English")
    await expect(page.locator("#home")).to_contain_text("only you")
    await page.locator("#home button.primary").first.click()
    await page.locator("#modal textarea").fill("What do I say when they want a discount?")
    await page.locator("#modal .primary").click()
    await expect(page.locator("#modal")).not_to_be_visible()
    await page.get_by_role("tab", name="メッセージ").click()
    await expect(page.locator("#timeline .message").last).to_contain_text("Ask for the reason first.")


async def test_an_english_speaker_reads_english(page: Page, product: ProductPage):
    await page.locator("#person-choice").select_option(EMILY)
    await page.get_by_role("button", name="AI営業支援").click()
    await page.get_by_role("tab", name="Home").click()
    await expect(page.locator("#home")).to_contain_text("Recent")
