"""Home on the screen: items ticked, postponed and rewritten there, settings chosen, a reminder answered in the direct message."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from app.coaching.plan.due_dates import next_working_day, today_of
from app.people.person import Dose
from app.playground.demo_workspace import KENTA, TEAM
from tests.doubles.plans import keep_plan
from tests.doubles.product import until

from .product_page import ProductPage

pytestmark = pytest.mark.browser


@pytest.fixture
async def product(product: ProductPage) -> ProductPage:
    services = product.services
    async with services.database.transaction() as session:
        await keep_plan(
            session, services.dispatcher._edge.talks._cipher, team_id=TEAM, user_id=KENTA, now=services.clock.now(),
            titles=("10社に連絡する", "断り文句を書く", "切り出しを直す"),
        )  # fmt: skip
    return product


async def is_quiet(product: ProductPage) -> bool:
    """What was clicked is shown: a Home that is drawn anew under the mouse makes no test."""
    async with product.services.database.reading() as session:
        return await session.fetch_value("select count(*) from inbox where done_at is null") == 0


async def open_home(page: Page) -> None:
    await page.get_by_role("button", name="AI営業支援").click()
    await page.get_by_role("tab", name="ホーム").click()
    await expect(page.locator("#home")).to_contain_text("今週の重点")


async def test_a_plan_is_worked_on_from_home(page: Page, product: ProductPage, tmp_path: Path):
    await open_home(page)
    home = page.locator("#home")
    for part in ("10社に連絡する", "公開範囲: 非公開", "設定", "データ不足", "まだ覚えていることはありません"):
        await expect(home).to_contain_text(part)
    await page.set_viewport_size({"width": 1280, "height": 2600})
    await page.screenshot(path=str(tmp_path / "home.png"), full_page=True)
    await home.get_by_role("button", name="できた").first.click()
    await expect(home).to_contain_text("終えた行動1件")
    await home.locator(".overflow button").first.click()
    await home.get_by_text("日を延ばす").first.click()
    window = page.get_by_role("dialog")
    day = next_working_day(today_of(product.services.clock.now(), "Asia/Tokyo") + timedelta(days=40))
    await window.locator("input[type=date]").fill(day.isoformat())
    await window.get_by_role("button", name="延ばす").click()
    await expect(home).to_contain_text(f"{day.year}年{day.month}月{day.day}日")


async def test_a_setting_is_chosen_and_stays(page: Page, product: ProductPage):
    await open_home(page)
    await page.locator("#home select").nth(1).select_option(label="5つまで")
    await until(lambda: is_quiet(product))
    await page.get_by_role("tab", name="メッセージ").click()
    await page.get_by_role("tab", name="ホーム").click()
    await until(lambda: is_quiet(product))
    await expect(page.locator("#home select").nth(1)).to_have_value("3")
    await page.locator("#home").get_by_role("button", name="すべての通知を止める").click()
    await page.get_by_role("button", name="止める", exact=True).click()
    await expect(page.locator("#home")).to_contain_text("行動計画のお知らせ: オフ")
    person = await product.services.dispatcher._edge.people.find(TEAM, KENTA)
    assert (person.dose, person.reminders_on) == (Dose.FULL, False)


async def test_a_reminder_is_answered_where_it_stands(page: Page, product: ProductPage):
    async with product.services.database.transaction() as session:
        await session.execute("update plan_items set remind_at = now() - interval '1 hour' where position = 0")
    await page.get_by_role("button", name="AI営業支援").click()
    await product.services.send_reminders()
    reminder = page.locator("#timeline .message").last
    await expect(reminder).to_contain_text("10社に連絡する")
    await reminder.locator("select").select_option(label="3日後の朝")
    await expect(reminder).to_contain_text("もう一度お知らせします")
    await reminder.get_by_role("button", name="できた").click()
    await expect(reminder).to_contain_text("完了")
