"""What one person of the demo workspace sees, as the page needs it."""

from typing import Any

from app.i18n.language import language_of_locale
from app.playground.small_slack import SmallSlack
from app.playground.state import Channel, Workspace

Json = dict[str, Any]
SHOWN_MESSAGES = 500


def world_of(slack: SmallSlack, workspace: Workspace, user_id: str) -> Json:
    direct = workspace.direct(user_id)
    seen = [channel for channel in workspace.channels.values() if user_id in channel.members]
    return {
        "me": user_id,
        "team": {"id": workspace.id, "name": workspace.name},
        "bot": workspace.bot_user_id,
        "direct": direct.id,
        "people": {user["id"]: _person(user) for user in workspace.users.values()},
        "channels": [_channel(channel, user_id) for channel in seen],
        "home": workspace.homes.get(user_id),
        "modal": slack.api.views.top(workspace, user_id),
        "prompts": workspace.prompts.get(direct.id),
    }


def may_see(workspace: Workspace, user_id: str, change: Json) -> bool:
    if "user" in change:
        return bool(change["user"] == user_id)
    return user_id in workspace.channels[change["channel"]].members


def _person(user: Json) -> Json:
    language = language_of_locale(user["locale"])
    return {
        "id": user["id"], "name": user["real_name"], "title": user["profile"]["title"], "is_bot": user["is_bot"],
        "is_guest": user["is_restricted"], "is_manager": user["is_admin"], "language": language.value if language else "ja",
    }  # fmt: skip


def _channel(channel: Channel, user_id: str) -> Json:
    messages = sorted(channel.messages.values(), key=lambda message: str(message["ts"]))[-SHOWN_MESSAGES:]
    return {
        "id": channel.id, "name": channel.name, "is_direct": channel.is_direct, "is_archived": channel.is_archived,
        "messages": [{name: value for name, value in message.items() if name != "metadata"} for message in messages],
        "ephemerals": [message for message in channel.ephemerals.values() if message["visible_to"] == user_id],
        "sessions": channel.sessions,
    }  # fmt: skip
