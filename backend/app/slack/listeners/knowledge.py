"""The company's knowledge in Slack: searching, judging, sharing and asking for it."""

import json
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.core.errors import NotAllowed, NotFound, SlackError
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category
from app.knowledge.filters import SearchFilter
from app.knowledge.judgements.repository import Judgement
from app.knowledge.proposals.draft import draft_of
from app.people.person import Actor
from app.slack.blocks.knowledge import (
    CHANGE,
    DETAILS,
    EVERYTHING,
    HIDE,
    MAX_RESULTS,
    PERIODS,
    SNIPPET,
    details_modal,
    hidden_note,
    results_modal,
    shared_knowledge,
)
from app.slack.blocks.parts import Block, foreign
from app.slack.commands.ai_knowledge import LONGEST_TEXT
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.entry_form import open_entry_form
from app.slack.listeners.windows import (
    ask_in_direct_messages,
    language_of_actor,
    open_window,
    say_to_clicker,
    somebody,
    typed,
    who_clicked,
)
from app.slack.markdown import plain_text_fallback
from app.slack.respond import respond

_NAME = 150


async def search_in_window(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """The results replace the form in the window they were asked in."""
    edge, actor, language = await who_clicked(context, body)
    if actor.is_external:
        await ack(response_action="errors", errors={"query": message("agent.external", language)})
        return
    query = typed(view, "query")
    passages = await edge.knowledge.search(query, actor=actor, limit=MAX_RESULTS, wanted=_wanted(view, edge))
    shown = [replace(passage, text=plain_text_fallback(passage.text, LONGEST_TEXT)) for passage in passages]
    snippets = await edge.knowledge.snippets(query, shown, length=SNIPPET)
    await ack(response_action="update", view=results_modal(query, passages, language, snippets=snippets, links=edge.rules.links))


async def share_knowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Searched again with the channel's eyes: what not everybody there may know is not shown there."""
    edge, clicker, language = await who_clicked(context, body)
    channel_id = body["channel"]["id"]
    actor = replace(clicker, is_private=False, channel_id=channel_id)
    wanted = json.loads(action["value"])
    found = await edge.knowledge.search(wanted["query"], actor=actor, limit=20)
    passage = next((passage for passage in found if passage.entry_id == wanted["entry"]), None)
    await ack()
    if passage is None:
        return await say_to_clicker(edge, body, message("commands.ai_knowledge.share_refused", language), language)
    if reason := await _against_sharing(edge, channel_id):
        return await say_to_clicker(edge, body, message(reason, language), language)
    name = str(body["user"].get("name") or body["user"].get("username") or "")
    blocks = shared_knowledge(passage, language, name=name, links=edge.rules.links)
    await respond(edge.client.web, body["response_url"], text=foreign(passage.title, _NAME), blocks=blocks, in_channel=True)
    return None


async def _against_sharing(edge: SlackEdge, channel_id: str) -> str | None:
    """The sentence's key when people of another company read the channel, or when Slack does not say whether they do."""
    try:
        answer = await edge.client.call("conversations.info", json={"channel": channel_id})
    except SlackError:
        return "commands.ai_knowledge.share_unknown"
    channel = answer["channel"]
    is_heard_elsewhere = channel.get("is_ext_shared") or channel.get("is_pending_ext_shared")
    return "commands.ai_knowledge.share_outside" if is_heard_elsewhere else None


async def judge_knowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Helpful or not, for one search result. The list stays as it is; a line says that the click was heard."""
    edge = edge_of(context)
    actor = await somebody(edge, body)
    verdict = Judgement(action["action_id"].split("_")[1])
    is_heard = await edge.judge_knowledge(json.loads(action["value"])["entry"], actor=actor, verdict=verdict)
    await ack()
    language = await language_of_actor(edge, actor)
    await say_to_clicker(edge, body, message("feedback.noted" if is_heard else "knowledge.gone", language), language)


async def do_more(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The menu beside a result."""
    edge, actor, language = await who_clicked(context, body)
    what, _, entry_id = action["selected_option"]["value"].partition(":")
    await ack()
    try:
        await _do_one(edge, body, actor, language, what=what, entry_id=int(entry_id))
    except NotFound:
        await say_to_clicker(edge, body, message("knowledge.gone", language), language)


async def _do_one(edge: SlackEdge, body: dict[str, Any], actor: Actor, language: Language, *, what: str, entry_id: int) -> None:
    if what == HIDE:
        await edge.judge_knowledge(entry_id, actor=actor, verdict=Judgement.HIDDEN)
        await say_to_clicker(edge, body, message("knowledge.hidden", language), language, blocks=hidden_note(entry_id, language))
        return
    details = await edge.show_entry(actor, entry_id)
    if what == DETAILS:
        await open_window(edge, body, details_modal(details, language, links=edge.rules.links))
    elif what == CHANGE:
        await open_entry_form(edge, body, language, draft=draft_of(details.entry), publishes=details.may_change)


async def show_again(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    actor = await somebody(edge, body)
    await edge.judge_knowledge(int(action["value"]), actor=actor, verdict=None)
    await ack()
    language = await language_of_actor(edge, actor)
    await say_to_clicker(edge, body, message("knowledge.shown_again", language), language)


async def answer_search(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The search becomes a question; its answer is as private as the search was."""
    edge, actor, language = await who_clicked(context, body)
    await ask_in_direct_messages(edge, actor, action["value"], language, request=body["trigger_id"])
    await ack()
    await say_to_clicker(edge, body, message("knowledge.answer_taken", language), language)


async def request_knowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Below an answer it is the question behind it that is asked for; below a search, what was searched for."""
    edge, actor, language = await who_clicked(context, body)
    query, container = action.get("value", ""), body.get("container", {})
    if actor.is_external:
        text = message("agent.external", language)
    elif query:
        await edge.request_knowledge(actor, query, language=language)
        text = message("proposals.request.taken", language)
    else:
        request = await edge.request_knowledge.behind(
            actor, channel_id=container.get("channel_id", ""), message_ts=container.get("message_ts", "")
        )
        text = message("proposals.request.taken" if request else "proposals.request.gone", language)
    await ack()
    await say_to_clicker(edge, body, text, language)


async def roll_back(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Back to an earlier version, in one step; the window shows how the entry stands then."""
    edge, actor, language = await who_clicked(context, body)
    entry_id, _, version = action["value"].partition(":")
    try:
        await edge.show_entry.roll_back(actor, int(entry_id), to_version=int(version))
    except NotAllowed:
        await ack()
        await say_to_clicker(edge, body, message("proposals.not_allowed", language), language)
        return
    await ack()
    details = await edge.show_entry(actor, int(entry_id))
    await _replace_window(edge, body, details_modal(details, language, links=edge.rules.links))


async def _replace_window(edge: SlackEdge, body: dict[str, Any], view: Block) -> None:
    await edge.client.call("views.update", team_id=body["team"]["id"], json={"view_id": body["view"]["id"], "view": view})


def _wanted(view: dict[str, Any], edge: SlackEdge) -> SearchFilter:
    category, language, period = (_chosen(view, name) for name in ("category", "language", "period"))
    return SearchFilter(
        language=Language(language) if language else None,
        categories=(Category(category),) if category else (),
        updated_since=edge.clock.now().date() - PERIODS[period] if period else None,
    )


def _chosen(view: dict[str, Any], block_id: str) -> str | None:
    """What is chosen in a menu; ``None`` for everything."""
    field = view["state"]["values"].get(block_id, {}).get("chosen", {})
    value = (field.get("selected_option") or {}).get("value")
    return None if value in {None, EVERYTHING} else str(value)
