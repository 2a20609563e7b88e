"""What Slack sends: signed requests to the application's three routes, or the same over Socket Mode."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp

from app.playground.options import Options
from app.playground.state import Workspace, World

logger = logging.getLogger(__name__)
Json = dict[str, Any]
RETRY_REASONS = {"timeout": "http_timeout", "connection": "connection_failed"}


@dataclass
class Answer:
    """What the application answered to one request; status 0: nothing, and ``error`` says why."""

    status: int
    text: str = ""
    error: str | None = None
    no_retry: bool = False

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Json:
        try:
            parsed = json.loads(self.text) if self.text else {}
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass
class Delivery:
    """One event on its way to the application, with all its attempts."""

    event_id: str
    envelope: Json
    answers: list[Answer] = field(default_factory=list)
    first_answer: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def is_accepted(self) -> bool:
        return any(answer.is_ok for answer in self.answers)


class SocketConnections(Protocol):
    """The application's open Socket Mode connections."""

    async def send(self, kind: str, payload: Json, *, retry: int, reason: str | None, timeout_seconds: float) -> Answer: ...


def sign(secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return "v0=" + digest.hexdigest()


class Deliveries:
    """Sends and retries. Wants ``start()`` in a running loop and ``close()`` afterwards."""

    def __init__(self, world: World, options: Options, sockets: SocketConnections) -> None:
        self._world = world
        self._options = options
        self._sockets = sockets
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.sent: dict[str, Delivery] = {}
        self.keeps_sent = True
        self._prefix = f"Ev{int(world.now() * 1000) % 10**9:09d}"
        self.clock_seconds: Callable[[], float] = world.now

    def start(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4)
        self._session = aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": "Slackbot 1.0 (playground)"}, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    # Events

    def event(self, workspace: Workspace, event: Json, *, event_id: str | None = None) -> Delivery:
        """Starts sending an event; retried like Slack's when the application does not accept it within three seconds."""
        event_id = event_id or f"{self._prefix}{next(self._numbers):06d}"
        delivery = Delivery(event_id, self._envelope(workspace, event, event_id))
        self._world.keep("event", team=workspace.id, event_id=event_id, envelope=delivery.envelope)
        if self.keeps_sent:
            self.sent[event_id] = delivery
        self._start(delivery, first_attempt=0)
        return delivery

    def resume(self, entries: Iterable[Json]) -> None:
        """Sends again what was not accepted before the process ended."""
        waiting: dict[str, Json] = {}
        for entry in entries:
            if entry["kind"] == "event":
                waiting[entry["event_id"]] = entry["envelope"]
            elif entry["kind"] == "event_done":
                waiting.pop(entry["event_id"], None)
        for event_id, envelope in waiting.items():
            self._world.keep("event", team=envelope["team_id"], event_id=event_id, envelope=envelope)
            delivery = Delivery(event_id, envelope)
            if self.keeps_sent:
                self.sent[event_id] = delivery
            self._start(delivery, first_attempt=1)

    async def again(self, event_id: str, *, retry: int | None = None, reason: str = "http_timeout") -> Answer:
        """The same event once more, whether or not it was accepted; with retry headers when ``retry`` is given."""
        return await self._post_event(self.sent[event_id], retry or 0, reason if retry else None)

    def _start(self, delivery: Delivery, *, first_attempt: int) -> None:
        delivery.task = asyncio.create_task(self._deliver(delivery, first_attempt))
        self._tasks.add(delivery.task)
        delivery.task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery, attempt: int) -> None:
        reason: str | None = "http_error" if attempt else None
        delays = (0.0, *self._options.retry_delays)
        while attempt < len(delays):
            if delays[attempt]:
                await asyncio.sleep(delays[attempt])
            answer = await self._post_event(delivery, attempt, reason)
            delivery.first_answer.set()
            if answer.is_ok or answer.no_retry:
                break
            reason = RETRY_REASONS.get(answer.error or "", "http_error")
            attempt += 1
        self._world.keep("event_done", team=delivery.envelope["team_id"], event_id=delivery.event_id)

    async def _post_event(self, delivery: Delivery, attempt: int, reason: str | None) -> Answer:
        started = self.clock_seconds()
        if self._options.uses_socket_mode:
            answer = await self._sockets.send(
                "events_api", delivery.envelope, retry=attempt, reason=reason, timeout_seconds=self._options.ack_seconds
            )
        else:
            headers = {"Content-Type": "application/json"}
            if attempt:
                headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason or "http_error"}
            body = json.dumps(delivery.envelope, separators=(",", ":")).encode()
            answer = await self.post(self._options.events_path, body, headers)
        delivery.answers.append(answer)
        self._world.record.delivery(
            type=delivery.envelope["event"]["type"], event_id=delivery.event_id, attempt=attempt, status=answer.status,
            seconds=self.clock_seconds() - started, error=answer.error,
        )  # fmt: skip
        return answer

    def _envelope(self, workspace: Workspace, event: Json, event_id: str) -> Json:
        place = workspace.channels.get(str(event.get("channel")))
        return {
            "token": "playground", "team_id": workspace.id, "context_team_id": workspace.id, "context_enterprise_id": None,
            "api_app_id": workspace.app_id, "event": event, "type": "event_callback", "event_id": event_id,
            "event_time": int(self._world.now()),
            "authorizations": [
                {
                    "enterprise_id": None, "team_id": workspace.id, "user_id": workspace.bot_user_id, "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(place and place.is_shared_with_others), "event_context": "4-" + event_id,
        }  # fmt: skip

    # Commands and interactions

    async def command(self, fields: dict[str, str]) -> Answer:
        if self._options.uses_socket_mode:
            return await self._socket("slash_commands", fields)
        return await self._form(self._options.commands_path, fields)

    async def interaction(self, payload: Json) -> Answer:
        if self._options.uses_socket_mode:
            return await self._socket("interactive", payload)
        return await self._form(self._options.interactive_path, {"payload": json.dumps(payload)})

    async def _socket(self, kind: str, payload: Json) -> Answer:
        return await self._sockets.send(kind, payload, retry=0, reason=None, timeout_seconds=self._options.ack_seconds)

    async def _form(self, path: str, fields: dict[str, str]) -> Answer:
        started = self.clock_seconds()
        answer = await self.post(path, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        self._world.record.delivery(
            type=path.rsplit("/", 1)[-1], event_id=None, attempt=0, status=answer.status, seconds=self.clock_seconds() - started,
            error=answer.error,
        )  # fmt: skip
        return answer

    async def post(
        self, path: str, body: bytes, headers: dict[str, str], *, secret: str | None = None, at: float | None = None
    ) -> Answer:
        """One signed request; tests may give another secret or time."""
        if self._session is None:
            raise RuntimeError("the small Slack has not been started")
        timestamp = str(int(self.clock_seconds() if at is None else at))
        signed = {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(secret or self._options.signing_secret, timestamp, body),
            **headers,
        }
        url = self._options.app_base_url.rstrip("/") + path
        timeout = aiohttp.ClientTimeout(total=self._options.ack_seconds)
        try:
            async with self._session.post(url, data=body, headers=signed, timeout=timeout) as response:
                text = await response.text()
                return Answer(
                    response.status, text, None if response.ok else "status", response.headers.get("X-Slack-No-Retry") == "1"
                )
        except TimeoutError:
            return Answer(0, error="timeout")
        except aiohttp.ClientError:
            return Answer(0, error="connection")
