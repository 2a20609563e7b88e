"""The page itself, driven in Chromium against a bot of a hundred lines."""

import pytest
from playwright.async_api import Page, expect

from app.playground.app import Playground
from app.playground.demo_workspace import EMILY, GUEST, KENTA, XIAOMING, YOKO

from .echo_bot import EchoBot

pytestmark = pytest.mark.browser


async def ask(page: Page, text: str) -> None:
    await page.locator("#composer textarea").fill(text)
    await page.locator("#composer textarea").press("Enter")


async def test_a_mention_is_answered_in_the_thread(page: Page):
    await page.locator("#composer textarea").press_sequentially("@AI")
    await page.locator(".completions button").first.wait_for()
    await page.locator("#composer textarea").press("Enter")
    await page.locator("#composer textarea").press_sequentially("値引きを求められたら？")
    await page.locator("#composer textarea").press("Enter")
    answer = page.locator("#thread-timeline .message").nth(1)
    await expect(answer).to_contain_text("価格交渉の手引き")
    await expect(answer.locator("td", has_text="範囲を絞る提案")).to_be_visible()
    await expect(answer.locator("strong", has_text="値引き")).to_be_visible()
    await expect(page.locator("#timeline .mention.me, #timeline .mention")).to_have_text("@AI営業支援")
    await expect(page.locator("#timeline .thread-link")).to_contain_text("1 件の返信")


async def test_a_direct_message_is_answered_below_it(page: Page):
    await page.get_by_role("button", name="AI営業支援").click()
    await page.locator(".chip").first.click()
    await expect(page.locator("#timeline .message.inline")).to_contain_text("まず 理由 を尋ねます")
    await expect(page.locator("#timeline .message.inline .feedback")).to_have_count(2)


async def test_feedback_is_sent_and_shown(page: Page, bot: EchoBot):
    await page.get_by_role("button", name="AI営業支援").click()
    await ask(page, "値引き")
    await page.get_by_role("button", name="役に立った", exact=True).click()
    await expect(page.locator(".feedback.chosen")).to_have_text("役に立った")
    await expect(page.locator(".feedback.chosen")).to_be_enabled()
    assert bot.actions[0]["actions"][0]["value"] == "good"


async def test_a_command_opens_a_form_that_is_checked_and_sent(page: Page, bot: EchoBot):
    await page.locator("#composer textarea").press_sequentially("/ai")
    await expect(page.locator(".completions button")).to_have_count(1)
    await page.locator("#composer textarea").press("Tab")
    await page.locator("#composer textarea").press("Enter")
    await expect(page.locator(".message.ephemeral .only-you")).to_have_text("あなただけに表示されています")
    await page.get_by_role("button", name="商談を記録する").click()
    dialog = page.locator("#modal")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.locator(".wrong")).to_have_count(2)
    await dialog.locator("input").fill("A社")
    await dialog.locator("select").select_option(label="提案")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.locator(".problem").first).to_have_text("3文字以上で入力してください。")
    await dialog.locator("input").fill("A社株式会社")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog).not_to_be_visible()
    assert bot.submissions[0]["stage"]["choice"]["selected_option"]["value"] == "提案"
    await expect(page.locator("#sidebar .place.unread")).to_contain_text("AI営業支援")


async def test_stop_ends_the_answer(page: Page, bot: EchoBot):
    await page.get_by_role("button", name="AI営業支援").click()
    await ask(page, "ゆっくり答えて")
    await expect(page.locator("#timeline .message.streaming")).to_contain_text("考え中。")
    await page.get_by_role("button", name="停止").click()
    await expect(page.locator("#timeline .stopped")).to_be_visible()
    await expect(page.locator("#timeline .working")).to_have_count(0)
    assert bot.stopped[0]["streaming_message_ts"]


async def test_home_is_shown_and_its_buttons_work(page: Page, bot: EchoBot):
    await page.get_by_role("button", name="AI営業支援").click()
    await page.get_by_role("tab", name="ホーム").click()
    await expect(page.locator("#home")).to_contain_text("今週の練習テーマは")
    await page.locator("#home select").select_option(label="契約")
    await page.locator("#home").get_by_role("button", name="商談を記録する").click()
    await expect(page.locator("#modal")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#modal")).not_to_be_visible()
    assert [payload["actions"][0]["action_id"] for payload in bot.actions] == ["language", "open_form"]
    assert bot.actions[0]["actions"][0]["selected_option"]["value"] == "契約"


@pytest.mark.parametrize("user, tab, channels", [(EMILY, "Messages", 2), (XIAOMING, "消息", 2), (GUEST, "メッセージ", 1)])
async def test_each_person_sees_their_language_and_channels(page: Page, user: str, tab: str, channels: int):
    await page.locator("#person-choice").select_option(user)
    await expect(page.locator("#sidebar .icon-hash")).to_have_count(channels)
    await page.get_by_role("button", name="AI営業支援").click()
    await expect(page.get_by_role("tab", name=tab)).to_be_visible()


async def test_own_messages_can_be_edited_and_deleted(page: Page):
    await ask(page, "おつかれさまです")
    message = page.locator("#timeline .message").first
    await message.hover()
    await message.get_by_role("button", name="編集").click()
    await message.locator("textarea").fill("お疲れさまです")
    await message.locator("textarea").press("Enter")
    await expect(message).to_contain_text("お疲れさまです（編集済み）")
    await message.hover()
    await message.get_by_role("button", name="削除").click()
    await page.locator("#confirm").get_by_role("button", name="削除").click()
    await expect(page.locator("#timeline .message")).to_have_count(0)


async def test_enter_that_confirms_a_conversion_does_not_send(page: Page):
    area = page.locator("#composer textarea")
    await area.fill("にほんご")
    await area.evaluate(
        "area => area.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    await expect(area).to_have_value("にほんご")


async def test_text_is_never_read_as_html(page: Page, playground: Playground):
    await ask(page, "<img src=x onerror=alert(1)> & <b>太字</b>")
    await expect(page.locator("#timeline .words")).to_have_text("<img src=x onerror=alert(1)> & <b>太字</b>")
    slack = playground.slack
    place = slack.channel()
    message = {"type": "message", "user": slack.workspace().bot_user_id, "bot_id": "B", "ts": slack.world.next_ts(), "text": "x"}
    wicked = "<script>alert(1)</script> [押す](javascript:alert(1)) ![絵](https://example.com/a.png)"
    slack.world.post(place, {**message, "blocks": [{"type": "markdown", "block_id": "b", "text": wicked}]})
    await expect(page.locator("#timeline .markdown")).to_contain_text("<script>alert(1)</script>")
    assert await page.locator("#timeline a[href^='javascript']").count() == 0
    assert await page.locator("#timeline .markdown img").count() == 0


async def test_two_people_see_the_same_channel_but_not_each_others_private_answers(page: Page, playground: Playground):
    await playground.slack.say("公開の発言", user=YOKO)
    await playground.slack.command("/ai_help", user=YOKO)
    await expect(page.locator("#timeline")).to_contain_text("公開の発言")
    await expect(page.locator("#timeline .ephemeral")).to_have_count(0)
    await page.locator("#person-choice").select_option(YOKO)
    await expect(page.locator("#timeline .ephemeral")).to_have_count(1)
    await page.locator("#person-choice").select_option(KENTA)
    await expect(page.locator("#timeline .ephemeral")).to_have_count(0)


async def test_commands_are_refused_in_threads_as_in_slack(page: Page):
    await ask(page, "@AI営業支援 質問")
    await page.locator("#thread-composer textarea").fill("/ai_help")
    await page.locator("#thread-composer textarea").press("Enter")
    await expect(page.locator("#thread-timeline .failure")).to_contain_text("!ai_help")
    await ask(page, "/nothing")
    await expect(page.locator("#timeline .failure")).to_contain_text("/nothing というコマンドはありません")


async def test_the_page_says_what_it_is(page: Page):
    await expect(page.locator("#banner")).to_contain_text("Slack ではありません")
    await expect(page.locator("#banner")).to_contain_text("オフラインモード")


async def test_a_page_that_lost_its_connection_reads_everything_anew(page: Page, playground: Playground):
    await playground.slack.say("最初の発言", user=YOKO)
    await expect(page.locator("#timeline")).to_contain_text("最初の発言")
    playground._pages.clear()  # as when a page fell too far behind: its stream ends
    await playground.slack.say("その間の発言", user=YOKO)
    await expect(page.locator("#timeline")).to_contain_text("その間の発言")
    await playground.slack.say("その後の発言", user=YOKO)
    await expect(page.locator("#timeline")).to_contain_text("その後の発言")
