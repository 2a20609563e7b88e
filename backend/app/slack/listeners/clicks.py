"""Buttons, menus and forms. Each is answered while Slack waits; whatever takes longer is stored for a worker."""

import json
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.dialogue.repository import Verdict
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.ask import ask_modal
from app.slack.blocks.feedback import UNHELPFUL, reason_modal
from app.slack.blocks.help import HelpEntry, help_blocks
from app.slack.blocks.home import AUTOMATIC, help_modal
from app.slack.commands import COMMANDS
from app.slack.listeners.context import edge_of
from app.slack.listeners.home import home_changed
from app.slack.listeners.windows import actor_of, ask_in_direct_messages, language_of_actor, open_window, typed
from app.slack.respond import respond


async def take_verdict(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Helpful or not. Who says no is asked why, and need not tell."""
    edge = edge_of(context)
    actor, container = actor_of(body), body["container"]
    await edge.give_feedback(
        actor, channel_id=container["channel_id"], message_ts=container["message_ts"], verdict=Verdict(action["value"])
    )
    await ack()
    if action["value"] == UNHELPFUL:
        about = json.dumps({"channel": container["channel_id"], "ts": container["message_ts"]})
        await open_window(edge, body, reason_modal(await language_of_actor(edge, actor), about=about))


async def take_reason(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    about = json.loads(view["private_metadata"])
    await edge_of(context).give_feedback(
        actor_of(body),
        channel_id=about["channel"],
        message_ts=about["ts"],
        verdict=Verdict.UNHELPFUL,
        reason=typed(view, "reason"),
    )
    await ack()


async def retry_question(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Asks a stored question anew: after a failure, or when an untagged reply is to be answered after all."""
    edge, actor = edge_of(context), actor_of(body)
    stored = await edge.inbox.store_retry(int(action["value"]), team_id=actor.team_id, user_id=actor.user_id)
    await ack()
    text = "errors.retry_taken" if stored else "errors.retry_gone"
    await respond(edge.client.web, body["response_url"], text=message(text, await language_of_actor(edge, actor)))


async def open_question_form(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The form, with a suggested question filled in when the button carries one."""
    edge = edge_of(context)
    await ack()
    await open_window(edge, body, ask_modal(await language_of_actor(edge, actor_of(body)), text=action.get("value", "")))


async def take_question(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """Puts the question into the person's DM and stores it as if it had been written there: the answer follows in its thread."""
    edge, actor = edge_of(context), actor_of(body)
    language = await language_of_actor(edge, actor)
    await ask_in_direct_messages(edge, actor, typed(view, "question"), language, request=view["id"])
    await ack()


async def open_help(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    language = await language_of_actor(edge, actor_of(body))
    entries = [HelpEntry(command.name, message(command.summary_key, language)) for command in COMMANDS]
    await ack()
    await open_window(edge, body, help_modal(help_blocks(entries, edge.rules.about, language), language))


async def choose_language(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    chosen = action["selected_option"]["value"]
    await edge.people.choose_language(actor.team_id, actor.user_id, None if chosen == AUTOMATIC else Language(chosen))
    await home_changed(edge, actor, body["trigger_id"])
    await ack()


async def ignore(ack: AsyncAck) -> None:
    """Windows that only show something, and buttons of earlier versions."""
    await ack()
