"""Buttons, menus and forms. Each is answered while Slack waits; whatever takes longer is stored for a worker."""

import json
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.dialogue.repository import Verdict
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import Envelope
from app.knowledge.judgements.repository import Judgement
from app.people.person import Actor
from app.slack.blocks.ask import ask_modal
from app.slack.blocks.feedback import UNHELPFUL, reason_modal
from app.slack.blocks.help import HelpEntry, help_blocks
from app.slack.blocks.home import AUTOMATIC, help_modal
from app.slack.blocks.knowledge import MAX_RESULTS, results_modal, shared_knowledge
from app.slack.blocks.parts import clipped
from app.slack.commands import COMMANDS
from app.slack.listeners.context import edge_of
from app.slack.listeners.home import home_changed
from app.slack.listeners.windows import actor_of, language_of_actor, open_window, post_to_person, typed
from app.slack.respond import respond

_QUESTION = 2900


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
    text = typed(view, "question")
    asked = message("home.asked", await language_of_actor(edge, actor), text=clipped(text, _QUESTION))
    channel_id, ts = await post_to_person(edge, actor, asked)
    await edge.inbox.store_once(
        _question_in(view["id"], text, actor, channel_id=channel_id, ts=ts, bot_user_id=edge.workspaces.current.bot_user_id)
    )
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


async def search_in_window(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """The results replace the form in the window they were asked in."""
    edge = edge_of(context)
    person = await edge.people.find(actor_of(body).team_id, actor_of(body).user_id)
    language = await language_of_actor(edge, actor_of(body))
    if person.is_external:
        await ack(response_action="errors", errors={"query": message("agent.external", language)})
        return
    query = typed(view, "query")
    actor = Actor(person.team_id, person.user_id, person.standing, is_private=True)
    passages = await edge.knowledge.search(query, actor=actor, limit=MAX_RESULTS, language=language)
    await ack(response_action="update", view=results_modal(query, passages, language, links=edge.rules.links))


async def share_knowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Searched again with the channel's eyes: what not everybody there may know is not shown there."""
    edge = edge_of(context)
    person = await edge.people.find(actor_of(body).team_id, actor_of(body).user_id)
    language = await language_of_actor(edge, actor_of(body))
    wanted = json.loads(action["value"])
    actor = Actor(person.team_id, person.user_id, person.standing, is_private=False, channel_id=body["channel"]["id"])
    found = [] if person.is_external else await edge.knowledge.search(wanted["query"], actor=actor, limit=20, language=language)
    passage = next((passage for passage in found if passage.entry_id == wanted["entry"]), None)
    await ack()
    if passage is None:
        refused = message("commands.ai_knowledge.share_refused", language)
        await respond(edge.client.web, body["response_url"], text=refused)
        return
    name = str(body["user"].get("name") or body["user"].get("username") or "")
    blocks = shared_knowledge(passage, language, name=name, links=edge.rules.links)
    await respond(edge.client.web, body["response_url"], text=passage.title, blocks=blocks, in_channel=True)


async def judge_knowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Helpful or not, for one search result. The list stays as it is; a line below says that the click was heard."""
    edge, actor = edge_of(context), actor_of(body)
    verdict = Judgement(action["action_id"].split("_")[1])
    await edge.judge_knowledge(json.loads(action["value"])["entry"], actor=actor, verdict=verdict)
    await ack()
    if "response_url" in body:
        await respond(edge.client.web, body["response_url"], text=message("feedback.noted", await language_of_actor(edge, actor)))


async def ignore(ack: AsyncAck) -> None:
    """Windows that only show something, and buttons of earlier versions."""
    await ack()


def _question_in(view_id: str, text: str, actor: Actor, *, channel_id: str, ts: str, bot_user_id: str | None) -> Envelope:
    """A message in the DM, as Slack would have told us of it."""
    team_id, event_id = actor.team_id, f"form:{view_id}"
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
