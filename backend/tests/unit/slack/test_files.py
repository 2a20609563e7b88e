"""Files go to Slack's own upload address and nowhere else, and are seen only by the person they are for."""

from collections.abc import AsyncIterator

import pytest

from app.core.errors import SlackRefused, SlackUnavailable
from app.people.person import Actor
from app.playground.demo_workspace import BOT_TOKEN, KENTA, TEAM
from app.playground.slack_server import SlackServer
from app.playground.small_slack import SmallSlack
from app.slack.client import SlackClient
from app.slack.files import SlackFile, hand_over

ME = Actor(TEAM, KENTA)


@pytest.fixture
async def slack() -> AsyncIterator[SmallSlack]:
    async with SlackServer() as opened:
        yield opened


@pytest.fixture
async def client(slack: SmallSlack) -> AsyncIterator[SlackClient]:
    async with SlackClient.open(BOT_TOKEN, base_url=f"{slack.api.base_url}/api/") as opened:
        yield opened


async def test_files_arrive_whole_and_together_in_the_persons_own_messages(slack: SmallSlack, client: SlackClient) -> None:
    content = bytes(range(256)) * 1000
    files = [SlackFile("図.png", content, "歩み", "グラフの説明"), SlackFile("b.json", b"{}", "b")]
    await hand_over(client, ME, files, comment="どうぞ")
    [message] = slack.workspace().direct(KENTA).messages.values()
    assert [(file["title"], file.get("alt_txt")) for file in message["files"]] == [("歩み", "グラフの説明"), ("b", None)]
    assert [slack.workspace().contents[file["id"]] for file in message["files"]] == [content, b"{}"]
    others = [channel for channel in slack.workspace().channels.values() if channel.id != slack.workspace().direct(KENTA).id]
    assert not any(message.get("files") for channel in others for message in channel.messages.values())


@pytest.mark.parametrize(
    "url", ["https://evil.example/upload", "http://files.slack.com/upload", "https://files.slack.com.evil.example/", "ftp://x/"]
)
async def test_bytes_go_to_no_address_that_is_not_slacks(client: SlackClient, url: str) -> None:
    with pytest.raises(SlackRefused, match="not Slack's"):
        await client.upload(url, b"secret")


async def test_an_upload_that_does_not_arrive_shares_nothing(slack: SmallSlack, client: SlackClient) -> None:
    with pytest.raises(SlackUnavailable):
        await client.upload(f"{slack.api.base_url}/upload/no-such-ticket", b"x")
    assert slack.workspace().directs == {} or not slack.workspace().direct(KENTA).messages
