"""A person's growth on the screen: the words in the channel, the chart in the direct message, the window before erasing."""

import pytest
from playwright.async_api import Page, expect

from app.people.person import Actor
from app.playground.demo_workspace import KENTA, TEAM
from tests.doubles.plans import keep_plan

from .product_page import ProductPage

pytestmark = pytest.mark.browser


async def has_done_four(product: ProductPage) -> None:
    services, edge = product.services, product.services.dispatcher._edge
    async with services.database.transaction() as session:
        titles = ("10社に連絡する", "台本を5回読む", "断り文句を書く", "切り出しを直す", "振り返りを書く")
        items = await keep_plan(
            session, edge.talks._cipher, team_id=TEAM, user_id=KENTA, now=services.clock.now(), titles=titles
        )  # fmt: skip
    for item in items[:4]:
        await edge.change_plan.tick(Actor(TEAM, KENTA), item)


async def type_command(page: Page, text: str) -> None:
    await page.locator("#composer textarea").fill(text)
    await page.locator("#composer textarea").press("Enter")


async def test_history_is_read_in_the_channel_and_the_chart_is_seen_in_the_direct_message(page: Page, product: ProductPage):
    await has_done_four(product)
    await type_command(page, "/ai_history")
    shown = page.locator(".message.ephemeral").last
    await expect(shown).to_contain_text("あなたの歩み（直近30日間）")
    await expect(shown).to_contain_text("新規開拓")
    await shown.get_by_role("button", name="目安に届いた").click()
    await expect(page.locator(".message.ephemeral").last).to_contain_text("結果を記録しました")
    await page.get_by_role("button", name="AI営業支援").click()
    picture = page.locator("#timeline .message img.picture")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.naturalWidth") > 1000
    assert "新規開拓" in (await picture.get_attribute("alt") or "")


async def test_the_window_before_erasing_wants_the_word(page: Page, product: ProductPage):
    await has_done_four(product)
    await type_command(page, "/ai_history delete")
    window = page.get_by_role("dialog")
    await expect(window).to_contain_text("元に戻すことはできません")
    await window.locator("input, textarea").last.fill("削除")
    await window.get_by_role("button", name="すべて消去").click()
    await expect(window).to_contain_text("消去を始めました")
    await window.get_by_role("button", name="閉じる").last.click()
    await page.get_by_role("button", name="AI営業支援").click()
    await expect(page.locator("#timeline")).to_contain_text("すべて消去しました")
