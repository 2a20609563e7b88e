"""The window of what is remembered, and the question why an answer is as it is."""

import asyncio
import json
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.memories import Correction, MemoryPage
from app.coaching.memory.repository import ShownMemory
from app.coaching.plan.due_dates import zone_of
from app.core.errors import SlackError
from app.i18n.messages import message
from app.people.person import Actor
from app.slack.blocks.memory import edit_view, memory_view
from app.slack.blocks.parts import Block
from app.slack.blocks.why import why_blocks
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.home import home_changed
from app.slack.listeners.windows import actor_of, language_of_actor, open_window, typed

LINKS_SECONDS = 0.8
"""Of the three that a window has to open. What is not known by then is shown without a link."""


async def open_memories(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    await ack()
    await open_window(edge, body, await _window(edge, actor, page=1))


async def turn_page(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    await ack()
    await _show_again(edge_of(context), actor_of(body), view_id=body["view"]["id"], page=int(action["value"]))


async def erase_memory(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    await edge.memories.erase(actor, _id_in(action))
    await home_changed(edge, actor, body["trigger_id"])
    await ack()
    await _show_again(edge, actor, view_id=body["view"]["id"], page=int(body["view"]["private_metadata"]))


async def open_correction(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """A form over the list; when the memory is gone meanwhile, the list shows it."""
    edge, actor, view = edge_of(context), actor_of(body), body["view"]
    await ack()
    memory = await edge.memories.one(actor, _id_in(action))
    if memory is None:
        await _show_again(edge, actor, view_id=view["id"], page=int(view["private_metadata"]))
        return
    about = json.dumps({"memory": memory.id, "list": view["id"], "page": int(view["private_metadata"])})
    await open_window(edge, body, edit_view(memory, await language_of_actor(edge, actor), about=about))


async def take_correction(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, about = edge_of(context), actor_of(body), json.loads(view["private_metadata"])
    outcome = await edge.memories.correct(actor, about["memory"], typed(view, "correction"))
    if outcome is not Correction.DONE:
        key = {Correction.EMPTY: "refused_empty", Correction.ORDER: "refused_order", Correction.GONE: "gone"}[outcome]
        await ack(response_action="errors", errors={"correction": message(f"memory.{key}", await language_of_actor(edge, actor))})
        return
    await home_changed(edge, actor, f"memory:{view['id']}")
    await ack()
    await _show_again(edge, actor, view_id=about["list"], page=about["page"])


async def explain_answer(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    """Only whoever asks reads it, in a channel too."""
    edge, actor, container = edge_of(context), actor_of(body), body["container"]
    found = await edge.explain_answers.why(actor, channel_id=container["channel_id"], message_ts=container["message_ts"])
    language = await language_of_actor(edge, actor)
    await ack()
    text = message("memory.why_title" if found else "memory.why_gone", language)
    await edge.client.post_ephemeral(
        channel_id=container["channel_id"], thread_ts=container.get("thread_ts"), user_id=actor.user_id, text=text,
        blocks=why_blocks(found, language), team_id=actor.team_id,
    )  # fmt: skip


async def _window(edge: SlackEdge, actor: Actor, *, page: int) -> Block:
    shown = await edge.memories.list(actor, page)
    person = await edge.people.find(actor.team_id, actor.user_id)
    language = await language_of_actor(edge, actor)
    return memory_view(shown, language, zone=zone_of(person.time_zone), links=await _links(edge, shown))


async def _show_again(edge: SlackEdge, actor: Actor, *, view_id: str, page: int) -> None:
    view = await _window(edge, actor, page=page)
    await edge.client.call("views.update", team_id=actor.team_id, json={"view_id": view_id, "view": view})


async def _links(edge: SlackEdge, page: MemoryPage) -> dict[int, str]:
    """Where what is remembered was said, as far as Slack tells in time: messages may be gone, and Slack slow."""
    asked = {asyncio.create_task(_link(edge, memory)): memory.id for memory in page.memories if memory.said_in}
    if not asked:
        return {}
    done, late = await asyncio.wait(asked, timeout=LINKS_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return {asked[task]: link for task in done if (link := task.result())}


async def _link(edge: SlackEdge, memory: ShownMemory) -> str | None:
    where = memory.said_in
    assert where is not None
    try:
        found = await edge.client.call(
            "chat.getPermalink", team_id=where.team_id, longest_wait=0,
            json={"channel": where.channel_id, "message_ts": where.thread_ts},
        )  # fmt: skip
    except SlackError:
        return None
    link = str(found.get("permalink") or "")
    return link if link.startswith(("https://", "http://")) and not set("<>|") & set(link) else None


def _id_in(action: dict[str, Any]) -> int:
    return int(action["action_id"].rpartition("_")[2])
