"""What the small Slack knows: workspaces with their people, channels, messages and views, as dictionaries in Slack's own shapes.

Every visible change goes through ``World``: it is recorded, written to the journal, and told to whoever waits or watches.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.playground.journal import Journal
from app.playground.record import Record

Json = dict[str, Any]
KEEP_EPHEMERALS = 200


@dataclass
class Stream:
    """A message that is being streamed, or was."""

    started_at: float
    recipient_user_id: str | None = None
    state: str = "in_progress"  # in_progress, completed, expired, stopped_by_user

    @property
    def is_open(self) -> bool:
        return self.state == "in_progress"


@dataclass
class Channel:
    """A channel or a direct conversation with the app."""

    id: str
    team_id: str
    name: str
    members: set[str]
    is_direct: bool = False
    is_private: bool = False
    is_archived: bool = False
    is_shared_with_others: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    ephemerals: dict[str, Json] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    sessions: dict[str, Json] = field(default_factory=dict)

    def as_slack_shows_it(self, bot_user_id: str) -> Json:
        shown: Json = {
            "id": self.id, "is_channel": not self.is_direct, "is_group": False, "is_im": self.is_direct, "is_mpim": False,
            "is_private": self.is_private or self.is_direct, "is_archived": self.is_archived, "is_general": False,
            "is_ext_shared": self.is_shared_with_others, "is_shared": self.is_shared_with_others,
            "is_org_shared": False, "context_team_id": self.team_id, "is_member": bot_user_id in self.members,
            "num_members": len(self.members),
        }  # fmt: skip
        if self.is_direct:
            shown["user"] = next(iter(self.members - {bot_user_id}), bot_user_id)
        else:
            shown["name"] = shown["name_normalized"] = self.name
        return shown


@dataclass
class Workspace:
    """One team that has installed the app."""

    id: str
    name: str
    bot_token: str
    app_id: str
    bot_id: str
    bot_user_id: str
    bot_name: str = "AI営業支援"
    is_revoked: bool = False
    users: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    directs: dict[str, str] = field(default_factory=dict)  # user -> channel
    homes: dict[str, Json] = field(default_factory=dict)  # user -> view
    prompts: dict[str, Json] = field(default_factory=dict)  # direct channel -> {"title", "prompts"}
    files: dict[str, Json] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)  # file -> bytes
    reactions: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    def add_user(
        self, user_id: str, name: str, *, locale: str = "ja-JP", time_zone: str = "Asia/Tokyo", is_admin: bool = False,
        is_guest: bool = False, is_stranger: bool = False, is_bot: bool = False, title: str = "", team_id: str | None = None,
    ) -> Json:  # fmt: skip
        user: Json = {
            "id": user_id, "team_id": team_id or self.id, "name": user_id.lower(), "real_name": name, "deleted": False,
            "tz": time_zone, "tz_offset": 32400, "is_admin": is_admin, "is_owner": False, "is_primary_owner": False,
            "is_restricted": is_guest, "is_ultra_restricted": is_guest, "is_bot": is_bot, "is_app_user": False,
            "is_stranger": is_stranger, "updated": 1, "locale": locale,
            "profile": {
                "real_name": name, "real_name_normalized": name, "display_name": name, "display_name_normalized": name,
                "title": title, "team": team_id or self.id,
            },
        }  # fmt: skip
        self.users[user_id] = user
        return user

    def add_channel(self, channel_id: str, name: str, *, members: set[str] | None = None, is_private: bool = False) -> Channel:
        everybody = set(self.users) if members is None else members
        channel = Channel(channel_id, self.id, name, everybody | {self.bot_user_id}, is_private=is_private)
        self.channels[channel_id] = channel
        return channel

    def direct(self, user_id: str) -> Channel:
        """The conversation of this person with the app; made when first needed."""
        if user_id not in self.directs:
            channel_id = "D" + user_id[1:]
            self.directs[user_id] = channel_id
            self.channels[channel_id] = Channel(channel_id, self.id, "", {user_id, self.bot_user_id}, is_direct=True)
        return self.channels[self.directs[user_id]]


class World:
    """All workspaces of one small Slack, and the one place where messages change."""

    def __init__(self, now: Callable[[], float], journal: Journal | None = None) -> None:
        self.now = now
        self.record = Record(now)
        self.journal = journal
        self.workspaces: dict[str, Workspace] = {}
        self.by_token: dict[str, Workspace] = {}
        self.watchers: list[Callable[[Json], None]] = []
        self.restored_others: list[Json] = []  # entries the deliveries understand
        self._last_microseconds = 0
        self._waiting: dict[tuple[str, str], set[asyncio.Future[None]]] = {}

    def add_workspace(self, workspace: Workspace) -> Workspace:
        self.workspaces[workspace.id] = workspace
        self.by_token[workspace.bot_token] = workspace
        workspace.add_user(workspace.bot_user_id, workspace.bot_name, is_bot=True)
        return workspace

    def next_ts(self) -> str:
        self._last_microseconds = max(int(self.now() * 1_000_000), self._last_microseconds + 1)
        return f"{self._last_microseconds // 1_000_000}.{self._last_microseconds % 1_000_000:06d}"

    # Messages

    def post(self, channel: Channel, message: Json, *, stream: Stream | None = None) -> Json:
        ts = message["ts"]
        channel.messages[ts] = message
        if message.get("thread_ts") not in {None, ts}:
            self._count_reply(channel, message)
        if stream is not None:
            channel.streams[ts] = stream
        self._shown(channel, message, "stream_started" if stream else "posted", message["text"])
        return message

    def update(
        self, channel: Channel, message: Json, changes: Json, *, change: str = "updated", added: str | None = None
    ) -> Json:
        message.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del message[name]
        self._shown(channel, message, change, message["text"] if added is None else added)
        return message

    def delete(self, channel: Channel, message: Json, *, by: str) -> None:
        """Removes the message; a root with replies stays as Slack's tombstone, so that its thread can still be read."""
        ts = message["ts"]
        channel.streams.pop(ts, None)
        if channel.threads.get(ts):
            tombstone = {
                "type": "message", "subtype": "tombstone", "hidden": True, "user": "USLACKBOT", "ts": ts, "thread_ts": ts,
                "text": "This message was deleted.",
            }  # fmt: skip
            channel.messages[ts] = tombstone
        else:
            del channel.messages[ts]
            self._uncount_reply(channel, message)
        self.record.visible(
            "deleted",
            team=channel.team_id,
            channel=channel.id,
            ts=ts,
            thread_ts=message.get("thread_ts"),
            by=by,
            text=message["text"],
        )
        kept = channel.messages.get(ts)
        if self.journal:
            self.journal.write("message", team=channel.team_id, channel=channel.id, ts=ts, message=kept)
        self.tell({"type": "deleted", "team": channel.team_id, "channel": channel.id, "ts": ts, "message": kept})
        self.wake(channel.id, message.get("thread_ts") or ts)

    def show_ephemeral(self, channel: Channel, message: Json) -> None:
        channel.ephemerals[message["ts"]] = message
        while len(channel.ephemerals) > KEEP_EPHEMERALS:
            channel.ephemerals.pop(next(iter(channel.ephemerals)))
        self.record.visible(
            "ephemeral", team=channel.team_id, channel=channel.id, ts=message["ts"], thread_ts=message.get("thread_ts"),
            by=message.get("user"), to=message["visible_to"], text=message["text"],
        )  # fmt: skip
        self.tell(
            {
                "type": "ephemeral",
                "team": channel.team_id,
                "channel": channel.id,
                "user": message["visible_to"],
                "message": message,
            }
        )
        self.wake(channel.id, "ephemeral")

    def hide_ephemeral(self, channel: Channel, ts: str) -> None:
        gone = channel.ephemerals.pop(ts, None)
        if gone is not None:
            self.tell(
                {"type": "ephemeral_gone", "team": channel.team_id, "channel": channel.id, "user": gone["visible_to"], "ts": ts}
            )

    def set_session(self, channel: Channel, thread_ts: str, **changes: Any) -> Json:
        session = channel.sessions.setdefault(
            thread_ts, {"status": "active", "title": "", "status_text": "", "loading_messages": []}
        )
        session.update(changes)
        if self.journal:
            self.journal.write("session", team=channel.team_id, channel=channel.id, thread_ts=thread_ts, session=session)
        self.tell({"type": "session", "team": channel.team_id, "channel": channel.id, "thread_ts": thread_ts, "session": session})
        self.wake(channel.id, thread_ts)
        return session

    def keep(self, kind: str, **facts: Any) -> None:
        if self.journal:
            self.journal.write(kind, **facts)

    # Waiting and watching

    def tell(self, change: Json) -> None:
        for watcher in self.watchers:
            watcher(change)

    def wake(self, channel_id: str, thread_ts: str) -> None:
        for key in ((channel_id, thread_ts), (channel_id, ""), ("", "")):
            for waiting in self._waiting.pop(key, ()):
                if not waiting.done():
                    waiting.set_result(None)

    async def changed(self, channel_id: str = "", thread_ts: str = "") -> None:
        """Returns at the next change in this thread, in this channel, or anywhere."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        key = (channel_id, thread_ts)
        self._waiting.setdefault(key, set()).add(waiting)
        try:
            await waiting
        finally:
            self._waiting.get(key, set()).discard(waiting)

    # Restart

    def restore(self) -> None:
        """Reads the journal, if any, and starts a new one that holds only what is still true."""
        if self.journal is None:
            return
        self.restored_others = [entry for entry in self.journal.read() if not self._restore_one(entry)]
        for workspace in self.workspaces.values():
            for channel in workspace.channels.values():
                _recount_replies(channel)
        self.journal.start_over_with(self._entries())

    def _restore_one(self, entry: Json) -> bool:
        workspace = self.workspaces.get(entry.get("team", ""))
        if workspace is None or entry["kind"] not in {"message", "session", "home", "prompts"}:
            return workspace is None
        if entry["kind"] == "home":
            workspace.homes[entry["user"]] = entry["view"]
            return True
        channel = workspace.channels.get(entry["channel"]) or workspace.direct("U" + entry["channel"][1:])
        if entry["kind"] == "prompts":
            workspace.prompts[channel.id] = entry["prompts"]
        elif entry["kind"] == "session":
            channel.sessions[entry["thread_ts"]] = entry["session"]
        else:
            self._restore_message(channel, entry)
        return True

    def _restore_message(self, channel: Channel, entry: Json) -> None:
        ts, message = entry["ts"], entry["message"]
        if message is None:
            gone = channel.messages.pop(ts, None)
            channel.streams.pop(ts, None)
            if gone is not None:
                self._uncount_reply(channel, gone)
            return
        is_new = ts not in channel.messages
        channel.messages[ts] = message
        if is_new and message.get("thread_ts") not in {None, ts}:
            channel.threads.setdefault(message["thread_ts"], []).append(ts)
        if "stream" in entry:
            channel.streams[ts] = Stream(**entry["stream"])

    def _entries(self) -> Iterator[Json]:
        for workspace in self.workspaces.values():
            for user_id, view in workspace.homes.items():
                yield {"kind": "home", "team": workspace.id, "user": user_id, "view": view}
            for channel_id, prompts in workspace.prompts.items():
                yield {"kind": "prompts", "team": workspace.id, "channel": channel_id, "prompts": prompts}
            for channel in workspace.channels.values():
                for message in channel.messages.values():
                    yield {"kind": "message", **self._kept(channel, message)}
                for thread_ts, session in channel.sessions.items():
                    yield {
                        "kind": "session",
                        "team": workspace.id,
                        "channel": channel.id,
                        "thread_ts": thread_ts,
                        "session": session,
                    }

    def _kept(self, channel: Channel, message: Json) -> Json:
        kept: Json = {"team": channel.team_id, "channel": channel.id, "ts": message["ts"], "message": message}
        stream = channel.streams.get(message["ts"])
        if stream is not None:
            kept["stream"] = {
                "started_at": stream.started_at, "recipient_user_id": stream.recipient_user_id, "state": stream.state,
            }  # fmt: skip
        return kept

    def _shown(self, channel: Channel, message: Json, change: str, text: str) -> None:
        thread_ts = message.get("thread_ts")
        self.record.visible(
            change,
            team=channel.team_id,
            channel=channel.id,
            ts=message["ts"],
            thread_ts=thread_ts,
            by=message.get("user"),
            text=text,
        )
        if self.journal:
            self.journal.write("message", **self._kept(channel, message))
        if self.watchers:
            self.tell({"type": "message", "team": channel.team_id, "channel": channel.id, "change": change, "message": message})
        self.wake(channel.id, thread_ts or message["ts"])

    def _count_reply(self, channel: Channel, message: Json) -> None:
        root_ts = message["thread_ts"]
        replies = channel.threads.setdefault(root_ts, [])
        replies.append(message["ts"])
        root = channel.messages.get(root_ts)
        if root is not None:
            root.update(thread_ts=root_ts, reply_count=len(replies), latest_reply=message["ts"])
            root["reply_users"] = list(dict.fromkeys([*root.get("reply_users", []), message["user"]]))

    def _uncount_reply(self, channel: Channel, message: Json) -> None:
        replies = channel.threads.get(message.get("thread_ts") or "")
        if replies and message["ts"] in replies:
            replies.remove(message["ts"])
            root = channel.messages.get(message["thread_ts"])
            if root is not None:
                root["reply_count"] = len(replies)


def _recount_replies(channel: Channel) -> None:
    """What a root says about its replies is not journalled with each reply."""
    for root_ts, replies in channel.threads.items():
        root = channel.messages.get(root_ts)
        if root is not None and replies:
            users = [channel.messages[ts]["user"] for ts in replies]
            root.update(
                thread_ts=root_ts, reply_count=len(replies), latest_reply=max(replies), reply_users=list(dict.fromkeys(users))
            )
