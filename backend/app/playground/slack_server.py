"""A small Slack on a port of its own: Web API, uploads, response addresses, Socket Mode, and controls for tests.

``python -m app.playground.slack_server --port 9911 --control`` runs it as a process; ``SlackServer`` runs it in this one.
"""

import argparse
import asyncio
import json
import logging
import signal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from app.playground.control import Controls
from app.playground.demo_workspace import BOT_TOKEN, furnish
from app.playground.journal import Journal
from app.playground.options import Options
from app.playground.small_slack import SmallSlack
from app.playground.socket_mode import SocketMode
from app.playground.validation import Refused

logger = logging.getLogger(__name__)
Json = dict[str, Any]
SERVER_ERROR = "<!DOCTYPE html><html><head><title>Server Error | Slack</title></head><body><h1>Server Error</h1></body></html>"
STRUCTURED = frozenset({"blocks", "attachments", "metadata", "view", "prompts", "chunks", "files", "loading_messages"})
MOST_BYTES = 64 * 1024 * 1024


class SlackServer:
    """``async with SlackServer(options) as slack`` — the object is the ``SmallSlack`` with addresses filled in.

    ``options.app_base_url`` may be set later, when the application knows its port.
    """

    def __init__(
        self, options: Options | None = None, *, host: str = "127.0.0.1", port: int = 0, journal: Journal | None = None,
        with_control: bool = False, bot_token: str = BOT_TOKEN,
    ) -> None:  # fmt: skip
        self._sockets = SocketMode()
        self.slack = SmallSlack(options, journal=journal, sockets=self._sockets)
        furnish(self.slack, bot_token=bot_token)
        self._host, self._port = host, port
        self._controls = Controls(self.slack) if with_control else None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> SmallSlack:
        await self.start()
        return self.slack

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def base_url(self) -> str:
        return self.slack.api.base_url

    @property
    def api_url(self) -> str:
        """What the application is told as ``SLACK_API_URL``."""
        return f"{self.base_url}/api/"

    async def start(self) -> None:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/api/{method}", self._web_api)
        app.router.add_post("/response/{name}", self._response_url)
        app.router.add_post("/upload/{ticket}", self._upload)
        app.router.add_get("/files/{team}/{file}/{name}", self._download)
        app.router.add_get("/socket", self._socket)
        if self._controls is not None:
            app.router.add_post("/control/{name}", self._control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await site.start()
        port = self._runner.addresses[0][1]
        self.slack.api.base_url = f"http://{self._host}:{port}"
        self.slack.restore()
        self.slack.start()
        self.slack.resume()

    async def close(self) -> None:
        await self.slack.close()
        await self._sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # The Web API

    async def _web_api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        params = await _params(request)
        channel = str(params.get("channel") or params.get("channel_id") or "")
        fault = self.slack.faults.strike(method, channel)
        kind = fault.kind if fault else ""
        if fault is not None and kind == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and kind in {"lost_request", "rate_limit", "server_error", "error"}:
            self._note(method, params, None, {"ok": False, "error": fault.error if kind == "error" else kind}, is_done=False)
            if kind == "lost_request":
                return _broken(request)
            if kind == "rate_limit":
                return _rate_limited(int(fault.seconds))
            if kind == "server_error":
                return web.Response(status=500, text=SERVER_ERROR, content_type="text/html")
            return web.json_response({"ok": False, "error": fault.error})
        token = _token(request, params)
        answer = self._call(method, token, params)
        if fault is not None and kind == "slow_response":
            await asyncio.sleep(fault.seconds)
        if kind == "lost_response":
            return _broken(request)
        if kind == "server_error_after":
            return web.Response(status=500, text=SERVER_ERROR, content_type="text/html")
        if answer.get("error") == "ratelimited":
            return _rate_limited(answer["retry_after"])
        return web.Response(body=json.dumps(answer).encode(), content_type="application/json")

    def _call(self, method: str, token: str | None, params: Json) -> Json:
        answer: Json
        team_id = ""
        try:
            if token and token in self.slack.world.by_token:
                team_id = self.slack.world.by_token[token].id
            channel = str(params.get("channel") or params.get("channel_id") or "")
            wait = self.slack.rates.seconds_to_wait(method, team_id, channel)
            if wait:
                raise Refused("ratelimited", retry_after=wait)
            answer = self.slack.api.call(method, token, params)
        except Refused as refused:
            answer = refused.as_answer()
        self._note(method, params, team_id, answer, is_done=answer["ok"])
        return answer

    def _note(self, method: str, params: Json, team_id: str | None, answer: Json, *, is_done: bool) -> None:
        self.slack.record.call(
            method, team=team_id, channel=params.get("channel") or params.get("channel_id"),
            ts=params.get("ts") or answer.get("ts"),
            thread_ts=params.get("thread_ts"), ok=answer["ok"], error=answer.get("error"), is_done=is_done,
        )  # fmt: skip

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        fault = self.slack.faults.strike("response_url", "")
        if fault is not None and fault.kind in {"server_error", "lost_request"}:
            return web.Response(status=500, text=SERVER_ERROR, content_type="text/html")
        if fault is not None and fault.kind == "rate_limit":
            self._note("response_url", {}, None, {"ok": False, "error": "ratelimited"}, is_done=False)
            return _rate_limited(int(fault.seconds))
        answer: Json = {"ok": True}
        try:
            content = await request.json()
            self.slack.response_urls.use(request.match_info["name"], content)
        except ValueError:
            answer = {"ok": False, "error": "invalid_payload"}
        except Refused as refused:
            answer = refused.as_answer()
        self._note("response_url", {}, None, answer, is_done=answer["ok"])
        if answer["ok"]:
            return web.Response(text="ok")
        return web.json_response(answer, status=404 if answer["error"] in {"expired_url", "used_url"} else 400)

    # Files and sockets

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        found = self.slack.api.uploads.pop(request.match_info["ticket"], None)
        if found is None:
            return web.Response(status=404)
        workspace, file_id = found
        content = await _file_content(request)
        workspace.contents[file_id] = content
        workspace.files[file_id]["size"] = len(content)
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        workspace = self.slack.world.workspaces.get(request.match_info["team"])
        token = _token(request, {})
        if workspace is None or token != workspace.bot_token or workspace.is_revoked:
            return web.Response(text="<!DOCTYPE html><html><body>Sign in</body></html>", content_type="text/html")
        content = workspace.contents.get(request.match_info["file"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self.slack.api.socket_tickets:
            return web.Response(status=404)
        self.slack.api.socket_tickets.discard(ticket)
        return await self._sockets.serve(request)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        assert self._controls is not None
        arguments = await request.json() if request.can_read_body else {}
        try:
            result = await self._controls.do(request.match_info["name"], arguments)
        except (LookupError, TypeError, ValueError, TimeoutError) as error:
            return web.json_response({"ok": False, "error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"ok": True, "result": result})


async def _params(request: web.Request) -> Json:
    params: Json = dict(request.query)
    content_type = request.content_type
    if content_type == "application/json":
        try:
            parsed = json.loads(await request.read() or b"{}")
        except ValueError:
            parsed = {}
        if isinstance(parsed, dict):
            params |= parsed
    elif content_type == "application/x-www-form-urlencoded":
        params |= dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    elif content_type == "multipart/form-data":
        params |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    for name in STRUCTURED & params.keys():
        if isinstance(params[name], str) and params[name][:1] in {"[", "{"}:
            try:
                params[name] = json.loads(params[name])
            except ValueError:
                continue  # the method refuses it in its own words
    return params


def _token(request: web.Request, params: Json) -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind == "Bearer" and token:
        return token
    given = params.pop("token", None)
    return str(given) if given else None


async def _file_content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


def _rate_limited(seconds: int) -> web.Response:
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _serve(arguments: argparse.Namespace) -> None:
    options = Options(
        app_base_url=arguments.app, signing_secret=arguments.signing_secret, has_strict_rates=arguments.strict_rates,
    )  # fmt: skip
    server = SlackServer(options, host=arguments.host, port=arguments.port, with_control=arguments.control)
    await server.start()
    print(json.dumps({"api_url": server.api_url}), flush=True)  # noqa: T201 - the line a parent process waits for
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, done.set)
    await done.wait()
    await server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A small Slack for tests and benchmarks.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--app", default=Options.app_base_url, help="address of the application")
    parser.add_argument("--signing-secret", default=Options.signing_secret)
    parser.add_argument("--strict-rates", action="store_true", help="Slack's real limits per minute")
    parser.add_argument("--control", action="store_true", help="serve /control/…")
    import uvloop  # noqa: PLC0415 - only the process of its own needs it

    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
