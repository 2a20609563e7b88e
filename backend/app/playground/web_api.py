"""Slack's Web API methods over the small Slack's world: what they do, and what they refuse."""

import base64
from collections.abc import Callable
from itertools import count
from typing import Any

from app.playground.options import Options
from app.playground.state import Channel, Stream, Workspace, World
from app.playground.triggers import Triggers
from app.playground.validation import (
    MARKDOWN_LIMIT,
    MESSAGE_MARKDOWN_LIMIT,
    TEXT_LIMIT,
    UPDATE_TEXT_LIMIT,
    Refused,
    check_chunks,
    check_markdown_total,
    check_message_blocks,
    check_metadata,
)
from app.playground.views import Views, name_blocks

Json = dict[str, Any]
SESSION_STATES = {"active", "processing", "suspended", "closed"}
PAGE = 100


class WebApi:
    """``call`` does what one Web API method does, at once and without waiting; ``Refused`` is Slack's ``ok: false``."""

    def __init__(self, world: World, options: Options) -> None:
        self.world = world
        self.options = options
        self.triggers = Triggers(world.now, lambda: options.trigger_seconds)
        self.views = Views(world, self.triggers)
        self.base_url = ""
        self._numbers = count(1)
        self.uploads: dict[str, tuple[Workspace, str]] = {}
        self.socket_tickets: set[str] = set()
        self._methods: dict[str, Callable[[Workspace, Json], Json]] = {
            "api.test": lambda _workspace, params: {"args": params},
            "auth.test": self._auth_test,
            "team.info": self._team_info,
            "bots.info": self._bots_info,
            "users.info": self._users_info,
            "users.list": self._users_list,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.startStream": self._start_stream,
            "chat.appendStream": self._append_stream,
            "chat.stopStream": self._stop_stream,
            "chat.getPermalink": self._permalink,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "conversations.info": self._conversation_info,
            "conversations.list": self._conversation_list,
            "conversations.open": self._conversation_open,
            "conversations.members": self._conversation_members,
            "views.open": lambda w, p: {"view": self.views.open(w, _need(p, "trigger_id"), p.get("view"))},
            "views.push": lambda w, p: {"view": self.views.push(w, _need(p, "trigger_id"), p.get("view"))},
            "views.update": self._views_update,
            "views.publish": lambda w, p: {"view": self.views.publish(w, _need(p, "user_id"), p.get("view"), p.get("hash"))},
            "agents.sessions.setStatus": self._session_status,
            "agents.sessions.rename": self._session_rename,
            "assistant.threads.setStatus": self._thread_status,
            "assistant.threads.setTitle": self._thread_title,
            "assistant.threads.setSuggestedPrompts": self._suggested_prompts,
            "reactions.add": self._reactions_add,
            "reactions.remove": self._reactions_remove,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
            "files.info": lambda w, p: {"file": self._file(w, _need(p, "file")), "comments": []},
        }

    def call(self, method: str, token: str | None, params: Json) -> Json:
        if method == "apps.connections.open":
            return {"ok": True, **self._open_connection(token)}
        handler = self._methods.get(method)
        if handler is None:
            raise Refused("unknown_method", req_method=method)
        if method == "api.test":
            return {"ok": True, **handler(Workspace("", "", "", "", "", ""), params)}
        return {"ok": True, **handler(self.workspace_of(token), params)}

    def workspace_of(self, token: str | None) -> Workspace:
        if not token:
            raise Refused("not_authed")
        workspace = self.world.by_token.get(token)
        if workspace is None:
            raise Refused("invalid_auth")
        if workspace.is_revoked:
            raise Refused("token_revoked")
        return workspace

    # Who and where

    def _auth_test(self, workspace: Workspace, _params: Json) -> Json:
        return {
            "url": f"{self.base_url}/", "team": workspace.name, "user": workspace.bot_name, "team_id": workspace.id,
            "user_id": workspace.bot_user_id, "bot_id": workspace.bot_id, "is_enterprise_install": False,
            "app_id": workspace.app_id,
        }  # fmt: skip

    def _team_info(self, workspace: Workspace, _params: Json) -> Json:
        return {"team": {"id": workspace.id, "name": workspace.name, "domain": "playground", "email_domain": "", "icon": {}}}

    def _bots_info(self, workspace: Workspace, params: Json) -> Json:
        if params.get("bot", workspace.bot_id) != workspace.bot_id:
            raise Refused("bot_not_found")
        return {
            "bot": {
                "id": workspace.bot_id, "deleted": False, "name": workspace.bot_name, "updated": 1, "app_id": workspace.app_id,
                "user_id": workspace.bot_user_id, "icons": {},
            }
        }  # fmt: skip

    def _users_info(self, workspace: Workspace, params: Json) -> Json:
        user = workspace.users.get(_need(params, "user"))
        if user is None:
            raise Refused("user_not_found")
        return {"user": _user(user, with_locale=_true(params.get("include_locale")))}

    def _users_list(self, workspace: Workspace, params: Json) -> Json:
        with_locale = _true(params.get("include_locale"))
        members, metadata = _page([_user(user, with_locale=with_locale) for user in workspace.users.values()], params)
        return {"members": members, "response_metadata": metadata}

    def channel(self, workspace: Workspace, channel_id: Any) -> Channel:
        """A channel the app may see; a person's id stands for the direct conversation with them."""
        if isinstance(channel_id, str) and channel_id in workspace.users and channel_id != workspace.bot_user_id:
            return workspace.direct(channel_id)
        channel = workspace.channels.get(channel_id)
        if channel is None or (channel.is_private and workspace.bot_user_id not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def _writable(self, workspace: Workspace, params: Json) -> Channel:
        channel = self.channel(workspace, _need(params, "channel"))
        if workspace.bot_user_id not in channel.members:
            raise Refused("not_in_channel")
        if channel.is_archived:
            raise Refused("is_archived")
        return channel

    def _conversation_info(self, workspace: Workspace, params: Json) -> Json:
        shown = self.channel(workspace, _need(params, "channel")).as_slack_shows_it(workspace.bot_user_id)
        if not _true(params.get("include_num_members")):
            shown.pop("num_members")
        return {"channel": shown}

    def _conversation_list(self, workspace: Workspace, params: Json) -> Json:
        wanted = str(params.get("types") or "public_channel").split(",")
        kinds = {
            "im": "im" in wanted,
            "private_channel": "private_channel" in wanted,
            "public_channel": "public_channel" in wanted,
        }
        shown = [
            channel.as_slack_shows_it(workspace.bot_user_id)
            for channel in workspace.channels.values()
            if kinds["im" if channel.is_direct else "private_channel" if channel.is_private else "public_channel"]
        ]
        channels, metadata = _page(shown, params)
        return {"channels": channels, "response_metadata": metadata}

    def _conversation_open(self, workspace: Workspace, params: Json) -> Json:
        users = str(params.get("users") or "").split(",")
        if params.get("channel"):
            return {"channel": {"id": self.channel(workspace, params["channel"]).id}}
        if len(users) != 1 or not users[0]:
            raise Refused("users_list_not_supplied" if not users[0] else "method_not_supported_for_channel_type")
        if users[0] not in workspace.users:
            raise Refused("user_not_found")
        is_new = users[0] not in workspace.directs
        return {"channel": {"id": workspace.direct(users[0]).id}, **({} if is_new else {"no_op": True, "already_open": True})}

    def _conversation_members(self, workspace: Workspace, params: Json) -> Json:
        members, metadata = _page(sorted(self.channel(workspace, _need(params, "channel")).members), params)
        return {"members": members, "response_metadata": metadata}

    # Messages

    def _post_message(self, workspace: Workspace, params: Json) -> Json:
        channel = self._writable(workspace, params)
        content, warning = self._content(params)
        thread_ts = params.get("thread_ts")
        if thread_ts:
            thread_ts = self._root_of(channel, thread_ts)
        message = {**self._frame(workspace), **content}
        if thread_ts:
            message["thread_ts"] = thread_ts
        if params.get("metadata"):
            message["metadata"] = check_metadata(params["metadata"])
        self.world.post(channel, message)
        self._clear_status(channel, thread_ts or message["ts"])
        answer: Json = {"channel": channel.id, "ts": message["ts"], "message": message}
        return {**answer, "response_metadata": {"warnings": [warning]}} if warning else answer

    def _post_ephemeral(self, workspace: Workspace, params: Json) -> Json:
        channel = self._writable(workspace, params)
        user_id = _need(params, "user")
        if user_id not in workspace.users:
            raise Refused("user_not_found")
        if user_id not in channel.members:
            raise Refused("user_not_in_channel")
        content, _ = self._content(params)
        message = {**self._frame(workspace), **content, "is_ephemeral": True, "visible_to": user_id}
        if params.get("thread_ts"):
            message["thread_ts"] = params["thread_ts"]
        self.world.show_ephemeral(channel, message)
        return {"message_ts": message["ts"]}

    def _update(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel"))
        message = self._own(workspace, channel, _need(params, "ts"), "cant_update_message")
        if channel.is_archived:
            raise Refused("is_archived")
        stream = self.stream(channel, message["ts"])
        if stream is not None and stream.is_open:
            raise Refused("streaming_state_conflict")
        if len(params.get("text") or "") > UPDATE_TEXT_LIMIT:
            raise Refused("msg_too_long")
        content, _ = self._content(params, is_update=True)
        changes: Json = {"blocks": None, **content, "edited": {"user": workspace.bot_user_id, "ts": self.world.next_ts()}}
        if "blocks" not in content and "blocks" not in message:
            del changes["blocks"]
        if params.get("metadata"):
            changes["metadata"] = check_metadata(params["metadata"])
        self.world.update(channel, message, changes)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def _delete(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel"))
        message = self._own(workspace, channel, _need(params, "ts"), "cant_delete_message")
        self.world.delete(channel, message, by=workspace.bot_user_id)
        return {"channel": channel.id, "ts": message["ts"]}

    def _content(self, params: Json, *, is_update: bool = False) -> tuple[Json, str | None]:
        """Text and blocks as the message will carry them, and a warning."""
        text, markdown, blocks = params.get("text"), params.get("markdown_text"), params.get("blocks")
        if markdown:
            if text or blocks:
                raise Refused("markdown_text_conflict")
            if len(markdown) > MARKDOWN_LIMIT:
                raise Refused("msg_too_long")
            return {"text": markdown, "blocks": name_blocks([{"type": "markdown", "text": markdown}])}, None
        content: Json = {"text": text or ""}
        if not isinstance(content["text"], str):
            raise Refused("invalid_arguments", "text must be a string")
        if blocks:
            content["blocks"] = name_blocks(check_message_blocks(blocks))
        if params.get("attachments"):
            content["attachments"] = params["attachments"]
        if not (content["text"] or content.get("blocks") or content.get("attachments")):
            raise Refused("no_text")
        if len(content["text"]) > TEXT_LIMIT:
            if is_update or blocks:
                raise Refused("msg_too_long")
            content["text"] = content["text"][:TEXT_LIMIT]
            return content, "message_truncated"
        return content, None

    def _frame(self, workspace: Workspace) -> Json:
        return {
            "type": "message", "user": workspace.bot_user_id, "bot_id": workspace.bot_id, "app_id": workspace.app_id,
            "team": workspace.id, "ts": self.world.next_ts(), "text": "",
        }  # fmt: skip

    def _own(self, workspace: Workspace, channel: Channel, ts: str, error: str) -> Json:
        message = channel.messages.get(ts)
        if message is None or message.get("subtype") == "tombstone":
            raise Refused("message_not_found")
        if message.get("user") != workspace.bot_user_id:
            raise Refused(error)
        return message

    def _root_of(self, channel: Channel, thread_ts: str) -> str:
        root = channel.messages.get(str(thread_ts))
        if root is None:
            raise Refused("thread_not_found")
        return str(root.get("thread_ts") or root["ts"])

    def _permalink(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel"))
        ts = _need(params, "message_ts")
        if ts not in channel.messages:
            raise Refused("message_not_found")
        return {"channel": channel.id, "permalink": f"{self.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"}

    # Reading

    def _replies(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel"))
        ts = _need(params, "ts")
        root = channel.messages.get(ts)
        if root is None:
            raise Refused("thread_not_found")
        root_ts = root.get("thread_ts") or ts
        in_order = [root_ts, *sorted(channel.threads.get(root_ts, ()))]
        messages = [channel.messages[one] for one in in_order if one in channel.messages]
        return self._listing(messages, params)

    def _history(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel"))
        roots = [m for m in channel.messages.values() if m.get("thread_ts") in {None, m["ts"]}]
        return self._listing(sorted(roots, key=lambda m: m["ts"], reverse=True), params)

    def _listing(self, messages: list[Json], params: Json) -> Json:
        oldest, latest, inclusive = (
            str(params.get("oldest") or ""),
            str(params.get("latest") or ""),
            _true(params.get("inclusive")),
        )
        wanted = [
            m for m in messages
            if (not oldest or m["ts"] > oldest or (inclusive and m["ts"] == oldest))
            and (not latest or m["ts"] < latest or (inclusive and m["ts"] == latest))
        ]  # fmt: skip
        listed, metadata = _page(wanted, params)
        if not _true(params.get("include_all_metadata")):
            listed = [{name: value for name, value in m.items() if name != "metadata"} for m in listed]
        return {"messages": listed, "has_more": bool(metadata["next_cursor"]), "response_metadata": metadata}

    # Streams

    def stream(self, channel: Channel, ts: str) -> Stream | None:
        """The stream behind a message, closed first when its five minutes are over."""
        stream = channel.streams.get(ts)
        if stream is not None and stream.is_open and self.world.now() - stream.started_at > self.options.stream_seconds:
            stream.state = "expired"
            self.world.update(channel, channel.messages[ts], {"streaming_state": "completed"}, change="stream_expired", added="")
        return stream

    def _start_stream(self, workspace: Workspace, params: Json) -> Json:
        channel = self._writable(workspace, params)
        thread_ts = self._root_of(channel, _need(params, "thread_ts"))
        if not channel.is_direct:
            for name, error in (
                ("recipient_user_id", "missing_recipient_user_id"),
                ("recipient_team_id", "missing_recipient_team_id"),
            ):
                if not params.get(name):
                    raise Refused(error)
        if params.get("recipient_user_id") and params["recipient_user_id"] not in workspace.users:
            raise Refused("user_not_found")
        added, blocks = self._streamed(params, needed=False)
        self._check_length("", added)
        message = {
            **self._frame(workspace), "text": added, "thread_ts": thread_ts, "streaming_state": "in_progress",
            "blocks": name_blocks(blocks),
        }  # fmt: skip
        self.world.post(channel, message, stream=Stream(self.world.now(), params.get("recipient_user_id")))
        self.world.set_session(channel, thread_ts, status="processing", status_text="")
        return {"channel": channel.id, "ts": message["ts"]}

    def _append_stream(self, workspace: Workspace, params: Json) -> Json:
        channel, message = self._streaming(workspace, params)
        added, blocks = self._streamed(params, needed=True)
        self._check_length(message["text"], added)
        changes: Json = {"text": message["text"] + added}
        if blocks:
            changes["blocks"] = name_blocks(check_message_blocks([*message["blocks"], *blocks]))
        self.world.update(channel, message, changes, change="streamed", added=added)
        return {"channel": channel.id, "ts": message["ts"]}

    def _stop_stream(self, workspace: Workspace, params: Json) -> Json:
        channel, message = self._streaming(workspace, params)
        status = params.get("session_status") or "active"
        if status not in SESSION_STATES:
            raise Refused("invalid_arguments", "session_status")
        added, blocks = self._streamed(params, needed=False)
        self._check_length(message["text"], added)
        text = message["text"] + added
        final = name_blocks(check_message_blocks(params["blocks"])) if params.get("blocks") else []
        check_markdown_total([*blocks, *final], len(text))
        written: list[Json] = [{"type": "markdown", "text": text}] if text else []
        changes: Json = {
            "text": text, "streaming_state": "completed", "blocks": name_blocks([*written, *message["blocks"], *blocks, *final]),
        }  # fmt: skip
        if params.get("metadata"):
            changes["metadata"] = check_metadata(params["metadata"])
        channel.streams[message["ts"]].state = "completed"
        self.world.update(channel, message, changes, change="stream_stopped")
        self.world.set_session(channel, message["thread_ts"], status=status, status_text="")
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _streaming(self, workspace: Workspace, params: Json) -> tuple[Channel, Json]:
        channel = self._writable(workspace, params)
        message = channel.messages.get(_need(params, "ts"))
        if message is None:
            raise Refused("message_not_found")
        if message.get("app_id") != workspace.app_id:
            raise Refused("message_not_owned_by_app")
        stream = self.stream(channel, message["ts"])
        if stream is not None and stream.state == "stopped_by_user":
            raise Refused("stopped_by_user")
        if stream is None or not stream.is_open:
            raise Refused("message_not_in_streaming_state")
        return channel, message

    def _streamed(self, params: Json, *, needed: bool) -> tuple[str, list[Json]]:
        """What a streaming call adds: its text, and blocks."""
        text, chunks = params.get("markdown_text"), params.get("chunks")
        if text and chunks:
            raise Refused("markdown_text_conflict")
        if not text and not chunks:
            if needed:
                raise Refused("no_text")
            return "", []
        if text:
            return str(text), []
        checked = check_chunks(chunks)
        blocks = [block for chunk in checked if chunk["type"] == "blocks" for block in chunk.get("blocks", ())]
        return "".join(chunk["text"] for chunk in checked if chunk["type"] == "markdown_text"), check_message_blocks(blocks)

    def _check_length(self, before: str, added: str) -> None:
        if len(added) > MARKDOWN_LIMIT:
            raise Refused("msg_too_long")
        if len(before) + len(added) > MESSAGE_MARKDOWN_LIMIT:
            raise Refused("msg_blocks_too_long")

    # Agent sessions and the older assistant threads

    def _session_status(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel_id"))
        status = _need(params, "status")
        if status not in SESSION_STATES:
            raise Refused("invalid_arguments", "status")
        self._need_agent()
        thread_ts = self._session_root(channel, params.get("thread_ts"))
        changes: Json = {"status": status, "status_text": ""}
        if params.get("title"):
            changes["title"] = str(params["title"])[:200]
        self.world.set_session(channel, thread_ts, **changes)
        if "agent_session_stopped" not in self.options.subscriptions:
            return {"warning": "missing_agent_session_stopped_event_subscription"}
        return {}

    def _session_rename(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel_id"))
        title = _need(params, "title")
        if len(title) > 200:
            raise Refused("invalid_arguments", "title must be at most 200 characters")
        self._need_agent()
        self.world.set_session(channel, self._session_root(channel, params.get("thread_ts")), title=title)
        return {}

    def _thread_status(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel_id"))
        status = params.get("status")
        if not isinstance(status, str):
            raise Refused("invalid_arguments", "missing required field: status")
        loading = params.get("loading_messages") or []
        if len(loading) > 10 or any(not 1 <= len(text) <= 50 for text in loading):
            raise Refused("invalid_arguments", "loading_messages")
        thread_ts = self._session_root(channel, params.get("thread_ts"))
        self.world.set_session(
            channel, thread_ts, status="processing" if status else "active", status_text=status, loading_messages=loading
        )
        return {}

    def _thread_title(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel_id"))
        self.world.set_session(channel, self._session_root(channel, params.get("thread_ts")), title=_need(params, "title"))
        return {}

    def _suggested_prompts(self, workspace: Workspace, params: Json) -> Json:
        channel = self.channel(workspace, _need(params, "channel_id"))
        self._need_agent()
        prompts = params.get("prompts")
        if not isinstance(prompts, list) or not prompts or len(prompts) > 4:
            raise Refused("invalid_arguments", "prompts")
        if any(not isinstance(p, dict) or not p.get("title") or not p.get("message") for p in prompts):
            raise Refused("invalid_arguments", "prompts need title and message")
        if params.get("thread_ts"):
            self._session_root(channel, params["thread_ts"])
        kept = {"title": params.get("title") or "", "prompts": prompts}
        workspace.prompts[channel.id] = kept
        self.world.keep("prompts", team=workspace.id, channel=channel.id, prompts=kept)
        self.world.tell({"type": "prompts", "team": workspace.id, "channel": channel.id, "prompts": kept})
        return {}

    def _session_root(self, channel: Channel, thread_ts: str | None) -> str:
        if not thread_ts or thread_ts not in channel.messages:
            raise Refused("invalid_thread_ts")
        return str(channel.messages[thread_ts].get("thread_ts") or thread_ts)

    def _clear_status(self, channel: Channel, thread_ts: str) -> None:
        session = channel.sessions.get(thread_ts)
        if session and session["status_text"]:
            self.world.set_session(channel, thread_ts, status="active", status_text="", loading_messages=[])

    def _need_agent(self) -> None:
        if not self.options.is_agent:
            raise Refused("not_agent_app")

    # Views, reactions, files, Socket Mode

    def _views_update(self, workspace: Workspace, params: Json) -> Json:
        return {
            "view": self.views.update(
                workspace, params.get("view_id"), params.get("external_id"), params.get("view"), params.get("hash")
            )
        }

    def _reactions_add(self, workspace: Workspace, params: Json) -> Json:
        reactions, one = self._reaction(workspace, params)
        if one in reactions:
            raise Refused("already_reacted")
        reactions.add(one)
        return {}

    def _reactions_remove(self, workspace: Workspace, params: Json) -> Json:
        reactions, one = self._reaction(workspace, params)
        if one not in reactions:
            raise Refused("no_reaction")
        reactions.discard(one)
        return {}

    def _reaction(self, workspace: Workspace, params: Json) -> tuple[set[tuple[str, str]], tuple[str, str]]:
        channel = self.channel(workspace, _need(params, "channel"))
        ts = _need(params, "timestamp")
        if ts not in channel.messages:
            raise Refused("message_not_found")
        return workspace.reactions[(channel.id, ts)], (_need(params, "name"), workspace.bot_user_id)

    def _upload_url(self, workspace: Workspace, params: Json) -> Json:
        filename = _need(params, "filename")
        if int(params.get("length") or 0) <= 0:
            raise Refused("invalid_arguments", "length")
        file_id = self.new_file(workspace, filename)
        if params.get("alt_txt"):
            workspace.files[file_id]["alt_txt"] = str(params["alt_txt"])[:1000]
        ticket = f"up{next(self._numbers)}"
        self.uploads[ticket] = (workspace, file_id)
        return {"upload_url": f"{self.base_url}/upload/{ticket}", "file_id": file_id}

    def new_file(self, workspace: Workspace, filename: str, owner: str | None = None) -> str:
        file_id = f"F{next(self._numbers):08d}{len(workspace.files):02d}"
        url = f"{self.base_url}/files/{workspace.id}/{file_id}/{filename}"
        workspace.files[file_id] = {
            "id": file_id, "name": filename, "title": filename, "user": owner or workspace.bot_user_id, "is_external": False,
            "size": 0, "mode": "hosted", "url_private": url, "url_private_download": url, "created": int(self.world.now()),
        }  # fmt: skip
        return file_id

    def _complete_upload(self, workspace: Workspace, params: Json) -> Json:
        files = params.get("files")
        if not isinstance(files, list) or not files:
            raise Refused("invalid_arguments", "files")
        shown = []
        for one in files:
            file = self._file(workspace, one.get("id", ""))
            file["title"] = one.get("title") or file["name"]
            shown.append(file)
        channels = params.get("channel_id") or params.get("channels")
        if channels:
            self._share(workspace, str(channels).split(",")[0], shown, params)
        return {"files": shown}

    def _share(self, workspace: Workspace, channel_id: str, files: list[Json], params: Json) -> None:
        channel = self._writable(workspace, {"channel": channel_id})
        message = {**self._frame(workspace), "subtype": "file_share", "text": params.get("initial_comment") or "", "files": files}
        if params.get("thread_ts"):
            message["thread_ts"] = self._root_of(channel, params["thread_ts"])
        self.world.post(channel, message)

    def _file(self, workspace: Workspace, file_id: str) -> Json:
        file = workspace.files.get(file_id)
        if file is None:
            raise Refused("file_not_found")
        return file

    def _open_connection(self, token: str | None) -> Json:
        if not token:
            raise Refused("not_authed")
        if not token.startswith("xapp-"):
            raise Refused("not_allowed_token_type")
        ticket = f"ticket{next(self._numbers)}"
        self.socket_tickets.add(ticket)
        return {"url": f"{self.base_url.replace('http', 'ws', 1)}/socket?ticket={ticket}"}


def _need(params: Json, name: str) -> str:
    value = params.get(name)
    if not value:
        raise Refused("invalid_arguments", f"missing required field: {name}")
    return str(value)


def _true(value: Any) -> bool:
    return value is True or str(value).lower() in {"1", "true"}


def _user(user: Json, *, with_locale: bool) -> Json:
    return user if with_locale else {name: value for name, value in user.items() if name != "locale"}


def _page(values: list[Any], params: Json) -> tuple[list[Any], Json]:
    limit = int(params.get("limit") or PAGE)
    try:
        start = int(base64.b64decode(str(params.get("cursor") or ""))) if params.get("cursor") else 0
    except ValueError:
        raise Refused("invalid_cursor") from None
    rest = start + limit < len(values)
    return values[start : start + limit], {"next_cursor": base64.b64encode(str(start + limit).encode()).decode() if rest else ""}
