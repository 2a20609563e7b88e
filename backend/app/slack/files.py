"""What is handed to one person: files and words that stand in their direct messages with the coach and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.inbox.envelope import ClaimedEvent
from app.people.person import Actor
from app.slack.blocks.parts import Block
from app.slack.client import SlackClient

EVENT_TYPE: Final = "sales_agent_errand"
_CLOCKS_DIFFER = timedelta(seconds=10)  # at most, ours and Slack's


@dataclass(frozen=True)
class SlackFile:
    """``alt_text`` describes a picture to those who cannot see it."""

    name: str
    content: bytes
    title: str
    alt_text: str = ""


async def hand_over(
    client: SlackClient, actor: Actor, files: Sequence[SlackFile], *, comment: str, thread_ts: str | None = None
) -> None:
    """All files in one message of the person's own DM, in a thread of it when ``thread_ts`` names one.

    Nobody sees a file before its last byte has arrived: it is shared only by the closing call. Whether that took effect when its
    answer was lost, :func:`is_handed_over` can tell.
    """
    uploaded = [{"id": await _upload(client, actor, file), "title": file.title} for file in files]
    arguments = {"files": uploaded, "channel_id": await _direct_channel(client, actor), "initial_comment": comment}
    if thread_ts:
        arguments["thread_ts"] = thread_ts
    await client.call("files.completeUploadExternal", team_id=actor.team_id, json=arguments)


async def is_handed_over(
    client: SlackClient, claimed: ClaimedEvent, actor: Actor, *, name: str, thread_ts: str | None = None
) -> bool:
    """Whether an earlier attempt at this errand has brought the file already."""
    if claimed.attempts == 1:
        return False
    messages = await _said_since(client, claimed, await _direct_channel(client, actor), thread_ts)
    return any(file.get("name") == name for message in messages for file in message.get("files", ()))


async def tell_person(
    client: SlackClient, claimed: ClaimedEvent, actor: Actor, text: str, blocks: Sequence[Block] = (), *, what: str = "result",
    thread_ts: str | None = None,
) -> None:  # fmt: skip
    """A message about an event, in the person's own DM, once: its metadata tells a later attempt that ``what`` stands already."""
    channel_id = await _direct_channel(client, actor)
    about = {"inbox": claimed.claim.inbox_id, "what": what}
    if claimed.attempts > 1:
        messages = await _said_since(client, claimed, channel_id, thread_ts)
        if any((message.get("metadata") or {}).get("event_payload") == about for message in messages):
            return
    await client.post_message(
        channel_id=channel_id, thread_ts=thread_ts, text=text, blocks=blocks, team_id=actor.team_id,
        metadata={"event_type": EVENT_TYPE, "event_payload": about},
    )  # fmt: skip


async def _said_since(client: SlackClient, claimed: ClaimedEvent, channel_id: str, thread_ts: str | None) -> list[dict[str, Any]]:
    """What stands in the DM, or in a thread of it, since the event arrived."""
    oldest = f"{(claimed.received_at - _CLOCKS_DIFFER).timestamp():.6f}"
    team_id = claimed.claim.team_id
    if thread_ts:
        return await client.replies_since(channel_id=channel_id, thread_ts=thread_ts, oldest=oldest, team_id=team_id)
    arguments = {"channel": channel_id, "oldest": oldest, "limit": 100, "include_all_metadata": True}
    answer = await client.call("conversations.history", team_id=team_id, json=arguments)
    return list(answer.get("messages", ()))


async def _direct_channel(client: SlackClient, actor: Actor) -> str:
    opened = await client.call("conversations.open", json={"users": actor.user_id}, team_id=actor.team_id)
    return str(opened["channel"]["id"])


async def _upload(client: SlackClient, actor: Actor, file: SlackFile) -> str:
    arguments: dict[str, str | int] = {"filename": file.name, "length": len(file.content)}
    if file.alt_text:
        arguments["alt_txt"] = file.alt_text
    place = await client.call("files.getUploadURLExternal", team_id=actor.team_id, json=arguments)
    await client.upload(place["upload_url"], file.content)
    return str(place["file_id"])
