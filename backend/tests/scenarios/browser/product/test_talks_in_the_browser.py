"""A trouble, its questions and its plan, as a person meets them in Chromium."""

import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser


async def test_a_trouble_is_worked_out_and_its_plan_ticked(page: Page) -> None:
    await page.get_by_role("button", name="AI営業支援").click()
    await expect(page.locator(".chip").first).to_be_visible()
    await page.locator("#composer textarea").fill("新規開拓で苦戦しています。")
    await page.locator("#composer textarea").press("Enter")
    replies = page.locator("#timeline .message.inline")
    await expect(replies.first).to_contain_text("整理の進み具合")
    await expect(replies.first).to_contain_text("25%")
    await expect(replies.first.get_by_role("button", name="質問として答える")).to_be_visible()

    await replies.first.get_by_role("button", name="計画を作る").click()

    plan = replies.filter(has_text="行動計画です").last
    await expect(plan.get_by_role("button", name="できた").first).to_be_visible()
    await plan.get_by_role("button", name="できた").first.click()
    await expect(plan).to_contain_text("完了")
    await expect(plan.get_by_role("button", name="元に戻す")).to_be_visible()
