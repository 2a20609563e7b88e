"""Slash commands: answered in the acknowledgement; when that takes too long, by a worker through the ``response_url``."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import Envelope
from app.slack.blocks.parts import foreign
from app.slack.commands import COMMANDS
from app.slack.commands.command import Command, CommandAnswer, CommandCall
from app.slack.edge import SlackEdge
from app.slack.language import language_for
from app.slack.listeners.context import CLAIMED, claimed_of, edge_of
from app.slack.respond import respond

# Of Slack's three seconds: the rest is for storing the command when this was not enough.
QUICK_SECONDS = 1.8

Listener = Callable[..., Awaitable[None]]


def listener_for(command: Command) -> Listener:
    async def answer_command(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        if context.get(CLAIMED) is not None:
            await _answer_later(command, body, context)
        else:
            await _answer_now(command, ack, body, edge_of(context))

    return answer_command


async def unknown_command(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    language = edge_of(context).workspaces.current.language or edge_of(context).rules.fallback_language
    await ack(text=message("commands.unknown", language, command=foreign(body.get("command", ""), 50)), response_type="ephemeral")


async def _answer_now(command: Command, ack: AsyncAck, body: dict[str, Any], edge: SlackEdge) -> None:
    try:
        async with asyncio.timeout(QUICK_SECONDS):
            answer = await _answer(command, body, edge)
    except TimeoutError:
        await edge.inbox.store_once(_envelope(body))
        language = edge.workspaces.current.language or edge.rules.fallback_language
        await ack(text=message("commands.working", language), response_type="ephemeral")
        return
    if answer.modal is not None:
        await edge.client.call(
            "views.open", team_id=body["team_id"], json={"trigger_id": body["trigger_id"], "view": answer.modal}
        )
        await ack()
        return
    await ack(text=answer.text, blocks=list(answer.blocks), response_type="ephemeral")


async def _answer_later(command: Command, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed = edge_of(context), claimed_of(context)
    answer = await _answer(command, body, edge)
    await respond(edge.client.web, body["response_url"], text=answer.text, blocks=answer.blocks)
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def _answer(command: Command, body: dict[str, Any], edge: SlackEdge) -> CommandAnswer:
    person = await edge.people.find(body["team_id"], body["user_id"])
    text = str(body.get("text", ""))
    language: Language = person.language or language_for(
        text, workspace=edge.workspaces.current.language, fallback=edge.rules.fallback_language
    )
    if person.is_external:
        return CommandAnswer(message("agent.external", language))
    channel_id = body.get("channel_id", "")
    call = CommandCall(
        team_id=body["team_id"], channel_id=channel_id, text=text, person=person, language=language,
        is_direct=channel_id.startswith("D"), commands=COMMANDS, request=body["trigger_id"],
    )  # fmt: skip
    return await command.answer(call, edge)


def _envelope(body: dict[str, Any]) -> Envelope:
    team_id, user_id, trigger = body["team_id"], body["user_id"], body["trigger_id"]
    return Envelope(
        team_id=team_id, event_id=f"command:{trigger}", kind="command", conversation=f"{team_id}:{user_id}:command:{trigger}",
        channel_id=body.get("channel_id"), message_ts=None, user_id=user_id, body=json.dumps(body, ensure_ascii=False).encode(),
    )  # fmt: skip
