"""A language model that says what the test tells it to, over the wire formats of the real ones.

It speaks OpenAI's chat completions and Anthropic's messages, as a stream or as one JSON answer, and refuses what the
real servers refuse. In a test::

    async with ModelServer() as model:
        model.then(says("こんにちは"), fails(429, retry_after=1))
        ... model.openai_url, model.anthropic_url, model.requests

or as a process of its own (benchmarks, fault tests)::

    python -m tests.doubles.model_server --port 9200 --pieces 60 --seconds 2

which takes scripts over ``POST /control/then`` (a JSON list of :class:`Script` fields) and tells ``GET /control/requests``.
"""

import argparse
import asyncio
import json
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Literal, Self

from aiohttp import web

Wire = Literal["openai", "anthropic"]
End = Literal["stop", "length", "refusal"]

DEFAULT_TEXT = "ご質問ありがとうございます。まずお客様の課題を伺い、価値を確かめてから価格の話に進みましょう。"
# OpenAI's models that take neither temperature nor max_tokens. Anthropic's API version of 2026-10-21 takes no temperature at all.
REASONING_MODELS = re.compile(r"^(o\d|gpt-[56])")
UNKNOWN_MODELS = re.compile(r"^no-such-")


@dataclass(frozen=True)
class Script:
    """One reply, or one way to fail. Seconds are waited before the first piece, and between pieces."""

    pieces: tuple[str, ...] = (DEFAULT_TEXT,)
    first_token_seconds: float = 0.0
    piece_seconds: float = 0.0
    end: End = "stop"
    status: int = 200
    error_type: str = ""
    retry_after: str | None = None
    hang_after: int | None = None
    """Nothing more after so many pieces; the connection stays open. -1: not even a status line."""
    cut_after: int | None = None
    """The stream ends after so many pieces without its finish."""
    cut_is_abrupt: bool = False
    """The cut is a connection reset instead of an orderly end."""
    finish_before_cut: bool = False
    """The finish reason still arrives; only what follows it (usage, terminator) is cut away."""
    corrupt_after: int | None = None
    error_event_after: int | None = None
    thinking_pieces: int = 0
    cached_tokens: int = 0


def says(*pieces: str, **details: Any) -> Script:
    return Script(pieces=pieces, **details)


def paced(text: str, *, pieces: int, seconds: float, first_token_seconds: float = 0.0) -> Script:
    """``text`` in ``pieces`` equal parts; the last one leaves ``seconds`` after the request."""
    size = max(1, -(-len(text) // pieces))
    parts = tuple(text[start : start + size] for start in range(0, len(text), size))
    gap = (seconds - first_token_seconds) / max(1, len(parts) - 1)
    return Script(pieces=parts, first_token_seconds=first_token_seconds, piece_seconds=gap)


def fails(status: int, *, retry_after: float | str | None = None, error_type: str = "") -> Script:
    """An HTTP error instead of a reply."""
    return Script(status=status, error_type=error_type, retry_after=None if retry_after is None else str(retry_after))


def hangs(*, after: int = -1) -> Script:
    return Script(pieces=("もし", "もし"), hang_after=after)


def cut(after: int, *pieces: str, abrupt: bool = False, with_finish: bool = False) -> Script:
    return Script(pieces=pieces or ("一つ", "二つ", "三つ"), cut_after=after, cut_is_abrupt=abrupt, finish_before_cut=with_finish)


def says_nothing() -> Script:
    return Script(pieces=())


@dataclass
class Recorded:
    """One request as it arrived. ``is_closed``: the caller went away before the reply was whole."""

    wire: Wire
    body: dict[str, Any]
    headers: dict[str, str]
    arrived_at: float
    peer: tuple[str, int] | None = None
    """The caller's end of the connection: the same for requests that share one."""
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
    is_whole: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """Everything the model was given to read."""
        return json.dumps(self.body, ensure_ascii=False)


Respond = Callable[[dict[str, Any]], Script]


class ModelServer:
    """The server. Scripts given with :meth:`then` are used up in order, after them ``respond`` decides."""

    def __init__(
        self, respond: Respond | None = None, *, key: str | None = "test-key", host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.respond: Respond = respond or (lambda _body: Script())
        self.key = key
        self.requests: list[Recorded] = []
        self._scripts: deque[Script] = deque()
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._site: web.BaseSite | None = None
        self._arrival = asyncio.Condition()

    @property
    def address(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def openai_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def anthropic_url(self) -> str:
        return self.address

    base_url = openai_url

    @property
    def calls(self) -> int:
        return len(self.requests)

    def then(self, *scripts: Script) -> None:
        """These are the next replies, before whatever ``respond`` would say."""
        self._scripts.extend(scripts)

    def forget(self) -> None:
        self.requests.clear()
        self._scripts.clear()

    async def request(self, number: int) -> Recorded:
        """The request of that number (from 0), waiting for it to arrive."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) > number)
        return self.requests[number]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        if not self._port:
            with socket.socket() as probe:
                probe.bind((self._host, 0))
                self._port = probe.getsockname()[1]
        application = web.Application(client_max_size=32 * 2**20)
        application.router.add_post("/v1/chat/completions", self._chat_completions)
        application.router.add_post("/v1/messages", self._messages)
        application.router.add_post("/control/then", self._control_then)
        application.router.add_get("/control/requests", self._control_requests)
        application.router.add_get("/v1/models", _list_models)
        # A hung reply must not hold up the end of a test.
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.05, access_log=None)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await self._site.start()

    async def stop(self) -> None:
        """Connections are refused from now on; :meth:`start` comes back at the same address."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _chat_completions(self, request: web.Request) -> web.StreamResponse:
        return await self._reply(request, "openai", _refuse_chat)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._reply(request, "anthropic", _refuse_messages)

    async def _reply(
        self, request: web.Request, wire: Wire, refuse: Callable[[dict[str, Any]], tuple[int, str, str] | None]
    ) -> web.StreamResponse:
        body = await request.json()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        recorded = Recorded(wire, body, {name.lower(): value for name, value in request.headers.items()}, time.time(), peer)
        self.requests.append(recorded)
        async with self._arrival:
            self._arrival.notify_all()
        if self.key is not None and _key_of(request, wire) != self.key:
            return _error(
                wire, 401, "authentication_error", "invalid x-api-key" if wire == "anthropic" else "Incorrect API key provided"
            )
        if refusal := refuse(body):
            return _error(wire, *refusal)
        script = self._scripts.popleft() if self._scripts else self.respond(body)
        try:
            response = await _perform(request, script, body, wire)
        except (asyncio.CancelledError, ConnectionResetError):
            recorded.is_closed.set()
            raise
        recorded.is_whole.set()
        return response

    async def _control_then(self, request: web.Request) -> web.Response:
        known = {each.name for each in fields(Script)}
        for given in await request.json():
            unknown = set(given) - known
            if unknown:
                raise web.HTTPBadRequest(text=f"no such field: {sorted(unknown)}")
            self.then(replace(Script(), **{**given, "pieces": tuple(given.get("pieces", (DEFAULT_TEXT,)))}))
        return web.json_response({"waiting": len(self._scripts)})

    async def _control_requests(self, _request: web.Request) -> web.Response:
        return web.json_response(
            [{"wire": each.wire, "body": each.body, "arrived_at": each.arrived_at} for each in self.requests]
        )


async def _list_models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "double", "object": "model"}]})


async def _perform(request: web.Request, script: Script, body: dict[str, Any], wire: Wire) -> web.StreamResponse:
    if script.hang_after == -1:
        await asyncio.Event().wait()
    if script.status != 200:
        return _error(
            wire, script.status, script.error_type or _error_type(script.status), "scripted", retry_after=script.retry_after
        )
    frames = _frames(wire, script, str(body["model"]), _wants_usage(body, wire))
    if body.get("stream"):
        return await _stream(request, script, frames)
    await asyncio.sleep(script.first_token_seconds + script.piece_seconds * max(0, len(script.pieces) - 1))
    return web.json_response(_whole(wire, script, str(body["model"])))


async def _stream(request: web.Request, script: Script, frames: "Frames") -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"})
    await response.prepare(request)
    await response.write(frames.head)
    loop = asyncio.get_running_loop()
    due = loop.time() + script.first_token_seconds
    for number, frame in enumerate(frames.pieces):
        if await _is_over(request, response, script, frames, number):
            return response
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        due += script.piece_seconds
        await response.write(frame)
    if await _is_over(request, response, script, frames, len(frames.pieces)):
        return response
    await response.write(frames.finish + frames.tail)
    return response


async def _is_over(request: web.Request, response: web.StreamResponse, script: Script, frames: "Frames", given: int) -> bool:
    """Does what the script wants after ``given`` pieces; true when nothing may follow."""
    if script.hang_after == given:
        await asyncio.Event().wait()
    if script.corrupt_after == given:
        await response.write(b'data: {"id": "broken", "choices": [{"del\n\n')
        return True
    if script.error_event_after == given:
        await response.write(frames.error)
        return True
    if script.cut_after != given:
        return False
    if script.finish_before_cut:
        await response.write(frames.finish)
    if script.cut_is_abrupt and request.transport is not None:
        # What was written must still arrive: the reset follows when the caller has had time to read it.
        await asyncio.sleep(0.02)
        request.transport.abort()
    return True


@dataclass(frozen=True)
class Frames:
    """A scripted stream, serialized: making it costs more than sending it, so it is made once for each script."""

    head: bytes
    pieces: tuple[bytes, ...]
    finish: bytes
    tail: bytes
    error: bytes


@lru_cache(maxsize=256)
def _frames(wire: Wire, script: Script, model: str, wants_usage: bool) -> Frames:
    return _openai_frames(script, model, wants_usage=wants_usage) if wire == "openai" else _anthropic_frames(script, model)


def _openai_frames(script: Script, model: str, *, wants_usage: bool) -> Frames:
    def chunk(delta: dict[str, Any] | None, *, finish: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        value = {"id": "chatcmpl-double", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": model,
                 "system_fingerprint": "fp_double", "choices": choices}  # fmt: skip
        if wants_usage:
            value["usage"] = usage
        return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"

    finish = {"stop": "stop", "length": "length", "refusal": "content_filter"}[script.end]
    error = {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
    thoughts = tuple(chunk({"reasoning_content": "…"}) for _ in range(script.thinking_pieces))
    return Frames(
        head=chunk({"role": "assistant", "content": "", "refusal": None}) + b"".join(thoughts),
        pieces=tuple(chunk({"content": piece}) for piece in script.pieces),
        finish=chunk({}, finish=finish),
        tail=(chunk(None, usage=_openai_usage(script)) if wants_usage else b"") + b"data: [DONE]\n\n",
        error=b"data: " + json.dumps(error).encode() + b"\n\n",
    )


def _anthropic_frames(script: Script, model: str) -> Frames:
    def event(kind: str, **value: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **value}, ensure_ascii=False)}\n\n".encode()

    message = {"id": "msg_double", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
               "stop_sequence": None, "usage": {**_anthropic_usage(script), "output_tokens": 1}}  # fmt: skip
    reason = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}[script.end]
    thoughts = b""
    if script.thinking_pieces:
        thoughts = event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
        thinking = {"type": "thinking_delta", "thinking": "…"}
        thoughts += event("content_block_delta", index=0, delta=thinking) * script.thinking_pieces
        thoughts += event("content_block_stop", index=0)
    index = 1 if script.thinking_pieces else 0
    return Frames(
        head=event("message_start", message=message) + thoughts
        + event("content_block_start", index=index, content_block={"type": "text", "text": ""}) + event("ping"),
        pieces=tuple(event("content_block_delta", index=index, delta=_text_delta(piece)) for piece in script.pieces),
        finish=event("content_block_stop", index=index)
        + event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=_output_usage(script)),
        tail=event("message_stop"),
        error=event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
    )  # fmt: skip


def _text_delta(piece: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": piece}


def _whole(wire: Wire, script: Script, model: str) -> dict[str, Any]:
    text = "".join(script.pieces)
    if wire == "openai":
        finish = {"stop": "stop", "length": "length", "refusal": "content_filter"}[script.end]
        message = {"role": "assistant", "content": text, "refusal": None}
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return {"id": "chatcmpl-double", "object": "chat.completion", "created": 1_790_000_000, "model": model,
                "choices": choices, "usage": _openai_usage(script)}  # fmt: skip
    reason = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}[script.end]
    content = [{"type": "text", "text": text}]
    head = {"id": "msg_double", "type": "message", "role": "assistant", "model": model}
    return {**head, "content": content, "stop_reason": reason, "stop_sequence": None, "usage": _anthropic_usage(script)}


def _output_usage(script: Script) -> dict[str, Any]:
    return {"output_tokens": _output_tokens(script)}


def _output_tokens(script: Script) -> int:
    return sum(map(len, script.pieces))


def _openai_usage(script: Script) -> dict[str, Any]:
    output = _output_tokens(script)
    return {"prompt_tokens": 100, "completion_tokens": output, "total_tokens": 100 + output,
            "prompt_tokens_details": {"cached_tokens": script.cached_tokens}}  # fmt: skip


def _anthropic_usage(script: Script) -> dict[str, Any]:
    return {"input_tokens": 100 - script.cached_tokens, "cache_read_input_tokens": script.cached_tokens,
            "cache_creation_input_tokens": 0, "output_tokens": _output_tokens(script)}  # fmt: skip


def _wants_usage(body: dict[str, Any], wire: Wire) -> bool:
    return wire == "anthropic" or bool((body.get("stream_options") or {}).get("include_usage"))


def _key_of(request: web.Request, wire: Wire) -> str:
    """Anthropic takes the key in either header; its SDK 2 sends the second."""
    own = request.headers.get("x-api-key") if wire == "anthropic" else None
    return own or request.headers.get("authorization", "").removeprefix("Bearer ")


Refusal = tuple[int, str, str]


def _refuse_chat(body: dict[str, Any]) -> Refusal | None:
    bad = "invalid_request_error"
    model = body.get("model")
    if not isinstance(model, str) or not model:
        return 400, bad, "you must provide a model parameter"
    if UNKNOWN_MODELS.match(model):
        return 404, bad, f"The model `{model}` does not exist"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return 400, bad, "'messages' must be a list with at least one message"
    if any(each.get("role") not in {"system", "developer", "user", "assistant"} or not each.get("content") for each in messages):
        return 400, bad, "every message needs a known role and content"
    if any(each["role"] in {"system", "developer"} for each in messages[1:]):
        return 400, bad, "system message must be at the beginning"
    if REASONING_MODELS.match(model):
        if body.get("temperature") not in {None, 1}:
            return 400, bad, "Unsupported value: 'temperature' does not support this value with this model"
        if "max_tokens" in body:
            return (
                400,
                bad,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            )
    elif "reasoning_effort" in body:
        return 400, bad, "Unrecognized request argument supplied: reasoning_effort"
    return None


def _refuse_messages(body: dict[str, Any]) -> Refusal | None:
    bad = "invalid_request_error"
    model = body.get("model")
    if not isinstance(model, str) or not model:
        return 400, bad, "model: Field required"
    if UNKNOWN_MODELS.match(model):
        return 404, "not_found_error", f"model: {model}"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        return 400, bad, "max_tokens: Field required"
    if {"temperature", "top_p", "top_k"} & set(body):
        return 400, bad, "temperature: Extra inputs are not permitted"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return 400, bad, "messages: at least one message is required"
    if any(each.get("role") not in {"user", "assistant"} for each in messages):
        return 400, bad, "messages: Unexpected role"
    if messages[0]["role"] != "user" or messages[-1]["role"] != "user":
        return 400, bad, "messages: must begin and end with a user turn"
    if any(not each.get("content") for each in messages):
        return 400, bad, "messages: text content blocks must be non-empty"
    return None


def _error_type(status: int) -> str:
    return {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
            429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")  # fmt: skip


def _error(wire: Wire, status: int, kind: str, text: str, *, retry_after: str | None = None) -> web.Response:
    body: dict[str, Any] = {"error": {"message": text, "type": kind, "param": None, "code": kind}}
    if wire == "anthropic":
        body = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_double"}
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return web.json_response(body, status=status, headers=headers)


def closed_address() -> str:
    """An address of this machine at which nobody listens, nor will: the port stays taken as long as this process lives."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    taken.detach()
    return address


async def _serve(arguments: argparse.Namespace) -> None:
    text = (arguments.text or DEFAULT_TEXT) * 20
    reply = paced(text[: max(arguments.pieces * 3, 1)], pieces=arguments.pieces, seconds=arguments.seconds,
                  first_token_seconds=arguments.first_token_seconds)  # fmt: skip
    server = ModelServer(lambda _body: reply, key=arguments.key, host=arguments.host, port=arguments.port)
    async with server:
        print(json.dumps({"openai_url": server.openai_url, "anthropic_url": server.anthropic_url}), flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main(given: Sequence[str] | None = None) -> None:
    arguments = argparse.ArgumentParser(description="A scripted language model over HTTP.")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--key", default=None, help="refuse any other key; default: take every key")
    arguments.add_argument("--pieces", type=int, default=60)
    arguments.add_argument("--seconds", type=float, default=2.0, help="from the request to the last piece")
    arguments.add_argument("--first-token-seconds", type=float, default=0.3)
    arguments.add_argument("--text", default=None)
    try:
        asyncio.run(_serve(arguments.parse_args(given)))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
