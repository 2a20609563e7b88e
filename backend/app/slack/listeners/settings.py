"""What a person chooses for themselves on Home: how much at a time, in which manner, reminders, who may learn what."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.core.errors import SlackError
from app.i18n.messages import message
from app.people.person import Dose, Persona, Visibility
from app.slack.blocks.home import AUTOMATIC
from app.slack.blocks.reminder import ON
from app.slack.listeners.context import edge_of
from app.slack.listeners.home import home_changed
from app.slack.listeners.windows import actor_of, language_of_actor
from app.slack.respond import respond

Json = dict[str, Any]


async def choose_dose(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, actor, chosen = edge_of(context), actor_of(body), action["selected_option"]["value"]
    await edge.people.choose_dose(actor.team_id, actor.user_id, None if chosen == AUTOMATIC else Dose(chosen))
    await home_changed(edge, actor, body["trigger_id"])
    await ack()


async def choose_persona(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    await edge.people.choose_persona(actor.team_id, actor.user_id, Persona(action["selected_option"]["value"]))
    await home_changed(edge, actor, body["trigger_id"])
    await ack()


async def choose_visibility(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    await edge.people.choose_visibility(actor.team_id, actor.user_id, Visibility(action["selected_option"]["value"]))
    await home_changed(edge, actor, body["trigger_id"])
    await ack()


async def switch_reminders(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    """On Home, and under each reminder."""
    edge, actor, is_on = edge_of(context), actor_of(body), action["value"] == ON
    await edge.people.switch_reminders(actor.team_id, actor.user_id, is_on=is_on)
    await home_changed(edge, actor, body["trigger_id"])
    await ack()
    if "response_url" in body:
        text = message("reminder.resumed" if is_on else "reminder.all_stopped", await language_of_actor(edge, actor))
        try:
            await respond(edge.client.web, body["response_url"], text=text)
        except SlackError:  # the choice stands, and Home shows it
            return
