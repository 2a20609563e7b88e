"""Turns every failure into a short JSON answer: a code, a sentence in the caller's language, a reference. Never a trace."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import metrics
from app.core.errors import AppError
from app.core.reference import new_reference
from app.i18n.language import Language
from app.i18n.problem import problem

logger = logging.getLogger(__name__)

ErrorHandler: TypeAlias = Callable[[Request, Any], Awaitable[Response]]

_BY_STATUS = {
    401: ("not_authenticated", "operations.not_authenticated"),
    403: ("not_allowed", "operations.not_allowed"),
    404: ("not_found", "operations.not_found"),
    405: ("wrong_method", "operations.wrong_method"),
    413: ("too_large", "operations.too_large"),
    429: ("too_many_requests", "operations.too_many_requests"),
}


def error_handlers(default_language: Language) -> dict[Any, ErrorHandler]:
    """For ``FastAPI(exception_handlers=…)``. What is not listed here is caught by :class:`UnexpectedErrors`."""

    async def app_error(request: Request, error: AppError) -> Response:
        metrics.count_error(error)
        reference = None
        if error.http_status >= 500:
            reference = new_reference()
            logger.warning("request_failed", extra={"reference": reference, "error": type(error).__name__}, exc_info=error)
        headers = _retry_after(error)
        code = error.message_key.rpartition(".")[2]
        return _answer(
            request, error.http_status, code, error.message_key, default_language, reference=reference, headers=headers
        )

    async def http_error(request: Request, error: HTTPException) -> Response:
        code, key = _BY_STATUS.get(error.status_code, ("bad_request", "operations.bad_request"))
        return _answer(request, error.status_code, code, key, default_language, headers=error.headers)

    async def invalid(request: Request, _: RequestValidationError) -> Response:
        return _answer(request, 422, "bad_request", "operations.bad_request", default_language)

    return {AppError: app_error, HTTPException: http_error, RequestValidationError: invalid}


def install_error_handlers(app: FastAPI, *, default_language: Language = Language.JAPANESE) -> None:
    """Makes all failures of the application answers, in the caller's language or else the default one."""
    for kind, handler in error_handlers(default_language).items():
        app.add_exception_handler(kind, handler)
    app.user_middleware.append(Middleware(UnexpectedErrors, default_language=default_language))


class UnexpectedErrors:
    """The last catch: logs what nobody expected with a reference, and answers 500 with the same reference.

    The innermost middleware, so that its answer gets ids and headers and the server has nothing left to report.
    """

    def __init__(self, app: ASGIApp, *, default_language: Language) -> None:
        self._app = app
        self._default_language = default_language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            reference = new_reference()
            metrics.count_error(error)
            logger.exception("unexpected_error", extra={"reference": reference, "path": scope["path"]})
            if has_begun:
                raise  # only a broken connection tells the caller that the answer is not whole
            request = Request(scope)
            answer = _answer(request, 500, "unexpected", "operations.unexpected", self._default_language, reference=reference)
            await answer(scope, receive, send)


def _answer(
    request: Request, status: int, code: str, message_key: str, default: Language, *,
    reference: str | None = None, headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    accepted = request.headers.get("accept-language")
    body = problem(code, message_key, accept_language=accepted, default=default, reference=reference)
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def _retry_after(error: AppError) -> dict[str, str]:
    seconds = getattr(error, "retry_after_seconds", None)
    return {"Retry-After": str(max(1, round(seconds)))} if seconds else {}
