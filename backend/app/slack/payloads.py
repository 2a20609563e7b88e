"""What we read from Slack's dictionaries, as small values; and the pure decision what becomes of an event."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from app.dialogue.conversation import Conversation
from app.inbox.envelope import Envelope
from app.slack.ingress import Refused, team_of

Payload: TypeAlias = Mapping[str, Any]

# Messages people write. Every other subtype is Slack telling about something (joins, topics, bots …).
_WRITTEN_BY_PEOPLE = (None, "file_share", "thread_broadcast", "me_message")
_LIFECYCLE = frozenset({"agent_session_title_changed", "tokens_revoked", "app_uninstalled"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


@dataclass(frozen=True)
class Ignored:
    """Nobody is addressed by this event: 200 and no row."""

    reason: str


@dataclass(frozen=True)
class Edited:
    """A message has another text now."""

    team_id: str
    channel_id: str
    message_ts: str
    text: str


@dataclass(frozen=True)
class Withdrawn:
    """A message was deleted by its author."""

    team_id: str
    channel_id: str
    message_ts: str


@dataclass(frozen=True)
class Addressed:
    """Somebody waits for an answer or for an effect. ``envelope(body)`` is what is stored."""

    team_id: str
    event_id: str
    kind: str
    conversation: str
    channel_id: str | None = None
    message_ts: str | None = None
    user_id: str | None = None

    def envelope(self, body: bytes) -> Envelope:
        return Envelope(
            team_id=self.team_id,
            event_id=self.event_id,
            kind=self.kind,
            conversation=self.conversation,
            channel_id=self.channel_id,
            message_ts=self.message_ts,
            user_id=self.user_id,
            body=body,
        )


Fate: TypeAlias = Addressed | Edited | Withdrawn | Ignored


@dataclass(frozen=True)
class Bystander:
    """What the workspace wants of messages that do not mention us: ``thread_replies`` is never, ask or auto."""

    thread_replies: str = "never"
    bot_user_id: str | None = None


def fate_of(payload: Payload, bystander: Bystander) -> Fate:
    """Decides about one payload of the Events API; :class:`Refused` (400) when it has not the form Slack documents."""
    if payload.get("type") != "event_callback":
        return Ignored("no_event")
    event = payload.get("event")
    if not isinstance(event, dict):
        raise Refused(400, "event_missing")
    match event.get("type"):
        case "message" | "app_mention":
            return _fate_of_message(payload, event, bystander)
        case "app_home_opened":
            return _about_person(payload, event, kind="home")
        case "agent_session_stopped":
            return _stop(payload, event)
        case str(name) if name in _LIFECYCLE:
            return _addressed(payload, kind="lifecycle", conversation=f"{_team(payload)}:lifecycle")
    return Ignored("not_handled")


def _fate_of_message(payload: Payload, event: Payload, bystander: Bystander) -> Fate:
    subtype = event.get("subtype")
    if subtype == "message_changed":
        return _edit(payload, event)
    if subtype == "message_deleted":
        return _deletion(payload, event)
    if subtype not in _WRITTEN_BY_PEOPLE:
        return Ignored("subtype")
    if event.get("bot_id") or event.get("bot_profile"):
        return Ignored("bot")
    bot_user_id = bot_user_of(payload) or bystander.bot_user_id
    if not event.get("user") or _id(event, "user") in {bot_user_id, "USLACKBOT"}:
        return Ignored("own")
    if reason := _not_for_us(event, bot_user_id, bystander.thread_replies):
        return Ignored(reason)
    channel, ts = _id(event, "channel"), _id(event, "ts")
    thread = _id(event, "thread_ts") if event.get("thread_ts") else ts
    return _addressed(
        payload, kind="message", conversation=f"{_team(payload)}:{channel}:{thread}",
        channel_id=channel, message_ts=ts, user_id=event["user"],
    )  # fmt: skip


def _not_for_us(event: Payload, bot_user_id: str | None, thread_replies: str) -> str | None:
    """Why nobody asked us; ``None`` when somebody did or may have: then the listener, who knows our threads, decides."""
    if event.get("type") == "app_mention" or is_direct(event) or mentions(_text(event), bot_user_id):
        return None
    if not event.get("thread_ts"):
        return "not_addressed"
    if thread_replies == "never" and not looks_like_command(_text(event)):
        return "not_addressed"
    return None


def _edit(payload: Payload, event: Payload) -> Fate:
    message, previous = event.get("message"), event.get("previous_message")
    if not isinstance(message, dict) or message.get("bot_id") or message.get("subtype") not in _WRITTEN_BY_PEOPLE:
        return Ignored("edit_of_other")
    if isinstance(previous, dict) and previous.get("text") == message.get("text"):
        # Slack reports its own additions, such as link previews, as edits.
        return Ignored("edit_without_change")
    return Edited(_team(payload), _id(event, "channel"), _id(message, "ts"), _text(message))


def _deletion(payload: Payload, event: Payload) -> Fate:
    return Withdrawn(_team(payload), _id(event, "channel"), _id(event, "deleted_ts"))


def _about_person(payload: Payload, event: Payload, *, kind: str) -> Addressed:
    user = _id(event, "user")
    channel = event.get("channel")
    return _addressed(
        payload,
        kind=kind,
        conversation=f"{_team(payload)}:{user}:home",
        user_id=user,
        channel_id=_id(event, "channel") if channel else None,
    )


def _stop(payload: Payload, event: Payload) -> Addressed:
    channel, thread = _id(event, "channel"), _id(event, "thread_ts")
    return _addressed(
        payload, kind="stop", conversation=f"{_team(payload)}:{channel}:{thread}",
        channel_id=channel, user_id=_id(event, "user") if event.get("user") else None,
    )  # fmt: skip


def _addressed(
    payload: Payload,
    *,
    kind: str,
    conversation: str,
    channel_id: str | None = None,
    message_ts: str | None = None,
    user_id: str | None = None,
) -> Addressed:
    return Addressed(_team(payload), _id(payload, "event_id"), kind, conversation, channel_id, message_ts, user_id)


@dataclass(frozen=True)
class SharedFile:
    """A file in a message. Only its id is relied on: what else a message says about a file may be anything."""

    file_id: str
    name: str


@dataclass(frozen=True)
class Spoken:
    """A message as somebody wrote it. ``text`` has our mention removed; the rest is as typed.

    ``is_heard_elsewhere``: in a channel shared with another company, whose people will read the answer.
    """

    conversation: Conversation
    user_id: str
    user_team_id: str
    message_ts: str
    text: str
    is_mention: bool
    is_in_thread: bool
    files: tuple[SharedFile, ...]
    is_from_elsewhere: bool
    is_heard_elsewhere: bool = False

    @property
    def has_files(self) -> bool:
        return bool(self.files)

    @property
    def asked_at(self) -> datetime:
        return datetime.fromtimestamp(float(self.message_ts), UTC)


def spoken_in(payload: Payload) -> Spoken:
    """The message of a stored event."""
    event: Payload = payload["event"]
    team, channel, ts = _team(payload), _id(event, "channel"), _id(event, "ts")
    bot_user_id = bot_user_of(payload)
    text = _text(event)
    thread = event.get("thread_ts") or ts
    user_team = next((event[name] for name in ("user_team", "source_team", "team") if isinstance(event.get(name), str)), team)
    return Spoken(
        conversation=Conversation(team, channel, thread, is_direct(event)),
        user_id=_id(event, "user"),
        user_team_id=user_team,
        message_ts=ts,
        text=without_mention(text, bot_user_id),
        is_mention=event.get("type") == "app_mention" or mentions(text, bot_user_id),
        is_in_thread=thread != ts,
        files=_files_in(event),
        is_from_elsewhere=any(isinstance(event.get(name), str) and event[name] != team for name in ("user_team", "source_team")),
        is_heard_elsewhere=payload.get("is_ext_shared_channel") is True,
    )


def _files_in(event: Payload) -> tuple[SharedFile, ...]:
    files = event.get("files")
    if not isinstance(files, list):
        return ()
    named = [file for file in files if isinstance(file, dict) and isinstance(file.get("id"), str) and _ID.fullmatch(file["id"])]
    return tuple(SharedFile(file["id"], str(file.get("name") or file["id"])[:300]) for file in named)


def bot_user_of(payload: Payload) -> str | None:
    """Our own user id, as Slack states it with every event."""
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], dict):
        user = authorizations[0].get("user_id")
        return user if isinstance(user, str) else None
    return None


def is_direct(event: Payload) -> bool:
    """A talk with one person. Group messages (``mpim``) are treated as channels: others read along."""
    return event.get("channel_type") == "im" or str(event.get("channel", "")).startswith("D")


def mentions(text: str, user_id: str | None) -> bool:
    return bool(user_id) and (f"<@{user_id}>" in text or f"<@{user_id}|" in text)


def without_mention(text: str, user_id: str | None) -> str:
    """The text as it reads without our name, and with Slack's escapes undone; lone surrogates are replaced."""
    if user_id:
        text = re.sub(rf"\s*<@{re.escape(user_id)}(\|[^>]*)?>[\s,、:：]*", " ", text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def looks_like_command(text: str) -> bool:
    """The ``!ai_help`` form, full-width signs included."""
    return unicodedata.normalize("NFKC", text[:40]).lstrip().startswith("!ai_")


def _text(event: Payload) -> str:
    text = event.get("text")
    return text if isinstance(text, str) else ""


def _team(payload: Payload) -> str:
    team = team_of(payload)
    if team is None or not _ID.fullmatch(team):
        raise Refused(400, "team_malformed")
    return team


def _id(holder: Payload, name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Refused(400, f"{name}_malformed")
    return value
