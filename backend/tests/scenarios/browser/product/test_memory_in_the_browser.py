"""The coach's memory on screen: what it remembers, a correction, an erasure, and why an answer is as it is."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.doubles.model_server import Script, says

from .product_page import ProductPage

pytestmark = pytest.mark.browser

INSIGHT = {
    "kind": "challenge",
    "subject": "値引き",
    "text": "相手が黙ると値引きしやすい。",
    "evidence": "黙られると値引きしてしまい",
    "confidence": 0.8,
}


def says_and_notes(body: Any) -> Script:
    if "<said" in json.dumps(body, ensure_ascii=False):
        return says(json.dumps({"summary": "値引きの癖について話した。", "insights": [INSIGHT]}, ensure_ascii=False))
    return says("沈黙は相手が考えている時間です。")


async def ask(page: Page, text: str, answers: int) -> None:
    await page.locator("#composer textarea").fill(text)
    await page.locator("#composer textarea").press("Enter")
    await expect(page.get_by_role("button", name="なぜ？")).to_have_count(answers)


async def half_an_hour_later(product: ProductPage) -> None:
    async with product.services.database.transaction() as session:
        await session.execute("update dialogue_sessions set last_turn_at = last_turn_at - interval '31 minutes'")
    await product.services.close_sessions()


async def test_a_memory_is_seen_corrected_and_erased_and_an_answer_says_why(page: Page, product: ProductPage) -> None:
    product.model.respond = says_and_notes
    await page.get_by_role("button", name="AI営業支援").click()
    await ask(page, "価格交渉で黙られると値引きしてしまいがちです。沈黙にはどう返せばいいですか？", 1)
    await half_an_hour_later(product)
    await ask(page, "値引きを求められて相手が黙ったら、どう返せばいいですか？", 2)
    await page.get_by_role("button", name="なぜ？").last.click()
    why = page.locator(".message.ephemeral").last
    await expect(why).to_contain_text("相手が黙ると値引きしやすい")
    await expect(why).to_contain_text("double")

    await page.get_by_role("tab", name="ホーム").click()
    await page.get_by_role("button", name="見る・直す・消す").click()
    window = page.locator("#modal")
    await expect(window).to_contain_text("相手が黙ると値引きしやすい")
    await expect(window).to_contain_text("非公開")

    await window.get_by_role("button", name="修正する").click()
    await window.locator("textarea").fill("社内の承認が遅いと値引きしやすい。")
    await window.locator(".primary").click()
    await expect(window).to_contain_text("社内の承認が遅い")
    await expect(window).to_contain_text("あなたが修正")

    await window.get_by_role("button", name="消去する").click()
    await page.locator("#confirm .danger").click()
    await expect(window).to_contain_text("まだ何も覚えていません")
