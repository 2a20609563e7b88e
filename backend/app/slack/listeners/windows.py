"""What every click has in common: who clicked, in which language, the window that opens, what was typed into it."""

from typing import Any

from app.i18n.language import Language
from app.people.person import Actor, Person
from app.slack.blocks.parts import Block, foreign, plain
from app.slack.edge import SlackEdge
from app.slack.language import language_for


def actor_of(body: dict[str, Any]) -> Actor:
    return Actor(body["team"]["id"], body["user"]["id"])


async def language_of_actor(edge: SlackEdge, actor: Actor) -> Language:
    person: Person = await edge.people.find(actor.team_id, actor.user_id)
    return language_for(person=person.language, workspace=edge.workspaces.current.language, fallback=edge.rules.fallback_language)


async def open_window(edge: SlackEdge, body: dict[str, Any], view: Block) -> None:
    """A window opens within three seconds of the click, or not at all."""
    method = "views.push" if body.get("view", {}).get("type") == "modal" else "views.open"
    await edge.client.call(method, team_id=actor_of(body).team_id, json={"trigger_id": body["trigger_id"], "view": view})


async def post_to_person(edge: SlackEdge, actor: Actor, text: str) -> tuple[str, str]:
    """Channel and ts of a message in the person's own DM."""
    opened = await edge.client.call("conversations.open", json={"users": actor.user_id}, team_id=actor.team_id)
    channel_id = str(opened["channel"]["id"])
    block = {"type": "section", "text": plain(text, 3000)}
    ts = await edge.client.post_message(
        channel_id=channel_id, thread_ts=None, text=foreign(text, 300), blocks=[block], team_id=actor.team_id
    )
    return channel_id, ts


def typed(view: dict[str, Any], block_id: str) -> str:
    return str(view["state"]["values"][block_id]["text"]["value"] or "").strip()
