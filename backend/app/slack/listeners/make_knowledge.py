"""The message shortcut ナレッジにする: what somebody wrote becomes an entry, or the proposal of one."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.core.errors import BadRequest, TooManyRequests
from app.i18n.detection import language_of
from app.i18n.messages import message
from app.knowledge.entry import may_publish
from app.people.person import Actor
from app.slack.blocks.make_knowledge import (
    TITLE_FIELD,
    draft_in,
    made_modal,
    make_knowledge_modal,
    notice_modal,
    prefilled_from,
)
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.windows import actor_of, language_of_actor, open_window
from app.slack.payloads import without_mention

_MENTION = re.compile(r"<[@#!][^>]*>")
_LABELLED = re.compile(r"<(https?://[^|>]+|mailto:[^|>]+)\|([^>]+)>")
_BARE = re.compile(r"<(https?://[^|>]+)>")


async def open_form(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    await ack()
    language, actor = await language_of_actor(edge, actor_of(body)), await _whole_actor(edge, body)
    text = written_in(body.get("message") or {})
    if actor.is_external or not text:
        reason = message(f"imports.make.{'external' if actor.is_external else 'no_text'}", language)
        await open_window(edge, body, notice_modal(reason, language))
        return
    prefilled = prefilled_from(text, language=language_of(text) or language)
    await open_window(edge, body, make_knowledge_modal(prefilled, language, may_publish=may_publish(actor)))


async def take_form(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """The window says what became of it."""
    edge = edge_of(context)
    language, actor = await language_of_actor(edge, actor_of(body)), await _whole_actor(edge, body)
    if actor.is_external:
        await ack(response_action="errors", errors={TITLE_FIELD: message("imports.make.external", language)})
        return
    try:
        made = await edge.make_knowledge(actor, draft_in(view, source=message("imports.make.source", language)))
    except (BadRequest, TooManyRequests) as error:
        key = "empty" if isinstance(error, BadRequest) else "too_many"
        await ack(response_action="errors", errors={TITLE_FIELD: message(f"imports.make.{key}", language)})
        return
    await ack(response_action="update", view=made_modal(made.title, language, is_published=made.is_published))


def written_in(shown: dict[str, Any]) -> str:
    """The words of a message as people read them: nobody is named who was only addressed, links keep their address."""
    text = shown.get("text")
    if not isinstance(text, str):
        return ""
    text = _BARE.sub(r"\1", _LABELLED.sub(r"\2 (\1)", text))
    return without_mention(_MENTION.sub("", text), None)


async def _whole_actor(edge: SlackEdge, body: dict[str, Any]) -> Actor:
    who = actor_of(body)
    person = await edge.people.find(who.team_id, who.user_id)
    return Actor(person.team_id, person.user_id, person.standing, is_external=person.is_external)
