"""Where HTTP and Socket Mode meet: a payload of the Events API is stored, and only then acknowledged."""

import logging
from typing import Any

from app.inbox.inbox import Inbox
from app.slack.ingress import Refused, check_addressee
from app.slack.payloads import Addressed, Bystander, Edited, Ignored, Withdrawn, fate_of
from app.slack.workspace import WorkspaceDirectory

logger = logging.getLogger(__name__)


class EventReceiver:
    """Takes events for the inbox."""

    def __init__(self, *, inbox: Inbox, workspaces: WorkspaceDirectory, longest_key: int = 100) -> None:
        self._inbox = inbox
        self._longest_key = longest_key
        self._workspaces = workspaces

    async def receive(self, payload: dict[str, Any], body: bytes) -> str:
        """What became of it, for the metrics. Once this returns, Slack may forget the event.

        Raises ``Refused`` for what is not ours, and ``StorageUnavailable`` when nothing could be stored: Slack sends it again.
        Redeliveries are recognized by the inbox, never by Slack's retry headers: the first delivery may have failed.
        """
        workspace = self._workspaces.current
        check_addressee(payload, app_id=workspace.app_id, team_id=workspace.team_id)
        if payload.get("type") == "app_rate_limited":
            logger.error("slack_drops_events", extra={"team_id": workspace.team_id})
        match fate_of(payload, Bystander(workspace.thread_replies, workspace.bot_user_id)):
            case Addressed() as addressed:
                if len(addressed.conversation) > self._longest_key:
                    raise Refused(400, "conversation_too_long")
                return "stored" if await self._inbox.store_once(addressed.envelope(body)) else "known"
            case Edited(team_id, channel_id, message_ts, text):
                replaced = await self._inbox.replace_waiting_text(
                    team_id=team_id, channel_id=channel_id, message_ts=message_ts, text=text
                )
                return "edited" if replaced else "edited_too_late"
            case Withdrawn(team_id, channel_id, message_ts):
                withdrawn = await self._inbox.withdraw_waiting(team_id=team_id, channel_id=channel_id, message_ts=message_ts)
                return "withdrawn" if withdrawn else "withdrawn_too_late"
            case Ignored(reason):
                return reason
