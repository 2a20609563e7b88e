"""The one wall to Slack's Web API: calls go out through one shared HTTP session, failures come back as ours.

Our own calls go to aiohttp directly, which takes two thirds of the CPU that slack_sdk takes for the same call (82 and 126 µs);
``web`` is the SDK's client for Bolt, on the same session. A 429 is waited out where that is short, and remembered, so that the
calls after it do not run into it again. Nothing is ever sent twice here, except what certainly did not leave or what changes
nothing when repeated: whether a lost call took effect is for the caller to find out.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from app.core.errors import SlackRateLimited, SlackRefused, SlackUnavailable
from app.core.metrics import count_slack_call
from app.core.transaction_guard import refuse_inside_transaction
from app.slack.limits import LONGEST_WAIT

logger = logging.getLogger(__name__)
Json = dict[str, Any]

PASSING_CODES: Final = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited",
})  # fmt: skip
"""Refusals that say nothing about the call itself."""
REPEATABLE: Final = frozenset({
    "chat.update", "chat.delete", "conversations.replies", "views.publish", "auth.test", "users.info", "files.info",
})  # fmt: skip
"""Doing these twice is as doing them once."""
READING: Final = frozenset({
    "conversations.replies", "conversations.history", "conversations.info", "conversations.members", "users.info", "users.list",
    "chat.getPermalink",
    "files.getUploadURLExternal", "files.completeUploadExternal",
})  # fmt: skip
"""Slack reads their arguments as a form only."""
PAUSE_BEFORE_REPEATING: Final = 0.3
MOST_TRIES: Final = 3
_DOWNLOAD_SECONDS: Final = 60.0
_BYTES: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class BotIdentity:
    """Who we are in the workspace."""

    team_id: str
    user_id: str
    bot_id: str


still_wanted: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("still_wanted", default=None)
"""Raises when what this task does is not wanted any more. Asked before every request: a process may freeze between any two."""


class SlackClient:
    """Calls of one installed app. ``team_id`` only tells workspaces apart where pauses are kept."""

    def __init__(self, token: str, session: aiohttp.ClientSession, *, base_url: str = "https://slack.com/api/") -> None:
        self._session = session
        self._base = base_url if base_url.endswith("/") else base_url + "/"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        self._form_headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        self._urls: dict[str, URL] = {}
        self._paused_until: dict[tuple[str, str], float] = {}
        self._identity: BotIdentity | None = None
        # Without retry handlers: the SDK's own would repeat posts whose answer was lost.
        self.web = AsyncWebClient(token=token, base_url=self._base, session=session, retry_handlers=[])

    @property
    def base_url(self) -> str:
        """Where Slack's methods are."""
        return self._base

    @classmethod
    def open(
        cls, token: str, *, base_url: str = "https://slack.com/api/", timeout_seconds: float = 10.0, max_connections: int = 200
    ) -> Self:
        """With a session of its own; to be called inside the running loop, and closed."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_connections, keepalive_timeout=30.0, ttl_dns_cache=60),
            # slack_sdk's own time-out is ignored with a shared session, so it stands here.
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=min(5.0, timeout_seconds)),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return cls(token, session, base_url=base_url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def call(
        self, method: str, *, json: Mapping[str, Any] | None = None, team_id: str = "", longest_wait: float = LONGEST_WAIT
    ) -> Json:
        """Slack's answer. ``SlackRateLimited`` when Slack asks to wait longer than ``longest_wait`` seconds altogether,
        ``SlackUnavailable`` when it is unknown whether the call took effect, ``SlackRefused`` with Slack's code otherwise.
        """
        refuse_inside_transaction(method)
        key = (team_id, method)
        wait = self._pause_left(key)
        for attempt in range(1, MOST_TRIES + 1):
            if wait > longest_wait:
                raise SlackRateLimited(method, retry_after_seconds=wait)
            if wait > 0:
                longest_wait -= wait
                await asyncio.sleep(wait)
            await _refuse_if_unwanted()
            try:
                return await self._once(method, json or {})
            except SlackRateLimited as error:
                wait = error.retry_after_seconds
                self._paused_until[key] = asyncio.get_running_loop().time() + wait
                if attempt == MOST_TRIES:
                    raise
            except _NotSentError as error:
                if attempt == MOST_TRIES:
                    raise SlackUnavailable(method, code="not_sent") from error
                wait = PAUSE_BEFORE_REPEATING
            except SlackUnavailable:
                if method not in REPEATABLE or attempt == MOST_TRIES:
                    raise
                wait = PAUSE_BEFORE_REPEATING
        raise AssertionError("unreachable")

    async def _once(self, method: str, params: Mapping[str, Any]) -> Json:
        url = self._urls.get(method)
        if url is None:
            url = self._urls[method] = URL(self._base + method)
        try:
            async with self._session.post(url, **self._body(method, params)) as response:
                body, status, headers = await response.read(), response.status, response.headers
        except aiohttp.ClientConnectorError as error:
            count_slack_call(method=method, outcome="not_sent")
            raise _NotSentError(method) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            count_slack_call(method=method, outcome="lost")
            raise SlackUnavailable(f"{method}: {type(error).__name__}", code="lost") from error
        return _judged(method, status, headers, body)

    def _body(self, method: str, params: Mapping[str, Any]) -> Json:
        if method in READING:
            return {
                "data": urlencode({name: _form_value(value) for name, value in params.items()}),
                "headers": self._form_headers,
            }
        given = {name: value for name, value in params.items() if value is not None}
        return {"data": json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode(), "headers": self._headers}

    def _pause_left(self, key: tuple[str, str]) -> float:
        until = self._paused_until.get(key)
        if until is None:
            return 0.0
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            del self._paused_until[key]
        return max(0.0, left)

    async def identity(self) -> BotIdentity:
        """Asked once."""
        if self._identity is None:
            answer = await self.call("auth.test")
            self._identity = BotIdentity(answer["team_id"], answer["user_id"], answer.get("bot_id", ""))
        return self._identity

    async def post_message(
        self, *, channel_id: str, thread_ts: str | None, text: str, blocks: Sequence[Json] = (), metadata: Json | None = None,
        team_id: str = "", longest_wait: float = LONGEST_WAIT,
    ) -> str:  # fmt: skip
        """The ts. Links in it are never previewed: a preview asks the address, and could tell it something."""
        params = {"channel": channel_id, "thread_ts": thread_ts, "text": text, "blocks": list(blocks) or None,
                  "metadata": metadata, "unfurl_links": False, "unfurl_media": False}  # fmt: skip
        answer = await self.call("chat.postMessage", json=params, team_id=team_id, longest_wait=longest_wait)
        return str(answer["ts"])

    async def post_ephemeral(
        self, *, channel_id: str, user_id: str, text: str, thread_ts: str | None = None, blocks: Sequence[Json] = (),
        team_id: str = "",
    ) -> None:  # fmt: skip
        """Seen by one person, gone when they reload."""
        params = {"channel": channel_id, "user": user_id, "thread_ts": thread_ts, "text": text, "blocks": list(blocks) or None}
        await self.call("chat.postEphemeral", json=params, team_id=team_id)

    async def update_message(
        self, *, channel_id: str, ts: str, text: str, blocks: Sequence[Json] = (), metadata: Json | None = None,
        team_id: str = "", longest_wait: float = LONGEST_WAIT,
    ) -> None:  # fmt: skip
        params = {"channel": channel_id, "ts": ts, "text": text, "blocks": list(blocks), "metadata": metadata}
        await self.call("chat.update", json=params, team_id=team_id, longest_wait=longest_wait)

    async def delete_message(self, *, channel_id: str, ts: str, team_id: str = "") -> None:
        """Also when it has gone already."""
        try:
            await self.call("chat.delete", json={"channel": channel_id, "ts": ts}, team_id=team_id)
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    async def start_stream(
        self, *, channel_id: str, thread_ts: str, recipient_user_id: str, recipient_team_id: str, team_id: str = "",
        longest_wait: float = 0.0,
    ) -> str:  # fmt: skip
        params = {"channel": channel_id, "thread_ts": thread_ts, "recipient_user_id": recipient_user_id,
                  "recipient_team_id": recipient_team_id}  # fmt: skip
        answer = await self.call("chat.startStream", json=params, team_id=team_id, longest_wait=longest_wait)
        return str(answer["ts"])

    async def append_stream(
        self, *, channel_id: str, ts: str, markdown_text: str, team_id: str = "", longest_wait: float = 0.0
    ) -> None:
        params = {"channel": channel_id, "ts": ts, "markdown_text": markdown_text}
        await self.call("chat.appendStream", json=params, team_id=team_id, longest_wait=longest_wait)

    async def stop_stream(
        self, *, channel_id: str, ts: str, markdown_text: str = "", blocks: Sequence[Json] = (), metadata: Json | None = None,
        team_id: str = "", longest_wait: float = LONGEST_WAIT,
    ) -> None:  # fmt: skip
        params = {"channel": channel_id, "ts": ts, "markdown_text": markdown_text or None, "blocks": list(blocks) or None,
                  "metadata": metadata, "session_status": "active"}  # fmt: skip
        await self.call("chat.stopStream", json=params, team_id=team_id, longest_wait=longest_wait)

    async def upload(self, url: str, content: bytes) -> None:
        """Puts a file's bytes where Slack said; ``SlackRefused`` for an address that is not Slack's: they go nowhere else."""
        refuse_inside_transaction("upload")
        target = URL(url)
        if target.origin() != URL(self._base).origin() and not (target.scheme == "https" and target.host == "files.slack.com"):
            raise SlackRefused("upload_url is not Slack's", code="invalid_url")
        await _refuse_if_unwanted()
        try:
            async with self._session.post(target, data=content, headers=_BYTES) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            count_slack_call(method="upload", outcome="lost")
            raise SlackUnavailable(f"upload: {type(error).__name__}", code="lost") from error
        count_slack_call(method="upload", outcome="ok" if status == 200 else f"http_{status}")
        if status != 200:
            raise SlackUnavailable(f"upload: HTTP {status}", code=f"http_{status}")

    async def download(self, url: str, *, most_bytes: int) -> tuple[bytes | None, str]:
        """Content and media type of a file of Slack's; no content when there is more than ``most_bytes`` of it.

        The caller has made sure that the address is Slack's: our token goes there. It is never passed on by a redirect.
        """
        refuse_inside_transaction("download")
        await _refuse_if_unwanted()
        timeout = aiohttp.ClientTimeout(total=_DOWNLOAD_SECONDS)
        headers = {"Authorization": self._headers["Authorization"]}
        try:
            async with self._session.get(URL(url), headers=headers, allow_redirects=False, timeout=timeout) as response:
                if response.status >= 500 or response.status == 429:
                    raise SlackUnavailable(f"file: HTTP {response.status}", code=f"http_{response.status}")
                if response.status != 200:
                    raise SlackRefused(f"file: HTTP {response.status}", code=f"http_{response.status}")
                content = bytearray()
                async for piece in response.content.iter_chunked(65_536):
                    content += piece
                    if len(content) > most_bytes:
                        return None, response.content_type
                return bytes(content), response.content_type
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackUnavailable(f"file: {type(error).__name__}", code="lost") from error

    async def replies_since(self, *, channel_id: str, thread_ts: str, oldest: str, team_id: str = "") -> list[Json]:
        """Messages of a thread that are newer than ``oldest``, with metadata. None when the thread is gone."""
        messages: list[Json] = []
        params = {"channel": channel_id, "ts": thread_ts, "oldest": oldest, "include_all_metadata": True, "limit": 100}
        try:
            while True:
                answer = await self.call("conversations.replies", json=params, team_id=team_id)
                messages += answer.get("messages", ())
                cursor = (answer.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    return messages
                params["cursor"] = cursor
        except SlackRefused as error:
            if error.code == "thread_not_found":
                return []
            raise


class _NotSentError(Exception):
    """No connection came about: the call certainly had no effect."""


def _judged(method: str, status: int, headers: Mapping[str, str], body: bytes) -> Json:
    if status == 429:
        count_slack_call(method=method, outcome="ratelimited")
        raise SlackRateLimited(method, retry_after_seconds=retry_after(headers))
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or status >= 500:
        count_slack_call(method=method, outcome=f"http_{status}")
        raise SlackUnavailable(f"{method}: HTTP {status}", code=f"http_{status}")
    if answer.get("ok"):
        count_slack_call(method=method, outcome="ok")
        return answer
    code = str(answer.get("error") or "unknown_error")
    count_slack_call(method=method, outcome=code)
    if code in {"ratelimited", "rate_limited"}:
        raise SlackRateLimited(method, retry_after_seconds=retry_after(headers))
    if code in PASSING_CODES:
        raise SlackUnavailable(f"{method}: {code}", code=code)
    raise SlackRefused(f"{method}: {code}", code=code)


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds of a 429."""
    try:
        return max(0.0, float(headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


def _form_value(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


async def _refuse_if_unwanted() -> None:
    if (ask := still_wanted.get()) is not None:
        await ask()
