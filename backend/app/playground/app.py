"""The playground: the small Slack of the demo and the page people use it with. It talks to the application only as Slack does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.i18n.language import Language, language_of_locale
from app.i18n.messages import catalog, message
from app.playground.delivery import Answer
from app.playground.demo_workspace import BOT_TOKEN, TEAM
from app.playground.journal import Journal
from app.playground.options import Options
from app.playground.person_view import may_see, world_of
from app.playground.slack_server import SlackServer
from app.playground.small_slack import Sent, SmallSlack
from app.playground.validation import Refused

Json = dict[str, Any]
STATIC = Path(__file__).parent / "static"
RETRY_DELAYS = (0.2, 2.0, 10.0, 30.0, 60.0, 60.0)  # nobody at a demo wants to wait Slack's five minutes
HEARTBEAT_SECONDS = 15.0
LOOK_UP_SECONDS = 0.5
MOST_WAITING_CHANGES = 2_000
MOST_FILE_BYTES = 30 * 1024 * 1024  # more than the coach takes, so that its own refusal can be seen
MOST_NAME = 255
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Playground:
    """``start()`` before the application makes its first Slack call; mount ``page`` at ``/playground``; ``close()`` at the end.

    The Web API stands on a loopback port of its own (``api_url``), because the application asks Slack who it is before its own
    port listens. ``is_draining`` ends the pages' open connections when the process is asked to stop.
    """

    def __init__(
        self, *, app_base_url: str, signing_secret: str, data_directory: Path, bot_token: str = BOT_TOKEN,
        commands: Mapping[str, str] | None = None, shortcuts: Mapping[str, str] | None = None, is_offline: bool = True,
        is_draining: Callable[[], bool] = lambda: False,
        port: int = 0,
    ) -> None:  # fmt: skip
        """``commands``: name → key of its summary in the catalogs; ``shortcuts`` on messages: callback id → key of its name.

        ``is_offline``: no language model answers.
        """
        options = Options(app_base_url=app_base_url, signing_secret=signing_secret, retry_delays=RETRY_DELAYS)
        journal = Journal(data_directory / "playground.jsonl")
        self._server = SlackServer(options, port=port, journal=journal, bot_token=bot_token)
        self._commands = dict(commands or {})
        self._shortcuts = dict(shortcuts or {})
        self._is_offline = is_offline
        self._is_draining = is_draining
        self._is_closing = False
        self._pages: set[asyncio.Queue[Json]] = set()
        self.slack.world.watchers.append(self._to_pages)
        self.slack.record.is_on = False
        self.slack.deliveries.keeps_sent = False
        self.page = self._build_page()

    @property
    def slack(self) -> SmallSlack:
        return self._server.slack

    @property
    def api_url(self) -> str:
        """``SLACK_API_URL`` for the application; known after ``start``."""
        return self._server.api_url

    async def start(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        self._is_closing = True
        await self._server.close()

    # The page

    def _build_page(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/world", self._world),
                Route("/changes", self._changes),
                Route("/act", self._act, methods=["POST"]),
                Route("/upload", self._upload, methods=["POST"]),
                Route("/files/{file}", self._file),
                Mount("/static", _CarefulFiles(directory=STATIC)),
            ]
        )

    async def _index(self, request: Request) -> Response:
        if not request.url.path.endswith("/"):
            return RedirectResponse(request.url.path + "/")
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    async def _world(self, request: Request) -> Response:
        user = self._person(request.query_params.get("user"))
        if user is None:
            return JSONResponse({"error": "user_not_found"}, 404)
        language = self._language(user)
        texts = {
            key.removeprefix("playground."): text for key, text in catalog(language).items() if key.startswith("playground.")
        }
        commands = [{"name": name, "summary": message(key, language)} for name, key in self._commands.items()]
        shortcuts = [{"id": name, "name": message(key, language)} for name, key in self._shortcuts.items()]
        world = world_of(self.slack, self.slack.workspace(TEAM), user)
        return JSONResponse(
            {
                **world,
                "language": language.value,
                "texts": texts,
                "commands": commands,
                "shortcuts": shortcuts,
                "is_offline": self._is_offline,
            },
            headers=HEADERS,
        )

    async def _changes(self, request: Request) -> Response:
        user = self._person(request.query_params.get("user"))
        if user is None:
            return JSONResponse({"error": "user_not_found"}, 404)
        headers = {**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream_changes(user), media_type="text/event-stream", headers=headers)

    async def _stream_changes(self, user: str) -> AsyncIterator[str]:
        changes: asyncio.Queue[Json] = asyncio.Queue(MOST_WAITING_CHANGES)
        self._pages.add(changes)
        silent_seconds = 0.0
        try:
            yield "retry: 1000\nevent: hello\ndata: {}\n\n"
            while changes in self._pages and not (self._is_closing or self._is_draining()):
                try:
                    async with asyncio.timeout(LOOK_UP_SECONDS):
                        change = await changes.get()
                except TimeoutError:
                    silent_seconds += LOOK_UP_SECONDS
                    if silent_seconds >= HEARTBEAT_SECONDS:
                        silent_seconds = 0.0
                        yield ": still here\n\n"
                    continue
                if may_see(self.slack.workspace(TEAM), user, change):
                    yield f"data: {json.dumps(change, ensure_ascii=False)}\n\n"
        finally:
            self._pages.discard(changes)

    def _to_pages(self, change: Json) -> None:
        if change["team"] != TEAM or not self._pages:
            return
        if change.get("message"):
            # The dictionary lives on and changes; a page must get what stood there at this moment.
            change = {**change, "message": {name: value for name, value in change["message"].items() if name != "metadata"}}
        for page in list(self._pages):
            try:
                page.put_nowait(change)
            except asyncio.QueueFull:
                self._pages.discard(page)  # its stream ends, and the page reads everything anew

    async def _file(self, request: Request) -> Response:
        content = self.slack.workspace(TEAM).contents.get(request.path_params["file"])
        if content is None:
            return JSONResponse({"error": "file_not_found"}, 404)
        is_picture = content.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff"))
        headers = {**HEADERS, "Content-Disposition": "inline" if is_picture else "attachment"}
        return Response(content, media_type="image/png" if is_picture else "application/octet-stream", headers=headers)

    # What people do

    async def _act(self, request: Request) -> Response:
        if refusal := _refusal(request, "application/json"):
            return refusal
        try:
            wanted = json.loads(await request.body())
            user = self._person(wanted["user"])
            result = await self._do(user, wanted["do"], wanted.get("with") or {}) if user else {"error": "user_not_found"}
        except (ValueError, LookupError, TypeError) as error:
            return JSONResponse({"error": type(error).__name__}, 400)
        except Refused as refused:
            return JSONResponse({"error": refused.error}, 409)
        return JSONResponse(result)

    async def _upload(self, request: Request) -> Response:
        """A file by itself; a message that names its id shares it, as in Slack."""
        if refusal := _refusal(request, "application/octet-stream"):
            return refusal
        user, name = self._person(request.query_params.get("user")), request.query_params.get("name", "")[:MOST_NAME]
        if user is None or not name or "/" in name:
            return JSONResponse({"error": "invalid_arguments"}, 400)
        content = bytearray()
        async for piece in request.stream():
            content += piece
            if len(content) > MOST_FILE_BYTES:
                return JSONResponse({"error": "file_too_large"}, 413)
        file = self.slack.new_file(name, bytes(content), user=user, team=TEAM)
        return JSONResponse({"ok": True, "id": file["id"], "name": file["name"]})

    async def _do(self, user: str, what: str, given: Json) -> Json:
        slack, workspace = self.slack, self.slack.workspace(TEAM)
        if "channel" in given and user not in workspace.channels[given["channel"]].members:
            return {"error": "not_in_channel"}
        if what in {"edit", "delete"} and workspace.channels[given["channel"]].messages[given["sent_ts"]]["user"] != user:
            return {"error": "not_your_message"}
        if "files" in given:
            given = {**given, "files": [self._own_file(user, file_id) for file_id in given["files"]]}
        if what in {"say", "open_home"}:
            done: Any = await getattr(slack, what)(user=user, team=TEAM, waits=False, **given)
        elif what in {"edit", "delete"}:
            done = await getattr(slack, what)(team=TEAM, waits=False, **given)
        elif what in {"command", "click", "submit", "close_modal", "stop", "shortcut"}:
            done = await getattr(slack, what)(user=user, team=TEAM, **given)
        else:
            return {"error": "unknown_action"}
        if isinstance(done, Answer):
            return {"ok": done.is_ok, "error": done.error, "errors": done.json().get("errors")}
        return {"ok": True, **({"ts": done.ts, "thread_ts": done.thread_ts} if isinstance(done, Sent) else {})}

    def _own_file(self, user: str, file_id: str) -> Json:
        file = self.slack.workspace(TEAM).files[file_id]
        if file["user"] != user:
            raise Refused("file_not_found")
        return file

    def _person(self, user_id: str | None) -> str | None:
        """The person of this id, or the first one; ``None`` for strangers and for the app itself."""
        people: list[str] = [one["id"] for one in self.slack.workspace(TEAM).users.values() if not one["is_bot"]]
        if not user_id:
            return people[0]
        return user_id if user_id in people else None

    def _language(self, user: str) -> Language:
        return language_of_locale(self.slack.workspace(TEAM).users[user]["locale"]) or Language.JAPANESE


def _refusal(request: Request, content_type: str) -> Response | None:
    """Other sites can send forms and plain text here, but neither of our content types without asking first."""
    if request.headers.get("content-type", "").partition(";")[0] != content_type:
        return JSONResponse({"error": "json_expected" if content_type.endswith("json") else "bytes_expected"}, 415)
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return JSONResponse({"error": "other_site"}, 403)
    return None


class _CarefulFiles(StaticFiles):
    """Files with the page's headers."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response
