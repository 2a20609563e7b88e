"""Somebody opened the app: the Home tab gets its content, the Messages tab its suggestions."""

import json
from typing import Any

from slack_bolt.async_app import AsyncBoltContext

from app.i18n.language import Language
from app.inbox.envelope import Envelope
from app.people.person import Actor, Person
from app.slack.blocks.history import HISTORY_DAYS
from app.slack.blocks.home import home_view
from app.slack.blocks.prompts import suggested_prompts
from app.slack.edge import SlackEdge
from app.slack.history import history_of
from app.slack.language import language_for
from app.slack.listeners.context import claimed_of, edge_of


async def welcome(event: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed = edge_of(context), claimed_of(context)
    person = await edge.people.find(claimed.claim.team_id, event["user"])
    if event.get("tab") == "messages":
        await _suggest(edge, person, event["channel"])
    else:
        await _publish(edge, person)
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def _publish(edge: SlackEdge, person: Person) -> None:
    actor = Actor(person.team_id, person.user_id, person.standing, is_private=True)
    history = history_of(await edge.talks.latest_of(actor, days=HISTORY_DAYS), person.time_zone)
    view = home_view(language=_language(edge, person), chosen=person.language, history=history, about=edge.rules.about)
    await edge.client.call("views.publish", team_id=person.team_id, json={"user_id": person.user_id, "view": view})


async def _suggest(edge: SlackEdge, person: Person, channel_id: str) -> None:
    prompts = [{"title": prompt.title, "message": prompt.text} for prompt in suggested_prompts(_language(edge, person))]
    await edge.client.call(
        "assistant.threads.setSuggestedPrompts", team_id=person.team_id, json={"channel_id": channel_id, "prompts": prompts}
    )


def _language(edge: SlackEdge, person: Person) -> Language:
    return language_for(person=person.language, workspace=edge.workspaces.current.language, fallback=edge.rules.fallback_language)


def home_again(team_id: str, user_id: str, trigger: str) -> Envelope:
    """A wish to show the Home tab anew, as if it had been opened: after a setting was changed there."""
    event_id = f"home:{trigger}"
    body = {"type": "event_callback", "team_id": team_id, "event_id": event_id,
            "event": {"type": "app_home_opened", "tab": "home", "user": user_id}}  # fmt: skip
    return Envelope(
        team_id=team_id, event_id=event_id, kind="home", conversation=f"{team_id}:{user_id}:home", channel_id=None,
        message_ts=None, user_id=user_id, body=json.dumps(body).encode(),
    )  # fmt: skip
