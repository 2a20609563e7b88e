"""``response_url``: five uses within thirty minutes, for whoever holds the address."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from app.playground.options import Options
from app.playground.state import Channel, Workspace, World
from app.playground.validation import Refused, check_message_blocks
from app.playground.views import name_blocks
from app.playground.web_api import WebApi

Json = dict[str, Any]
KEEP = 5_000


@dataclass
class _Ticket:
    workspace: Workspace
    channel: Channel
    user_id: str
    about: str | None  # the message a button was pressed in
    issued_at: float
    uses: int = 0


class ResponseUrls:
    def __init__(self, world: World, api: WebApi, options: Options) -> None:
        self._world = world
        self._api = api
        self._options = options
        self._numbers = count(1)
        self._tickets: dict[str, _Ticket] = {}

    def issue(self, workspace: Workspace, channel: Channel, user_id: str, *, about: str | None = None) -> str:
        name = f"{workspace.id}-{next(self._numbers)}-{int(self._world.now())}"
        self._tickets[name] = _Ticket(workspace, channel, user_id, about, self._world.now())
        if len(self._tickets) > KEEP:
            self._tickets.pop(next(iter(self._tickets)))
        return f"{self._api.base_url}/response/{name}"

    def use(self, name: str, content: Json) -> None:
        """Does what was posted to the address, or raises ``Refused``."""
        ticket = self._tickets.get(name)
        if ticket is None or self._world.now() - ticket.issued_at > self._options.response_url_seconds:
            raise Refused("expired_url")
        if ticket.uses >= self._options.response_url_uses:
            raise Refused("used_url")
        ticket.uses += 1
        self.show(ticket.workspace, ticket.channel, ticket.user_id, content, about=ticket.about)

    def show(self, workspace: Workspace, channel: Channel, user_id: str, content: Json, *, about: str | None = None) -> None:
        """Shows a response: to the person alone, or to all with ``response_type: in_channel``."""
        if content.get("delete_original") and about:
            self._remove(workspace, channel, about)
            return
        blocks = name_blocks(check_message_blocks(content["blocks"])) if content.get("blocks") else []
        shown: Json = {"text": content.get("text") or ""}
        if blocks:
            shown["blocks"] = blocks
        if not (blocks or shown["text"]):
            raise Refused("no_text")
        if content.get("replace_original") and about:
            self._replace(channel, about, shown)
            return
        message: Json = {
            "type": "message", "user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": workspace.app_id,
            "team": workspace.id, "ts": self._world.next_ts(), **shown,
        }  # fmt: skip
        if content.get("thread_ts"):
            message["thread_ts"] = content["thread_ts"]
        if content.get("response_type") == "in_channel":
            self._world.post(channel, message)
        else:
            self._world.show_ephemeral(channel, {**message, "is_ephemeral": True, "visible_to": user_id})

    def _replace(self, channel: Channel, ts: str, shown: Json) -> None:
        if ts in channel.ephemerals:
            old = channel.ephemerals[ts]
            old.pop("blocks", None)
            old.update(shown)
            self._world.show_ephemeral(channel, old)
        elif ts in channel.messages:
            self._world.update(
                channel, channel.messages[ts], {"blocks": None, **shown} if "blocks" in channel.messages[ts] else shown
            )
        else:
            raise Refused("message_not_found")

    def _remove(self, workspace: Workspace, channel: Channel, ts: str) -> None:
        if ts in channel.ephemerals:
            self._world.hide_ephemeral(channel, ts)
        elif ts in channel.messages:
            self._world.delete(channel, channel.messages[ts], by=workspace.bot_user_id)
