"""Those who look after the knowledge decide: about proposals, about what is asked for, about what has grown old."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.decide_proposal import Decision
from app.assistant.read_proposals import ProposalOnTheTable
from app.core.errors import AppError, NotAllowed, NotFound
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, may_publish
from app.knowledge.proposals.draft import EntryDraft, draft_of
from app.people.person import Actor
from app.slack.blocks.parts import Block, foreign
from app.slack.blocks.plan_forms import notice_modal
from app.slack.blocks.proposals import (
    PROPOSALS_VIEW,
    decision_text,
    proposals_modal,
    refusal_modal,
    remarks_blocks,
)
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.entry_form import open_entry_form
from app.slack.listeners.windows import actor_of, language_of_actor, open_window, say_to_clicker, somebody, typed, who_clicked
from app.slack.respond import respond

_TITLE = 150


async def open_proposals(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    """Home's button: the list for those who decide, the form for everybody else."""
    edge, actor, language = await who_clicked(context, body)
    await ack()
    if actor.is_external:
        await say_to_clicker(edge, body, message("agent.external", language), language)
    elif may_publish(actor):
        await open_window(edge, body, await _list(edge, actor, language))
    else:
        await open_entry_form(edge, body, language, draft=None, publishes=False)


async def open_empty_form(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    await ack()
    await open_entry_form(edge, body, language, draft=None, publishes=may_publish(actor))


async def approve(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    try:
        text = _said(await edge.decide_proposal.approve(actor, action["value"]), language)
    except (NotAllowed, NotFound) as error:
        text = _why_not(error, language)
    await ack()
    await _say(edge, body, actor, text, language)


async def open_edit(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The proposed text in the form, with what is to be said about it above."""
    edge = edge_of(context)
    language = await language_of_actor(edge, actor_of(body))
    await ack()
    if (table := await _clicked(edge, body, action, language)) is None:
        return
    await open_entry_form(
        edge, body, language, draft=table.proposal.draft, publishes=True, proposal_id=table.proposal.proposal_id,
        seen_version=table.standing.version if table.standing else None, remarks=remarks_blocks(table.remarks, language),
    )  # fmt: skip


async def open_refusal(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    language = await language_of_actor(edge, actor_of(body))
    await ack()
    if (table := await _clicked(edge, body, action, language)) is not None:
        await open_window(edge, body, refusal_modal(table.proposal, language, about=table.proposal.proposal_id))


async def refuse(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    try:
        text = _said(await edge.decide_proposal.refuse(actor, view["private_metadata"], reason=typed(view, "reason")), language)
    except (NotAllowed, NotFound) as error:
        text = _why_not(error, language)
    await ack(response_action="update", view=notice_modal(text, language))


async def write_answer(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """A question becomes the beginning of an entry."""
    edge, actor, language = await who_clicked(context, body)
    await ack()
    try:
        request = await edge.request_knowledge.request(actor, int(action["value"]))
    except NotAllowed as error:
        await say_to_clicker(edge, body, _why_not(error, language), language)
        return
    if request is None:
        await say_to_clicker(edge, body, message("proposals.gone", language), language)
        return
    draft = EntryDraft(
        title=request.question[:_TITLE], body="", category=Category.COMPANY, language=request.language,
        request_id=request.request_id,
    )  # fmt: skip
    await open_entry_form(edge, body, language, draft=draft, publishes=True)


async def confirm_entry(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    await _after_review(ack, edge, body, actor, language, key="proposals.stale.confirmed", entry_id=int(action["value"]))


async def retire_entry(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    await _after_review(ack, edge, body, actor, language, key="proposals.stale.retired", entry_id=int(action["value"]))


async def edit_entry(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor, language = await who_clicked(context, body)
    await ack()
    try:
        details = await edge.show_entry(actor, int(action["value"]))
    except NotFound:
        await say_to_clicker(edge, body, message("knowledge.gone", language), language)
        return
    await open_entry_form(edge, body, language, draft=draft_of(details.entry), publishes=details.may_change)


async def _clicked(
    edge: SlackEdge, body: dict[str, Any], action: dict[str, Any], language: Language
) -> ProposalOnTheTable | None:
    """The proposal whose button was pressed; who may not see it, or comes too late, is told so."""
    try:
        return await edge.read_proposals.one(await somebody(edge, body), action["value"])
    except (NotAllowed, NotFound) as error:
        await say_to_clicker(edge, body, _why_not(error, language), language)
        return None


async def _after_review(
    ack: AsyncAck, edge: SlackEdge, body: dict[str, Any], actor: Actor, language: Language, *, key: str, entry_id: int
) -> None:
    """The question is replaced by what was answered."""
    review = edge.review_stale.confirm if key.endswith("confirmed") else edge.review_stale.retire
    try:
        entry = await review(actor, entry_id)
    except (NotAllowed, NotFound) as error:
        await ack()
        await say_to_clicker(edge, body, _why_not(error, language), language)
        return
    await ack()
    text = message(key, language, title=foreign(entry.draft.title, _TITLE))
    await respond(edge.client.web, body["response_url"], text=text, replace_original=True)


async def _say(edge: SlackEdge, body: dict[str, Any], actor: Actor, text: str, language: Language) -> None:
    """In the list's window the list is shown anew, with the sentence above it."""
    view = body.get("view", {})
    if view.get("callback_id") != PROPOSALS_VIEW or not may_publish(actor):
        await say_to_clicker(edge, body, text, language)
        return
    shown = await _list(edge, actor, language, note=text)
    await edge.client.call("views.update", team_id=actor.team_id, json={"view_id": view["id"], "view": shown})


async def _list(edge: SlackEdge, actor: Actor, language: Language, *, note: str = "") -> Block:
    waiting, asked = await edge.read_proposals.waiting(actor), await edge.request_knowledge.open_ones(actor)
    return proposals_modal(waiting, asked, language, note=note)


def _said(decision: Decision, language: Language) -> str:
    return decision_text(decision.proposal, decision.outcome, language)


def _why_not(error: AppError, language: Language) -> str:
    return message("proposals.not_allowed" if isinstance(error, NotAllowed) else "proposals.gone", language)
