"""What people propose for the company's knowledge and ask of it, as those see it who decide, and as those do who wait."""

import re
from collections.abc import Sequence

from app.assistant.read_proposals import ProposalOnTheTable
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, Entry, Status
from app.knowledge.proposals.draft import LONGEST_SOURCE, LONGEST_TITLE, EntryDraft, Proposal, ProposalStatus
from app.knowledge.proposals.remarks import Remarks
from app.knowledge.requests.request import KnowledgeRequest
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import Block, actions, button, clipped, context, divider, foreign, modal, plain, section, text_input

PROPOSALS_OPEN_ACTION = "proposals_open"
PROPOSE_ACTION = "knowledge_propose"
APPROVE_ACTION = re.compile(r"proposal_approve_\d+")
EDIT_ACTION = re.compile(r"proposal_edit_\d+")
REFUSE_ACTION = re.compile(r"proposal_refuse_\d+")
WRITE_ACTION = re.compile(r"request_write_\d+")
STILL_RIGHT_ACTION = "entry_still_right"
EDIT_ENTRY_ACTION = "entry_edit"
RETIRE_ACTION = "entry_retire"
PROPOSALS_VIEW = "proposals_list"
ENTRY_VIEW = "entry_form"
REFUSAL_VIEW = "proposal_refusal"
LONGEST_IN_FORM = 3_000  # characters of a text field; Slack takes no more
MOST_LISTED = 10
_TITLE = 150
_EXCERPT = 1_200
_SHORT_EXCERPT = 300
_QUESTION = 500
_QUOTE = 160


def proposal_blocks(table: ProposalOnTheTable, language: Language) -> list[Block]:
    """One proposal, for somebody who decides about it. Once it is decided there is nothing left to press."""
    proposal = table.proposal
    blocks = [*_proposed(proposal, language, excerpt=_EXCERPT), *_remarks(table.remarks, language)]
    if table.standing and table.standing.version != proposal.draft.base_version:
        blocks.append(context(message("proposals.outdated", language)))
    if proposal.status is ProposalStatus.OPEN:
        return [*blocks, _decisions(proposal, 0, language)]
    return [*blocks, context(_decided(proposal, language))]


def decided_blocks(proposal: Proposal, language: Language) -> list[Block]:
    """For the proposer: what became of it."""
    key = "proposals.told.approved" if proposal.status is ProposalStatus.APPROVED else "proposals.told.refused"
    blocks = [section(message(key, language, title=foreign(proposal.draft.title, _TITLE), name=_person(proposal.decided_by)))]
    if proposal.reason:
        blocks.append(section(message("proposals.told.reason", language, reason=foreign(proposal.reason, _QUESTION))))
    return blocks


def proposals_modal(
    proposals: Sequence[Proposal], requests: Sequence[KnowledgeRequest], language: Language, *, note: str = ""
) -> Block:
    """The list behind Home's button: what waits for a decision, and what is asked for. ``note`` is finished text."""
    blocks = [section(note), divider()] if note else []
    blocks.append(section(f"*{message('proposals.list.waiting', language, count=len(proposals))}*"))
    for position, proposal in enumerate(proposals[:MOST_LISTED]):
        blocks += [*_proposed(proposal, language, excerpt=_SHORT_EXCERPT), _decisions(proposal, position, language), divider()]
    blocks.append(section(f"*{message('proposals.list.requests', language, count=len(requests))}*"))
    blocks += [_request(request, position, language) for position, request in enumerate(requests[:MOST_LISTED])]
    return {
        "type": "modal", "callback_id": PROPOSALS_VIEW, "title": plain(message("proposals.list.title", language), 24),
        "close": plain(message("proposals.close", language), 24), "blocks": blocks,
    }  # fmt: skip


def request_blocks(request: KnowledgeRequest, language: Language) -> list[Block]:
    """For those who decide: somebody asks for knowledge. The person's name is not in it."""
    intro = section(message("proposals.request.asked", language))
    return [intro, _request(request, 0, language)]


def answered_blocks(request: KnowledgeRequest, language: Language) -> list[Block]:
    """For those who asked."""
    return [section(message("proposals.request.answered", language, question=foreign(request.question, _QUESTION)))]


def gaps_blocks(requests: Sequence[KnowledgeRequest], language: Language) -> list[Block]:
    """The week's questions without a good answer."""
    lines = [_request(request, position, language) for position, request in enumerate(requests[:MOST_LISTED])]
    return [section(message("proposals.gaps.intro", language)), *lines, context(message("proposals.gaps.private", language))]


def stale_blocks(entry: Entry, language: Language) -> list[Block]:
    """Is it still right?"""
    text = message(
        "proposals.stale.ask", language, title=foreign(entry.draft.title, _TITLE),
        updated_on=in_words(entry.draft.updated_on, language),
    )  # fmt: skip
    if entry.status is Status.ARCHIVED:
        return [section(message("proposals.stale.retired", language, title=foreign(entry.draft.title, _TITLE)))]
    value = str(entry.entry_id)
    return [
        section(text),
        {"type": "section", "text": plain(entry.draft.body, _SHORT_EXCERPT)},
        actions(
            button(message("proposals.stale.right", language), action_id=STILL_RIGHT_ACTION, value=value, style="primary"),
            button(message("proposals.stale.edit", language), action_id=EDIT_ENTRY_ACTION, value=value),
            button(message("proposals.stale.retire", language), action_id=RETIRE_ACTION, value=value, style="danger"),
        ),
    ]


def entry_modal(
    draft: EntryDraft | None, language: Language, *, about: str, publishes: bool, remarks: Sequence[Block] = ()
) -> Block:
    """The form of an entry. ``about`` comes back with it; ``publishes``: whoever sends it decides, else it is proposed."""
    kind = "publish" if publishes else "propose"
    category = draft.category if draft else None
    source = _field("source", draft.source if draft else "", language, limit=LONGEST_SOURCE, lines=False)
    source["optional"] = True
    return modal(
        callback_id=ENTRY_VIEW, private_metadata=about, title=message(f"proposals.form.{kind}_title", language),
        submit=message(f"proposals.form.{kind}", language), close=message("feedback.cancel", language),
        blocks=[
            *remarks,
            _field("title", draft.title if draft else "", language, limit=LONGEST_TITLE, lines=False),
            _field("body", draft.body if draft else "", language, limit=LONGEST_IN_FORM, lines=True),
            _category_field(category, language),
            source,
            context(message(f"proposals.form.{kind}_hint", language)),
        ],
    )  # fmt: skip


def refusal_modal(proposal: Proposal, language: Language, *, about: str) -> Block:
    reason = text_input(
        block_id="reason", label=message("proposals.refusal.label", language), max_length=_QUESTION,
        placeholder=message("proposals.refusal.placeholder", language), hint=message("proposals.refusal.hint", language),
    )  # fmt: skip
    reason["optional"] = True
    return modal(
        callback_id=REFUSAL_VIEW, private_metadata=about, title=message("proposals.refusal.title", language),
        submit=message("proposals.refuse", language), close=message("feedback.cancel", language),
        blocks=[section(message("proposals.refusal.about", language, title=foreign(proposal.draft.title, _TITLE))), reason],
    )  # fmt: skip


def remarks_blocks(remarks: Remarks, language: Language) -> list[Block]:
    return _remarks(remarks, language)


def decision_text(proposal: Proposal, outcome: str, language: Language) -> str:
    """What the one who clicked reads."""
    title = foreign(proposal.draft.title, _TITLE)
    if outcome == "too_late":
        return f"{message('proposals.too_late', language, title=title)} {_decided(proposal, language)}"
    if outcome == "outdated":
        return message("proposals.outdated_click", language, title=title)
    return message(f"proposals.done.{proposal.status}", language, title=title)


def _proposed(proposal: Proposal, language: Language, *, excerpt: int) -> list[Block]:
    draft = proposal.draft
    key = "proposals.changes" if draft.changes else "proposals.new"
    intro = message(
        key, language, name=_person(proposal.proposed_by), category=message(f"knowledge.category.{draft.category}", language),
        proposed_on=in_words(proposal.proposed_at.date(), language),
    )  # fmt: skip
    # Plain text: nothing that somebody proposes is a link or a mention before it has been read.
    text: Block = {"type": "section", "text": plain(clipped(draft.body, excerpt), excerpt)}
    source = [context(message("proposals.source", language, source=foreign(draft.source, 200)))] if draft.source else []
    return [section(f"*{foreign(draft.title, _TITLE)}*"), context(intro), text, *source]


def _remarks(remarks: Remarks, language: Language) -> list[Block]:
    lines = [message("proposals.near_duplicate", language, title=foreign(title, _TITLE)) for _, title in remarks.near_duplicates]
    lines += [
        message(
            "proposals.disagrees", language, title=foreign(found.title, _TITLE), proposed=foreign(found.proposed, _QUOTE),
            standing=foreign(found.standing, _QUOTE),
        )
        for found in remarks.disagreements
    ]  # fmt: skip
    return [section(f":warning: {line}") for line in lines]


def _decisions(proposal: Proposal, position: int, language: Language) -> Block:
    value = proposal.proposal_id
    return actions(
        button(message("proposals.approve", language), action_id=f"proposal_approve_{position}", value=value, style="primary"),
        button(message("proposals.edit", language), action_id=f"proposal_edit_{position}", value=value),
        button(message("proposals.refuse", language), action_id=f"proposal_refuse_{position}", value=value, style="danger"),
    )


def _decided(proposal: Proposal, language: Language) -> str:
    return message(f"proposals.decided.{proposal.status}", language, name=_person(proposal.decided_by))


def _request(request: KnowledgeRequest, position: int, language: Language) -> Block:
    text = message("proposals.request.line", language, question=foreign(request.question, _QUESTION), times=request.times_asked)
    if not request.is_open:
        return section(f"{text} {message('proposals.request.done', language)}")
    write = button(
        message("proposals.request.write", language), action_id=f"request_write_{position}", value=str(request.request_id)
    )
    return section(text, accessory=write)


def _field(name: str, value: str, language: Language, *, limit: int, lines: bool) -> Block:
    field = text_input(
        block_id=name, label=message(f"proposals.form.{name}", language), max_length=limit, lines=lines,
        placeholder=message(f"proposals.form.{name}_placeholder", language),
    )  # fmt: skip
    if value:
        field["element"]["initial_value"] = value[:limit]
    return field


def _category_field(chosen: Category | None, language: Language) -> Block:
    options = {
        name: {"text": plain(message(f"knowledge.category.{name}", language), 75), "value": name.value} for name in Category
    }
    element: Block = {"type": "static_select", "action_id": "chosen", "options": list(options.values())}
    element["initial_option"] = options[chosen or Category.COMPANY]
    return {"type": "input", "block_id": "category", "label": plain(message("proposals.form.category", language), 100),
            "element": element}  # fmt: skip


def _person(user_id: str | None) -> str:
    return f"<@{user_id}>" if user_id and user_id.isalnum() else "–"
