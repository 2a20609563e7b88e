"""What every click has in common: who clicked, in which language, the window that opens, what was typed into it."""

import json
from collections.abc import Sequence
from typing import Any

from slack_bolt.async_app import AsyncBoltContext

from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import Envelope
from app.people.person import Actor, Person
from app.slack.blocks.parts import Block, clipped, foreign, plain
from app.slack.blocks.plan_forms import notice_modal
from app.slack.edge import SlackEdge
from app.slack.language import language_for
from app.slack.listeners.context import edge_of
from app.slack.respond import respond

LONGEST_QUESTION = 2900


def actor_of(body: dict[str, Any]) -> Actor:
    return Actor(body["team"]["id"], body["user"]["id"])


async def somebody(edge: SlackEdge, body: dict[str, Any]) -> Actor:
    """Who clicked, with what they may do now, whoever the button was shown to. The answer is seen by nobody else."""
    return _acting(await edge.people.find(body["team"]["id"], body["user"]["id"]))


async def language_of_actor(edge: SlackEdge, actor: Actor) -> Language:
    return _language_of(edge, await edge.people.find(actor.team_id, actor.user_id))


async def who_clicked(context: AsyncBoltContext, body: dict[str, Any]) -> tuple[SlackEdge, Actor, Language]:
    """What a click needs: our side, :func:`somebody`, and the language to answer in."""
    edge = edge_of(context)
    person = await edge.people.find(body["team"]["id"], body["user"]["id"])
    return edge, _acting(person), _language_of(edge, person)


def _acting(person: Person) -> Actor:
    return Actor(person.team_id, person.user_id, person.standing, is_private=True, is_external=person.is_external)


def _language_of(edge: SlackEdge, person: Person) -> Language:
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


async def say_to_clicker(
    edge: SlackEdge, body: dict[str, Any], text: str, language: Language, *, blocks: Sequence[Block] = ()
) -> None:
    """A sentence for the one who clicked, in a message where there was one, else in a window. ``text`` is finished."""
    if "response_url" in body:
        await respond(edge.client.web, body["response_url"], text=text, blocks=blocks)
        return
    window = notice_modal(text, language)
    await open_window(edge, body, {**window, "blocks": list(blocks)} if blocks else window)


async def ask_in_direct_messages(edge: SlackEdge, actor: Actor, text: str, language: Language, *, request: str) -> None:
    """Puts a question into the person's DM and stores it as if it had been written there: the answer follows in its thread.

    ``request`` names what asked for it, so that asking twice by mistake is asking once.
    """
    asked = message("home.asked", language, text=clipped(text, LONGEST_QUESTION))
    channel_id, ts = await post_to_person(edge, actor, asked)
    await edge.inbox.store_once(
        _question_in(request, text, actor, channel_id=channel_id, ts=ts, bot_user_id=edge.workspaces.current.bot_user_id)
    )


def typed(view: dict[str, Any], block_id: str) -> str:
    return str(view["state"]["values"][block_id]["text"]["value"] or "").strip()


def _question_in(request: str, text: str, actor: Actor, *, channel_id: str, ts: str, bot_user_id: str | None) -> Envelope:
    """A message in the DM, as Slack would have told us of it."""
    team_id, event_id = actor.team_id, f"form:{request}"
    body = {
        "type": "event_callback", "team_id": team_id, "event_id": event_id,
        "authorizations": [{"team_id": team_id, "user_id": bot_user_id}],
        "event": {"type": "message", "channel": channel_id, "channel_type": "im", "user": actor.user_id, "text": text,
                  "ts": ts, "team": team_id},
    }  # fmt: skip
    return Envelope(
        team_id=team_id, event_id=event_id, kind="message", conversation=f"{team_id}:{channel_id}:{ts}", channel_id=channel_id,
        message_ts=ts, user_id=actor.user_id, body=json.dumps(body, ensure_ascii=False).encode(),
    )  # fmt: skip
