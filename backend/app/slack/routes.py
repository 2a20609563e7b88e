"""The three addresses Slack knows: events go to the inbox; commands and clicks are answered in the request."""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.core.errors import AppError, StorageUnavailable
from app.core.metrics import count_error, slack_ack_seconds
from app.slack.ingress import Ingress, Refused, check_addressee, form_fields, json_object
from app.slack.interaction import InteractionDoor
from app.slack.receiver import EventReceiver
from app.slack.workspace import WorkspaceDirectory

logger = logging.getLogger(__name__)

EVENTS = "/api/v1/slack/events"
COMMANDS = "/api/v1/slack/commands"
INTERACTIVE = "/api/v1/slack/interactive"

Endpoint = Callable[[Request], Awaitable[Response]]


class SlackRoutes:
    """Signed HTTP in, answers for Slack out."""

    def __init__(
        self, *, ingress: Ingress, receiver: EventReceiver, door: InteractionDoor, workspaces: WorkspaceDirectory
    ) -> None:
        self._ingress = ingress
        self._receiver = receiver
        self._door = door
        self._workspaces = workspaces

    def routes(self) -> list[Route]:
        return [
            Route(EVENTS, _refusing(self.events), methods=["POST"]),
            Route(COMMANDS, _refusing(self.commands), methods=["POST"]),
            Route(INTERACTIVE, _refusing(self.interactive), methods=["POST"]),
        ]

    async def events(self, request: Request) -> Response:
        arrived = perf_counter()
        body = await self._ingress.signed_body(request)
        payload = json_object(body)
        if payload.get("type") == "url_verification":
            return _challenge(payload)
        await self._receiver.receive(payload, body)
        slack_ack_seconds.observe(perf_counter() - arrived)
        return Response()

    async def commands(self, request: Request) -> Response:
        fields = form_fields(await self._ingress.signed_body(request))
        if fields.get("ssl_check") == "1":
            return Response()
        if "command" not in fields:
            raise Refused(400, "command_missing")
        return await self._through_door(fields)

    async def interactive(self, request: Request) -> Response:
        fields = form_fields(await self._ingress.signed_body(request))
        if fields.get("ssl_check") == "1":
            return Response()
        return await self._through_door(json_object(fields.get("payload", "")))

    async def _through_door(self, payload: dict[str, Any]) -> Response:
        workspace = self._workspaces.current
        check_addressee(payload, app_id=workspace.app_id, team_id=workspace.team_id)
        answer = await self._door.answer(payload)
        return Response(answer.body, answer.status, media_type=answer.media_type)


def _challenge(payload: dict[str, Any]) -> Response:
    challenge = payload.get("challenge")
    if not isinstance(challenge, str):
        raise Refused(400, "challenge_missing")
    return JSONResponse({"challenge": challenge.encode("utf-8", "replace").decode()})


def _refusing(endpoint: Endpoint) -> Endpoint:
    """Empty bodies: whoever is refused learns nothing but the status."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            count_error(f"slack_{refused.reason}")
            logger.info("slack_request_refused", extra={"status": refused.status, "reason": refused.reason})
            return Response(status_code=refused.status)
        except StorageUnavailable as error:
            count_error(error)
            logger.warning("event_not_stored")
            return Response(status_code=503)
        except AppError as error:
            count_error(error)
            logger.exception("slack_request_failed")
            return Response(status_code=error.http_status)

    return answer
