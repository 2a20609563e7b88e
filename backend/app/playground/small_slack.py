"""A small Slack as an object: one world, the Web API over it, and the people who write, click and wait in it."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from typing import Any

from app.playground.delivery import Answer, Deliveries, Delivery, SocketConnections
from app.playground.faults import Faults
from app.playground.journal import Journal
from app.playground.options import Options
from app.playground.rate_limits import RateLimits
from app.playground.response_urls import ResponseUrls
from app.playground.state import Channel, Workspace, World
from app.playground.validation import Refused, check_view, text_of_block
from app.playground.views import find_element
from app.playground.web_api import WebApi

Json = dict[str, Any]
MENTION = re.compile(r"<@(\w+)>")


@dataclass
class Sent:
    """What a person wrote, and the events that told the application about it."""

    team_id: str
    channel: str
    ts: str
    thread_ts: str  # of the thread an answer belongs to
    user: str
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def event_id(self) -> str:
        return self.deliveries[0].event_id

    @property
    def is_accepted(self) -> bool:
        return all(delivery.is_accepted for delivery in self.deliveries)


class Clock:
    """The machine's clock, which tests may push forward."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset_seconds

    def advance(self, seconds: float) -> None:
        self.offset_seconds += seconds


class SmallSlack:
    """Everything but the network: ``server.SlackServer`` puts it on a port.

    Driver functions (``mention``, ``dm``, ``command``, ``click`` …) act as a person: they change the world and send what Slack
    would send. ``team`` defaults to the first workspace, ``user`` to its first person, ``channel`` to its first channel.
    """

    def __init__(
        self, options: Options | None = None, *, journal: Journal | None = None, sockets: SocketConnections | None = None
    ) -> None:
        self.options = options or Options()
        self.clock = Clock()
        self.world = World(self.clock, journal)
        self.record = self.world.record
        self.api = WebApi(self.world, self.options)
        self.faults = Faults()
        self.rates = RateLimits(self.clock, is_strict=self.options.has_strict_rates)
        self.deliveries = Deliveries(self.world, self.options, sockets or _NoSockets())
        self.response_urls = ResponseUrls(self.world, self.api, self.options)
        self._client_messages = count(1)
        if self.options.echoes_own_messages:
            self.world.watchers.append(self._echo)

    # Places and people

    def add_workspace(self, team_id: str, *, name: str = "", bot_token: str | None = None, number: int = 1) -> Workspace:
        """An empty workspace with the app installed; add people first, then channels."""
        tail = f"{number:04d}"
        return self.world.add_workspace(
            Workspace(
                team_id, name or team_id, bot_token or f"xoxb-playground-{team_id}", app_id="A0COACH0001",
                bot_id=f"B0COACH{tail}",
                bot_user_id=f"U0COACH{tail}",
            )
        )  # fmt: skip

    def workspace(self, team: str | None = None) -> Workspace:
        workspaces = self.world.workspaces
        return workspaces[team] if team else next(iter(workspaces.values()))

    def channel(self, channel: str | None = None, team: str | None = None) -> Channel:
        """By id or name; the first channel that is no direct conversation without either."""
        channels = self.workspace(team).channels
        if channel is None:
            return next(one for one in channels.values() if not one.is_direct)
        if channel in channels:
            return channels[channel]
        return next(one for one in channels.values() if one.name == channel.lstrip("#"))

    def someone(self, user: str | None, team: str | None = None) -> str:
        workspace = self.workspace(team)
        return user or next(one for one in workspace.users if one != workspace.bot_user_id)

    # Writing

    async def mention(
        self, text: str, *, channel: str | None = None, user: str | None = None, team: str | None = None,
        thread_ts: str | None = None,
        waits: bool = True, **more: Any,
    ) -> Sent:  # fmt: skip
        mention = f"<@{self.workspace(team).bot_user_id}>"
        return await self.say(
            text if mention in text else f"{mention} {text}", channel=channel, user=user, team=team, thread_ts=thread_ts,
            waits=waits,
            **more,
        )  # fmt: skip

    async def dm(
        self,
        text: str,
        *,
        user: str | None = None,
        team: str | None = None,
        thread_ts: str | None = None,
        waits: bool = True,
        **more: Any,
    ) -> Sent:
        user = self.someone(user, team)
        channel = self.workspace(team).direct(user).id
        return await self.say(text, channel=channel, user=user, team=team, thread_ts=thread_ts, waits=waits, **more)

    async def say(
        self, text: str, *, channel: str | None = None, user: str | None = None, team: str | None = None,
        thread_ts: str | None = None,
        waits: bool = True, subtype: str | None = None, files: list[Json] | None = None, bot_id: str | None = None,
    ) -> Sent:  # fmt: skip
        """Writes a message and tells the application what it subscribed to. ``waits``: for its first answer."""
        workspace, place, user = self.workspace(team), self.channel(channel, team), self.someone(user, team)
        ts = self.world.next_ts()
        message: Json = {
            "type": "message", "user": user, "team": workspace.users.get(user, {}).get("team_id", workspace.id), "ts": ts,
            "text": text,
            "client_msg_id": f"00000000-0000-4000-8000-{next(self._client_messages):012d}",
            "blocks": [_rich_text(text)],
        }  # fmt: skip
        if thread_ts:
            message["thread_ts"] = place.messages[thread_ts].get("thread_ts") or thread_ts
        if files:
            message["files"] = files
        if bot_id:
            message |= {"bot_id": bot_id, "subtype": subtype or "bot_message"}
        elif subtype or files:
            message["subtype"] = subtype or "file_share"
        self.world.post(place, message)
        sent = Sent(workspace.id, place.id, ts, message.get("thread_ts") or ts, user)
        for event in self._events_of(workspace, place, message):
            sent.deliveries.append(self.deliveries.event(workspace, event))
        if waits:
            await _first_answers(sent)
        return sent

    def _events_of(self, workspace: Workspace, place: Channel, message: Json) -> list[Json]:
        shown = {name: value for name, value in message.items() if name not in {"reply_count", "reply_users", "latest_reply"}}
        common = {**shown, "channel": place.id, "event_ts": message["ts"]}
        if place.is_direct:
            return [{**common, "channel_type": "im"}] if "message.im" in self.options.subscriptions else []
        events = []
        is_mention = f"<@{workspace.bot_user_id}>" in message["text"] and message.get("user") != workspace.bot_user_id
        if is_mention and "app_mention" in self.options.subscriptions:
            events.append({**{name: value for name, value in common.items() if name != "subtype"}, "type": "app_mention"})
        if "message.channels" in self.options.subscriptions and workspace.bot_user_id in place.members:
            events.append({**common, "channel_type": "group" if place.is_private else "channel"})
        return events

    async def edit(
        self, sent_ts: str, text: str, *, channel: str | None = None, team: str | None = None, waits: bool = True
    ) -> Sent:
        workspace, place = self.workspace(team), self.channel(channel, team)
        message = place.messages[sent_ts]
        before = dict(message)
        self.world.update(
            place,
            message,
            {"text": text, "blocks": [_rich_text(text)], "edited": {"user": message["user"], "ts": self.world.next_ts()}},
        )
        return await self._changed(workspace, place, message, before, "message_changed", waits=waits)

    async def delete(self, sent_ts: str, *, channel: str | None = None, team: str | None = None, waits: bool = True) -> Sent:
        workspace, place = self.workspace(team), self.channel(channel, team)
        message = place.messages[sent_ts]
        self.world.delete(place, message, by=message["user"])
        return await self._changed(workspace, place, message, dict(message), "message_deleted", waits=waits)

    async def _changed(
        self, workspace: Workspace, place: Channel, message: Json, before: Json, subtype: str, *, waits: bool
    ) -> Sent:
        sent = Sent(workspace.id, place.id, message["ts"], message.get("thread_ts") or message["ts"], message["user"])
        name = "message.im" if place.is_direct else "message.channels"
        if name in self.options.subscriptions:
            ts = self.world.next_ts()
            event: Json = {
                "type": "message", "subtype": subtype, "hidden": True, "channel": place.id, "ts": ts, "event_ts": ts,
                "channel_type": "im" if place.is_direct else "channel", "previous_message": before,
            }  # fmt: skip
            event |= {"message": dict(message)} if subtype == "message_changed" else {"deleted_ts": message["ts"]}
            sent.deliveries.append(self.deliveries.event(workspace, event))
        if waits:
            await _first_answers(sent)
        return sent

    def new_file(self, name: str, content: bytes, *, user: str | None = None, team: str | None = None) -> Json:
        """A file somebody uploaded, to be given to ``say(files=[…])``."""
        workspace = self.workspace(team)
        file_id = self.api.new_file(workspace, name, self.someone(user, team))
        workspace.contents[file_id] = content
        workspace.files[file_id]["size"] = len(content)
        return workspace.files[file_id]

    async def event(self, event: Json, *, team: str | None = None, event_id: str | None = None, waits: bool = True) -> Delivery:
        """Any other event (``app_uninstalled``, ``tokens_revoked`` …), sent as it is."""
        delivery = self.deliveries.event(self.workspace(team), event, event_id=event_id)
        if waits:
            await delivery.first_answer.wait()
        return delivery

    async def redeliver(self, event_id: str, *, times: int = 1, retry: int | None = None) -> list[Answer]:
        """The same event again, ``times`` at once."""
        return list(await asyncio.gather(*(self.deliveries.again(event_id, retry=retry) for _ in range(times))))

    async def open_home(
        self, *, user: str | None = None, team: str | None = None, tab: str = "home", waits: bool = True
    ) -> Delivery:
        workspace, user = self.workspace(team), self.someone(user, team)
        event: Json = {
            "type": "app_home_opened", "user": user, "channel": workspace.direct(user).id, "tab": tab,
            "event_ts": self.world.next_ts(),
        }  # fmt: skip
        if tab == "home" and user in workspace.homes:
            event["view"] = workspace.homes[user]
        return await self.event(event, team=team, waits=waits)

    async def stop(
        self, thread_ts: str, *, channel: str | None = None, user: str | None = None, team: str | None = None
    ) -> Delivery:
        """The person presses stop: Slack ends the streams of the thread itself and tells the application."""
        place = self.channel(channel, team)
        cut = []
        for ts, message in list(place.messages.items()):
            stream = self.api.stream(place, ts)
            if stream is not None and stream.is_open and message["thread_ts"] == thread_ts:
                stream.state = "stopped_by_user"
                self.world.update(place, message, {"streaming_state": "stopped"}, change="stream_cut", added="")
                cut.append(ts)
        return await self.event(
            {
                "type": "agent_session_stopped", "channel": place.id, "user": self.someone(user, team), "thread_ts": thread_ts,
                "streaming_message_ts": cut, "event_ts": self.world.next_ts(),
            }, team=team,
        )  # fmt: skip

    # Commands and interactions

    async def command(
        self, command: str, text: str = "", *, channel: str | None = None, user: str | None = None, team: str | None = None
    ) -> Answer:
        """A slash command. What the application answers at once is shown to the person, as Slack does."""
        workspace, place, user = self.workspace(team), self.channel(channel, team), self.someone(user, team)
        fields = {
            "token": "playground", "team_id": workspace.id, "team_domain": "playground", "channel_id": place.id,
            "channel_name": "directmessage" if place.is_direct else place.name, "user_id": user,
            "user_name": workspace.users[user]["name"], "command": command, "text": text, "api_app_id": workspace.app_id,
            "is_enterprise_install": "false", "trigger_id": self.api.triggers.issue(workspace.id, user),
            "response_url": self.response_urls.issue(workspace, place, user),
        }  # fmt: skip
        answer = await self.deliveries.command(fields)
        self._show_command_answer(workspace, place, user, command, answer)
        return answer

    def _show_command_answer(self, workspace: Workspace, place: Channel, user: str, command: str, answer: Answer) -> None:
        if not answer.is_ok:
            error = "operation_timeout" if answer.error == "timeout" else "dispatch_failed"
            self._slackbot(place, user, f"{command} failed with the error “{error}”")
            return
        content = answer.json() or ({"text": answer.text} if answer.text.strip() else {})
        if not content:
            return
        try:
            self.response_urls.show(workspace, place, user, content)
        except Refused as refused:
            self._slackbot(place, user, f"{command} failed with the error “{refused.error}”")

    def _slackbot(self, place: Channel, user: str, text: str) -> None:
        self.world.show_ephemeral(
            place,
            {
                "type": "message", "user": "USLACKBOT", "ts": self.world.next_ts(), "text": text, "is_ephemeral": True,
                "visible_to": user, "is_failure": True,
            },
        )  # fmt: skip

    async def click(
        self, action_id: str, *, ts: str | None = None, channel: str | None = None, user: str | None = None,
        team: str | None = None,
        view_id: str | None = None, block_id: str | None = None, chosen: Json | None = None, state: Json | None = None,
    ) -> Answer:  # fmt: skip
        """Presses a button, gives feedback or chooses: in a message (``ts``), a modal (``view_id``), or on the person's Home.

        ``chosen`` adds what a person chose: ``{"value": …}`` for feedback, ``{"selected_option": {"value": …}}`` for selects.
        """
        workspace, user = self.workspace(team), self.someone(user, team)
        payload: Json = {
            "type": "block_actions", "token": "playground", "api_app_id": workspace.app_id, "enterprise": None,
            "is_enterprise_install": False,
            "team": {"id": workspace.id, "domain": "playground"}, "user": self._actor(workspace, user),
            "trigger_id": self.api.triggers.issue(workspace.id, user, view_id),
            "state": {"values": state or {}},
        }  # fmt: skip
        if ts is not None:
            blocks = self._message_pressed(workspace, self.channel(channel, team), ts, user, payload)
        else:
            view = self.api.views.open_views[view_id] if view_id else workspace.homes[user]
            payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": {**view, "state": {"values": state or {}}}}
            blocks = view["blocks"]
        block, element = find_element(blocks, action_id, block_id)
        action = {
            "action_id": action_id,
            "block_id": block["block_id"],
            "type": element["type"],
            "action_ts": self.world.next_ts(),
        }
        if element["type"] in {"button", "icon_button"}:
            action |= {name: element[name] for name in ("text", "value", "url", "style") if name in element}
        payload["actions"] = [{**action, **(chosen or {})}]
        return await self.deliveries.interaction(payload)

    def _message_pressed(self, workspace: Workspace, place: Channel, ts: str, user: str, payload: Json) -> list[Json]:
        is_ephemeral = ts in place.ephemerals
        message = place.ephemerals[ts] if is_ephemeral else place.messages[ts]
        container: Json = {"type": "message", "message_ts": ts, "channel_id": place.id, "is_ephemeral": is_ephemeral}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        payload |= {
            "container": container, "channel": {"id": place.id, "name": "directmessage" if place.is_direct else place.name},
            "response_url": self.response_urls.issue(workspace, place, user, about=ts),
        }  # fmt: skip
        if not is_ephemeral:
            payload["message"] = message
        blocks: list[Json] = message.get("blocks", [])
        return blocks

    async def submit(
        self, values: Mapping[str, Mapping[str, Json]] | None = None, *, user: str | None = None, team: str | None = None,
        view_id: str | None = None,
    ) -> Answer:  # fmt: skip
        """Submits the person's topmost modal; ``values`` by block id and action id, in Slack's own form."""
        workspace, user = self.workspace(team), self.someone(user, team)
        view = self.api.views.open_views[view_id] if view_id else self.api.views.top(workspace, user)
        if view is None:
            raise LookupError("no modal is open")
        shown = {**view, "state": {"values": values or {}}}
        answer = await self.deliveries.interaction(
            {
                "type": "view_submission", "token": "playground", "api_app_id": workspace.app_id, "enterprise": None,
                "is_enterprise_install": False, "team": {"id": workspace.id, "domain": "playground"},
                "user": self._actor(workspace, user), "trigger_id": self.api.triggers.issue(workspace.id, user, view["id"]),
                "view": shown, "response_urls": [],
            }
        )  # fmt: skip
        if answer.is_ok:
            self._after_submission(workspace, user, view, answer.json())
        return answer

    def _after_submission(self, workspace: Workspace, user: str, view: Json, answer: Json) -> None:
        action = answer.get("response_action")
        if action == "errors":
            self.world.tell(
                {"type": "modal_errors", "team": workspace.id, "user": user, "view_id": view["id"], "errors": answer["errors"]}
            )
        elif action == "update":
            self.api.views.update(workspace, view["id"], None, answer.get("view"), None)
        elif action == "push":
            self.api.views.push_for(workspace, user, check_view(answer.get("view"), "modal"))
        elif view["id"] in self.api.views.open_views:
            self.api.views.close(workspace, view["id"], whole_stack=action == "clear")

    async def close_modal(self, *, user: str | None = None, team: str | None = None) -> Answer | None:
        workspace, user = self.workspace(team), self.someone(user, team)
        view = self.api.views.top(workspace, user)
        if view is None:
            return None
        self.api.views.close(workspace, view["id"])
        if not view.get("notify_on_close"):
            return None
        return await self.deliveries.interaction(
            {
                "type": "view_closed", "token": "playground", "api_app_id": workspace.app_id, "team": {"id": workspace.id},
                "user": self._actor(workspace, user), "view": view, "is_cleared": False,
            }
        )  # fmt: skip

    async def shortcut(
        self,
        callback_id: str,
        *,
        user: str | None = None,
        team: str | None = None,
        channel: str | None = None,
        ts: str | None = None,
    ) -> Answer:
        """A global shortcut, or a message shortcut when ``ts`` is given."""
        workspace, user = self.workspace(team), self.someone(user, team)
        payload: Json = {
            "type": "shortcut", "token": "playground", "callback_id": callback_id, "action_ts": self.world.next_ts(),
            "api_app_id": workspace.app_id, "enterprise": None, "is_enterprise_install": False,
            "team": {"id": workspace.id, "domain": "playground"}, "user": self._actor(workspace, user),
            "trigger_id": self.api.triggers.issue(workspace.id, user),
        }  # fmt: skip
        if ts is not None:
            place = self.channel(channel, team)
            payload |= {
                "type": "message_action", "message_ts": ts, "message": place.messages[ts], "channel": {"id": place.id,
                "name": place.name},
                "response_url": self.response_urls.issue(workspace, place, user),
            }  # fmt: skip
        return await self.deliveries.interaction(payload)

    def _actor(self, workspace: Workspace, user: str) -> Json:
        name = workspace.users[user]["name"]
        return {"id": user, "username": name, "name": name, "team_id": workspace.users[user]["team_id"]}

    # Reading and waiting

    def thread(self, sent: Sent) -> list[Json]:
        """The application's messages in the thread of ``sent``, oldest first."""
        workspace, place = self.workspace(sent.team_id), self.channel(sent.channel, sent.team_id)
        own = [ts for ts in place.threads.get(sent.thread_ts, ()) if place.messages[ts].get("user") == workspace.bot_user_id]
        return [place.messages[ts] for ts in sorted(own)]

    def answers_to(self, sent: Sent) -> list[Json]:
        """The application's messages after ``sent`` in its thread."""
        return [message for message in self.thread(sent) if message["ts"] > sent.ts]

    def is_settled(self, sent: Sent) -> bool:
        """The application has written after ``sent``, and neither a stream nor a processing status is left in the thread."""
        place = self.channel(sent.channel, sent.team_id)
        answers = self.answers_to(sent)
        session = place.sessions.get(sent.thread_ts, {})
        return bool(answers) and session.get("status") != "processing" and not any(is_streaming(message) for message in answers)

    async def wait_for_final(
        self, sent: Sent, *, timeout_seconds: float = 30.0, until: Callable[[list[Json]], bool] | None = None
    ) -> list[Json]:
        """The answers to ``sent`` once they stand; ``until`` adds a condition on them."""
        await self.wait_until(
            lambda: self.is_settled(sent) and (until is None or until(self.answers_to(sent))),
            channel=sent.channel, thread_ts=sent.thread_ts, timeout_seconds=timeout_seconds,
        )  # fmt: skip
        return self.answers_to(sent)

    async def wait_until(
        self, is_true: Callable[[], bool], *, channel: str = "", thread_ts: str = "", timeout_seconds: float = 30.0
    ) -> None:
        """Returns once ``is_true``; asked again after every change (in the thread, when one is named)."""
        async with asyncio.timeout(timeout_seconds):
            while not is_true():
                await self.world.changed(channel, thread_ts)

    def ephemerals_for(self, user: str, *, channel: str | None = None, team: str | None = None) -> list[Json]:
        place = self.channel(channel, team)
        return [message for message in place.ephemerals.values() if message["visible_to"] == user]

    def home_of(self, user: str | None = None, team: str | None = None) -> Json | None:
        return self.workspace(team).homes.get(self.someone(user, team))

    def modal_of(self, user: str | None = None, team: str | None = None) -> Json | None:
        return self.api.views.top(self.workspace(team), self.someone(user, team))

    def _echo(self, change: Json) -> None:
        message: Json = change.get("message") or {}
        if change["type"] != "message" or change.get("change") not in {"posted", "stream_stopped"} or not message.get("bot_id"):
            return
        workspace = self.workspace(change["team"])
        for event in self._events_of(workspace, workspace.channels[change["channel"]], message):
            self.deliveries.event(workspace, event)

    # Life

    def start(self) -> None:
        """Call in the loop that serves, when addresses are known."""
        self.deliveries.start()

    def restore(self) -> None:
        """Takes up what the journal holds. Call after the workspaces are set up; then ``resume`` once started."""
        self.world.restore()

    def resume(self) -> None:
        self.deliveries.resume(self.world.restored_others)
        self.world.restored_others = []

    async def close(self) -> None:
        await self.deliveries.close()
        if self.world.journal:
            self.world.journal.close()


def is_streaming(message: Json) -> bool:
    return message.get("streaming_state") == "in_progress"


def visible_text(message: Json) -> str:
    """All words a person reads in a message. Blocks replace the text, as in Slack."""
    blocks = message.get("blocks")
    if is_streaming(message) or not blocks:
        return str(message.get("text", ""))
    return "\n".join(text_of_block(block) for block in blocks)


async def _first_answers(sent: Sent) -> None:
    for delivery in sent.deliveries:
        await delivery.first_answer.wait()


def _rich_text(text: str) -> Json:
    """What Slack's composer sends beside the text: words and mentions one after the other."""
    elements = [
        {"type": "user", "user_id": part} if index % 2 else {"type": "text", "text": unescape(part)}
        for index, part in enumerate(MENTION.split(text))
        if part
    ]
    return {"type": "rich_text", "block_id": "r1", "elements": [{"type": "rich_text_section", "elements": elements}]}


class _NoSockets:
    async def send(self, kind: str, payload: Json, *, retry: int, reason: str | None, timeout_seconds: float) -> Answer:
        del kind, payload, retry, reason, timeout_seconds
        return Answer(0, error="connection")
