"""What is handed to one person: files and words that stand in their direct messages with the coach and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.inbox.envelope import ClaimedEvent
from app.people.person import Actor
from app.slack.blocks.parts import Block
from app.slack.client import SlackClient

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
    channel_id = await _direct_channel(client, actor)
    oldest = f"{(claimed.received_at - _CLOCKS_DIFFER).timestamp():.6f}"
    if thread_ts:
        messages = await client.replies_since(channel_id=channel_id, thread_ts=thread_ts, oldest=oldest, team_id=actor.team_id)
    else:
        arguments = {"channel": channel_id, "oldest": oldest, "limit": 100}
        answer = await client.call("conversations.history", team_id=actor.team_id, json=arguments)
        messages = answer.get("messages", [])
    return any(file.get("name") == name for message in messages for file in message.get("files", ()))


async def tell_person(
    client: SlackClient, actor: Actor, text: str, blocks: Sequence[Block] = (), *, thread_ts: str | None = None
) -> None:
    await client.post_message(
        channel_id=await _direct_channel(client, actor), thread_ts=thread_ts, text=text, blocks=blocks, team_id=actor.team_id
    )


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
