"""Somebody opened the app: the Home tab gets its content, the Messages tab its suggestions."""

import json
from typing import Any

from slack_bolt.async_app import AsyncBoltContext

from app.i18n.language import Language
from app.inbox.envelope import Envelope
from app.people.person import Actor, Person
from app.slack.blocks.home import blank_view, home_view, refusal_view
from app.slack.blocks.parts import Block
from app.slack.blocks.prompts import suggested_prompts
from app.slack.edge import SlackEdge
from app.slack.language import language_for
from app.slack.listeners.context import claimed_of, edge_of

_AFTER_A_CHANGE = "home:"


async def welcome(event: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed = edge_of(context), claimed_of(context)
    person = await edge.people.find(claimed.claim.team_id, event["user"])
    if event.get("tab") == "messages":
        await _suggest(edge, person, event["channel"])
    else:
        await _show(edge, person, may_be_old=not claimed.envelope.event_id.startswith(_AFTER_A_CHANGE))
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def _show(edge: SlackEdge, person: Person, *, may_be_old: bool) -> None:
    """What was there last time at once, then what holds now. After a change of the person's own nothing old is shown."""
    old = await edge.home_shelf.take(person.team_id, person.user_id)
    if old is not None and may_be_old:
        await _publish(edge, person, old)
    view = await _view(edge, person)
    if view != old or not may_be_old:
        await _publish(edge, person, view)
    await edge.home_shelf.keep(person.team_id, person.user_id, view)


async def _view(edge: SlackEdge, person: Person) -> Block:
    language = _language(edge, person)
    if person.is_external:
        return refusal_view(language)
    return home_view(await edge.show_home(person), language=language, about=edge.rules.about)


async def _publish(edge: SlackEdge, person: Person, view: Block) -> None:
    await edge.client.call("views.publish", team_id=person.team_id, json={"user_id": person.user_id, "view": view})


async def _suggest(edge: SlackEdge, person: Person, channel_id: str) -> None:
    prompts = [{"title": prompt.title, "message": prompt.text} for prompt in suggested_prompts(_language(edge, person))]
    await edge.client.call(
        "assistant.threads.setSuggestedPrompts", team_id=person.team_id, json={"channel_id": channel_id, "prompts": prompts}
    )


def _language(edge: SlackEdge, person: Person) -> Language:
    return language_for(person=person.language, workspace=edge.workspaces.current.language, fallback=edge.rules.fallback_language)


async def blank_home(edge: SlackEdge, actor: Actor, language: Language) -> None:
    """Slack keeps what it was shown last: after somebody was forgotten, that is nothing about them."""
    view = blank_view(language)
    await edge.client.call("views.publish", team_id=actor.team_id, json={"user_id": actor.user_id, "view": view})


async def home_changed(edge: SlackEdge, actor: Actor, trigger: str) -> None:
    """Whatever Home showed is out of date: it is forgotten, and shown anew by a worker. ``trigger``: of the click behind it."""
    await edge.home_shelf.drop(actor.team_id, actor.user_id)
    await edge.inbox.store_once(home_again(actor.team_id, actor.user_id, trigger))


def home_again(team_id: str, user_id: str, trigger: str) -> Envelope:
    """A wish to show the Home tab anew, as if it had been opened: after a setting was changed there."""
    event_id = f"{_AFTER_A_CHANGE}{trigger}"
    body = {"type": "event_callback", "team_id": team_id, "event_id": event_id,
            "event": {"type": "app_home_opened", "tab": "home", "user": user_id}}  # fmt: skip
    return Envelope(
        team_id=team_id, event_id=event_id, kind="home", conversation=f"{team_id}:{user_id}:home", channel_id=None,
        message_ts=None, user_id=user_id, body=json.dumps(body).encode(),
    )  # fmt: skip
