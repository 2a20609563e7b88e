"""The window in which an entry is written: proposed by everybody, published by those who decide."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.decide_proposal import as_edited
from app.core.errors import BadRequest, TooManyRequests
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, may_publish
from app.knowledge.proposals.draft import EntryDraft, draft_of
from app.people.person import Actor
from app.slack.blocks.parts import Block
from app.slack.blocks.plan_forms import notice_modal
from app.slack.blocks.proposals import LONGEST_IN_FORM, decision_text, entry_modal
from app.slack.edge import SlackEdge
from app.slack.listeners.windows import open_window, say_to_clicker, typed, who_clicked


@dataclass(frozen=True)
class _About:
    """What a form is about; ids only, it comes back from outside. ``version``: of the entry that was shown."""

    proposal: str | None = None
    entry: int | None = None
    version: int | None = None
    request: int | None = None


async def open_entry_form(
    edge: SlackEdge, body: dict[str, Any], language: Language, *, draft: EntryDraft | None, publishes: bool,
    proposal_id: str | None = None, seen_version: int | None = None, remarks: list[Block] | None = None,
) -> None:  # fmt: skip
    """``draft``: what stands in the form at first. A text that is too long for Slack's fields is edited elsewhere."""
    if draft is not None and len(draft.body) > LONGEST_IN_FORM:
        await say_to_clicker(edge, body, message("proposals.too_long_to_edit", language), language)
        return
    about = _About(
        proposal=proposal_id,
        entry=draft.changes if draft else None,
        version=seen_version if proposal_id else draft.base_version if draft else None,
        request=draft.request_id if draft else None,
    )
    view = entry_modal(draft, language, about=json.dumps(asdict(about)), publishes=publishes, remarks=remarks or [])
    await open_window(edge, body, view)


async def take_entry(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """Who may decide publishes with it; everybody else proposes, whatever the form they were sent looked like."""
    edge, actor, language = await who_clicked(context, body)
    about = _About(**json.loads(view["private_metadata"]))
    written = _written(view, about, language)
    try:
        text = await _publish(edge, actor, about, written, language) if may_publish(actor) else None
        text = text or await _propose(edge, actor, written, language)
    except BadRequest:
        await ack(response_action="errors", errors={"body": message("errors.bad_request", language)})
    except TooManyRequests:
        await ack(response_action="errors", errors={"body": message("proposals.too_many", language)})
    else:
        await ack(response_action="update", view=notice_modal(text, language))


async def _propose(edge: SlackEdge, actor: Actor, written: EntryDraft, language: Language) -> str:
    if written.changes is not None:
        await edge.show_entry(actor, written.changes)  # NotFound for what they may not see
    await edge.propose_knowledge(actor, written)
    return message("proposals.proposed_thanks", language)


async def _publish(edge: SlackEdge, actor: Actor, about: _About, written: EntryDraft, language: Language) -> str:
    """A proposal of the owner's own is decided by the same hand."""
    if about.proposal is not None:
        waiting = (await edge.read_proposals.one(actor, about.proposal)).proposal
        edited = as_edited(waiting, written, seen_version=about.version)
    else:
        edited = await _kept(edge, actor, written)
        waiting = await edge.propose_knowledge(actor, edited, is_announced=False)
    decision = await edge.decide_proposal.approve(actor, waiting.proposal_id, edited=edited)
    return decision_text(decision.proposal, decision.outcome, language)


async def _kept(edge: SlackEdge, actor: Actor, written: EntryDraft) -> EntryDraft:
    """A change keeps what the form does not show."""
    if written.changes is None:
        return written
    before = draft_of((await edge.show_entry(actor, written.changes)).entry)
    return EntryDraft(
        written.title, written.body, written.category, before.language, before.tags, written.source, before.url, before.scope,
        written.changes, written.base_version, written.request_id,
    )  # fmt: skip


def _written(view: dict[str, Any], about: _About, language: Language) -> EntryDraft:
    title, text = typed(view, "title"), typed(view, "body")
    category = view["state"]["values"]["category"]["chosen"]["selected_option"]["value"]
    return EntryDraft(
        title=title, body=text, category=Category(category), language=language_of(f"{title}\n{text}") or language,
        source=typed(view, "source"), changes=about.entry, base_version=about.version, request_id=about.request,
    )  # fmt: skip
