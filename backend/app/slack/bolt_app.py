"""Bolt, as we use it: a dispatcher from a payload to the listener that fits, and nothing more.

Signatures, sizes and JSON are ``ingress``' business; delivery and duplicates are the inbox'. Bolt gets parsed payloads in the
style of Socket Mode, so no HTTP header of anybody reaches it, and its way of parsing forms (which loses commands whose text
contains "payload") is not used. ``process_before_response`` makes a dispatch last until its listener has ended.

What composition builds, in this order::

    workspaces = WorkspaceDirectory(client, store, app_id=…, team_id=…)        # async with
    edge       = SlackEdge(…)                                                  # see edge.py
    bolt       = BoltDoor(edge, bot_token=…)
    dispatcher = SlackDispatcher(bolt, edge)                                   # for jobs
    receiver   = EventReceiver(inbox=…, workspaces=…)
    door       = InteractionDoor(bolt=…, limits=…, fallback_language=…)
    routes     = SlackRoutes(ingress=…, receiver=…, door=…, workspaces=…).routes()
    socket     = SocketMode(app_token=…, …)                                    # async with, only in Socket Mode
"""

import logging
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from app.inbox.envelope import ClaimedEvent
from app.slack.edge import SlackEdge
from app.slack.listeners import ACTIONS, EVENTS, SHORTCUTS, SLASH_COMMANDS, VIEWS
from app.slack.listeners.context import CLAIMED, EDGE

logger = logging.getLogger(__name__)

_FAILURE = "failure"


@dataclass
class _Failure:
    """The box in which a listener's exception leaves Bolt."""

    error: Exception | None = None


class BoltDoor:
    """The way to the listeners."""

    def __init__(self, edge: SlackEdge, *, bot_token: str) -> None:
        self._edge = edge
        self._app = build_bolt_app(edge.client.web, bot_token=bot_token, edge=edge)

    async def dispatch(self, payload: dict[str, Any], *, claimed: ClaimedEvent | None = None) -> BoltResponse:
        """Runs the listener to its end and lets its exception out."""
        failure = _Failure()
        request = AsyncBoltRequest(
            body=payload, mode="socket_mode", context={EDGE: self._edge, CLAIMED: claimed, _FAILURE: failure}
        )
        response = await self._app.async_dispatch(request)
        if failure.error is None:
            return response
        if isinstance(failure.error, BoltUnhandledRequestError):
            logger.warning("nobody_listens", extra={"type": str(payload.get("type"))[:60]})
            return BoltResponse(status=200)
        raise failure.error


def build_bolt_app(web: AsyncWebClient, *, bot_token: str, edge: SlackEdge) -> AsyncApp:
    """An app that authorizes without asking Slack and takes nothing from the environment."""

    async def authorize(team_id: str | None) -> AuthorizeResult:
        us = edge.workspaces.current
        return AuthorizeResult(
            enterprise_id=None, team_id=team_id, bot_token=bot_token, bot_user_id=us.bot_user_id, bot_id=us.bot_id
        )

    app = AsyncApp(
        # Without a token of its own: Bolt would warn that it prefers ``authorize``.
        client=AsyncWebClient(base_url=web.base_url, session=web.session, ssl=web.ssl, proxy=web.proxy),
        authorize=authorize,
        signing_secret="checked before",  # noqa: S106 - never used; empty, Bolt would look into the environment
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    for event, listener in EVENTS:
        app.event(event)(listener)
    for command, listener in SLASH_COMMANDS:
        app.command(command)(listener)
    for action_id, listener in ACTIONS:
        app.action(action_id)(listener)
    for callback_id, listener in SHORTCUTS:
        app.shortcut(callback_id)(listener)
    for callback_id, listener in VIEWS:
        app.view(callback_id)(listener)
    app.error(_remember_failure)
    return app


async def _remember_failure(error: Exception, context: AsyncBoltContext) -> BoltResponse:
    context[_FAILURE].error = error
    return BoltResponse(status=200)
