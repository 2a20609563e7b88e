"""Socket Mode: the same payloads over a connection that we open, for workspaces we cannot be reached from.

What arrives takes the same way as over HTTP; a payload is acknowledged only when it is stored or answered.
"""

import json
import logging
from types import TracebackType
from typing import Any, Self

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from app.core.errors import AppError
from app.core.metrics import count_error
from app.slack.ingress import Refused, check_addressee
from app.slack.interaction import InteractionDoor
from app.slack.receiver import EventReceiver
from app.slack.workspace import WorkspaceDirectory

logger = logging.getLogger(__name__)


class SocketMode:
    """One connection. Slack gives each payload to one of an app's connections; without an acknowledgement it sends it again."""

    def __init__(
        self,
        *,
        app_token: str,
        web: AsyncWebClient,
        receiver: EventReceiver,
        door: InteractionDoor,
        workspaces: WorkspaceDirectory,
    ) -> None:
        self._app_token = app_token
        self._web = web
        self._receiver = receiver
        self._door = door
        self._workspaces = workspaces
        self._client: SocketModeClient | None = None

    async def __aenter__(self) -> Self:
        # The client needs a running loop.
        self._client = SocketModeClient(app_token=self._app_token, web_client=self._web)
        self._client.socket_mode_request_listeners.append(self.handle)
        await self._client.connect()  # type: ignore[no-untyped-call]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]

    async def handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledges what is dealt with. What could not be stored is left unacknowledged: Slack sends it again."""
        try:
            answer = await self._answer(request)
        except Refused as refused:
            logger.info("slack_request_refused", extra={"status": refused.status, "reason": refused.reason})
            answer = None
        except AppError as error:
            count_error(error)
            logger.warning("event_not_stored", extra={"error_type": type(error).__name__})
            return
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=answer))

    async def _answer(self, request: SocketModeRequest) -> dict[str, Any] | None:
        payload: dict[str, Any] = request.payload
        if request.type == "events_api":
            await self._receiver.receive(payload, json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))
            return None
        if request.type not in {"interactive", "slash_commands"}:
            return None
        workspace = self._workspaces.current
        check_addressee(payload, app_id=workspace.app_id, team_id=workspace.team_id)
        answer = await self._door.answer(payload)
        return json.loads(answer.body) if answer.media_type == "application/json" and answer.body else None
