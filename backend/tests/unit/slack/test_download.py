"""Files are fetched from Slack's hosts, with the token going nowhere else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.core.errors import SlackUnavailable
from app.knowledge.importing.kinds import LARGEST_FILE
from app.knowledge.importing.problem import NotReadable
from app.slack.client import SlackClient
from app.slack.download import FetchedFile, fetch_file, is_slacks_file

TOKEN = "xoxb-download-test"


@dataclass
class Host:
    """A server that remembers who asked it with which token."""

    answer: web.StreamResponse | None = None
    file: dict[str, object] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        if request.path == "/api/files.info":
            return web.json_response({"ok": True, "file": self.file})
        assert self.answer is not None
        return self.answer


@pytest.fixture
async def slack() -> AsyncIterator[Host]:
    async for host in serving():
        yield host


@pytest.fixture
async def stranger() -> AsyncIterator[Host]:
    async for host in serving():
        yield host


async def serving() -> AsyncIterator[Host]:
    host = Host()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.serve)
    async with TestServer(app) as server:
        host.url = str(server.make_url("/")).rstrip("/")
        yield host


@pytest.fixture
async def client(slack: Host) -> AsyncIterator[SlackClient]:
    async with SlackClient.open(TOKEN, base_url=f"{slack.url}/api/") as client:
        yield client


def offer(slack: Host, **about: object) -> None:
    slack.file = {"id": "F1", "name": "a.csv", "size": 3, "url_private_download": f"{slack.url}/files/a.csv"} | about


async def test_the_file_is_what_slack_says_about_its_id(slack: Host, client: SlackClient) -> None:
    offer(slack)
    slack.answer = web.Response(body=b"a,b")
    assert await fetch_file(client, "F1", team_id="T1") == FetchedFile("a.csv", b"a,b")
    assert slack.tokens == [f"Bearer {TOKEN}"] * 2


async def test_a_redirect_is_not_followed_and_takes_no_token_along(slack: Host, stranger: Host, client: SlackClient) -> None:
    offer(slack)
    slack.answer = web.Response(status=302, headers={"Location": f"{stranger.url}/steal"})
    with pytest.raises(NotReadable) as refused:
        await fetch_file(client, "F1", team_id="T1")
    assert refused.value.reason == "gone" and stranger.tokens == []


@pytest.mark.parametrize("about", [{"is_external": True}, {"mode": "external"}, {}])
async def test_a_file_elsewhere_is_not_asked_for(
    slack: Host, stranger: Host, client: SlackClient, about: dict[str, object]
) -> None:
    offer(slack, url_private_download=f"{stranger.url}/a.csv", **about)
    with pytest.raises(NotReadable) as refused:
        await fetch_file(client, "F1", team_id="T1")
    assert refused.value.reason == "stored_elsewhere" and stranger.tokens == []


async def test_a_file_larger_than_it_says_is_not_kept(slack: Host, client: SlackClient) -> None:
    offer(slack)
    slack.answer = web.Response(body=b"x" * (LARGEST_FILE + 1))
    with pytest.raises(NotReadable) as refused:
        await fetch_file(client, "F1", team_id="T1")
    assert refused.value.reason == "too_large"


async def test_a_page_to_sign_in_means_that_the_scope_is_missing(slack: Host, client: SlackClient) -> None:
    offer(slack)
    slack.answer = web.Response(text="<html>Sign in</html>", content_type="text/html")
    with pytest.raises(NotReadable) as refused:
        await fetch_file(client, "F1", team_id="T1")
    assert refused.value.reason == "no_scope"


async def test_slack_being_away_is_tried_again_later(slack: Host, client: SlackClient) -> None:
    offer(slack)
    slack.answer = web.Response(status=503)
    with pytest.raises(SlackUnavailable):
        await fetch_file(client, "F1", team_id="T1")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.csv", True),
        ("https://files.slack-gov.com/files-pri/T1-F1/a.csv", True),
        ("http://files.slack.com/files-pri/T1-F1/a.csv", False),
        ("https://files.slack.com.evil.example/a.csv", False),
        ("https://files.slack.com@evil.example/a.csv", False),
        ("https://evil.example/files.slack.com", False),
        ("https://files.slack.com:8443/a.csv", False),
        ("https://slack.com/api/files.info", False),
        ("//files.slack.com/a.csv", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_slacks_own_hosts_of_files_are_trusted(url: str, is_allowed: bool) -> None:
    assert is_slacks_file(url, "https://slack.com/api/") is is_allowed


def test_the_small_slack_is_trusted_only_by_who_uses_it() -> None:
    assert is_slacks_file("http://127.0.0.1:99/files/a", "http://127.0.0.1:99/api/")
    assert not is_slacks_file("http://127.0.0.1:98/files/a", "http://127.0.0.1:99/api/")
    assert not is_slacks_file("https://slack.com/files/a", "https://slack.com/api/")
