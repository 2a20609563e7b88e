"""What the knowledge cycle shows: Slack takes it, whatever people wrote, and nothing from outside pings or links."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.assistant.read_proposals import ProposalOnTheTable
from app.assistant.show_entry import EntryDetails
from app.i18n.language import Language
from app.knowledge.entry import Category, Draft, Entry, Status
from app.knowledge.judgements.repository import Verdicts
from app.knowledge.passage import Passage
from app.knowledge.proposals.draft import EntryDraft, Proposal, ProposalStatus
from app.knowledge.proposals.remarks import Disagreement, Remarks
from app.knowledge.repository import StoredVersion
from app.knowledge.requests.request import KnowledgeRequest
from app.knowledge.snippet import Piece
from app.slack.blocks.knowledge import details_modal, hidden_note, knowledge_results, results_modal, search_modal
from app.slack.blocks.proposals import (
    answered_blocks,
    decided_blocks,
    decision_text,
    entry_modal,
    gaps_blocks,
    proposal_blocks,
    proposals_modal,
    refusal_modal,
    request_blocks,
    stale_blocks,
)
from app.slack.blocks.validate import problems_of, problems_of_view

AT = datetime(2026, 4, 1, 3, tzinfo=UTC)
WORST = ("値引き", "<!channel> <@U1> <https://evil.example|x> & *a* " * 100, "あ" * 5_000, "|>\n\n\t`", "💡" * 3_000)


def entry(text: str, status: Status = Status.PUBLISHED) -> Entry:
    draft = Draft(
        slug="s", title=text, body=text, category=Category.PRICING, language=Language.JAPANESE, updated_on=date(2026, 4, 1),
        source=text, url="https://evil.example/", owner_id="U1",
    )  # fmt: skip
    return Entry(7, draft, status, 3, "U2", AT)


def proposal(text: str, status: ProposalStatus = ProposalStatus.OPEN) -> Proposal:
    draft = EntryDraft(text[:150] or "x", text, Category.PRICING, Language.JAPANESE, source=text, changes=7, base_version=2)
    return Proposal("p" * 36, "T1", draft, status, "U2", AT, decided_by="U1", decided_at=AT, reason=text)


def request(text: str, *, is_open: bool = True) -> KnowledgeRequest:
    return KnowledgeRequest(4, "T1", text, Language.JAPANESE, 3, AT, closed_at=None if is_open else AT)


def details(text: str) -> EntryDetails:
    versions = tuple(StoredVersion(number, entry(text).draft, "U2", AT) for number in range(50, 0, -1))
    return EntryDetails(entry(text), versions, {3: "U1"}, Verdicts(2, 1), may_change=True)


def table(text: str, **more: Any) -> ProposalOnTheTable:
    disagreement = Disagreement(7, text, text[:120], text[:120])
    return ProposalOnTheTable(proposal(text, **more), entry(text), Remarks(((7, text),) * 3, (disagreement,) * 3))


def passage(text: str, number: int) -> Passage:
    return Passage(number, text, text, text, text, "https://evil.example/", text, date(2026, 4, 1), Language.JAPANESE, 1.0)


MESSAGES = {
    "proposal": lambda text, language: proposal_blocks(table(text), language),
    "decided proposal": lambda text, language: proposal_blocks(table(text, status=ProposalStatus.REFUSED), language),
    "decided": lambda text, language: decided_blocks(proposal(text, ProposalStatus.REFUSED), language),
    "request": lambda text, language: request_blocks(request(text), language),
    "answered request": lambda text, language: request_blocks(request(text, is_open=False), language),
    "answered": lambda text, language: answered_blocks(request(text), language),
    "gaps": lambda text, language: gaps_blocks([request(text)] * 30, language),
    "stale": lambda text, language: stale_blocks(entry(text), language),
    "retired": lambda text, language: stale_blocks(entry(text, Status.ARCHIVED), language),
    "hidden": lambda _, language: hidden_note(7, language),
    "results": lambda text, language: knowledge_results(
        text, [passage(text, number) for number in range(9)], language, snippets=[(Piece(text[:300], is_match=True),)] * 5
    ),
    "nothing": lambda text, language: knowledge_results(text, [], language),
}
VIEWS = {
    "list": lambda text, language: proposals_modal([proposal(text)] * 40, [request(text)] * 40, language, note="x"),
    "empty list": lambda _, language: proposals_modal([], [], language),
    "new entry": lambda _, language: entry_modal(None, language, about="{}", publishes=False),
    "entry": lambda text, language: entry_modal(proposal(text).draft, language, about="{}", publishes=True),
    "refusal": lambda text, language: refusal_modal(proposal(text), language, about="p"),
    "details": lambda text, language: details_modal(details(text), language),
    "search": lambda _, language: search_modal(language, channel_id="C1"),
    "results": lambda text, language: results_modal(text, [passage(text, number) for number in range(9)], language),
}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_message_and_nothing_in_it_pings(name: str, text: str, language: Language) -> None:
    blocks = MESSAGES[name](text, language)
    _differ(blocks)
    assert problems_of(blocks) == []
    _is_harmless(blocks)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
@pytest.mark.parametrize("name", VIEWS)
def test_slack_takes_every_window_and_nothing_in_it_pings(name: str, text: str, language: Language) -> None:
    view = VIEWS[name](text, language)
    assert problems_of_view(view) == []
    _is_harmless(view["blocks"])


def test_the_form_says_what_becomes_of_it_and_keeps_what_was_written() -> None:
    shown = entry_modal(proposal("値引き").draft, Language.JAPANESE, about="{}", publishes=False)
    assert shown["submit"]["text"] == "提案する"
    assert [block["element"]["initial_value"] for block in shown["blocks"] if block.get("block_id") in {"title", "body"}] == [
        "値引き", "値引き",
    ]  # fmt: skip


def test_who_is_too_late_reads_who_has_decided() -> None:
    text = decision_text(proposal("値引き", ProposalStatus.APPROVED), "too_late", Language.JAPANESE)
    assert "すでに判断" in text and "<@U1>さんが承認" in text


def test_only_who_may_change_can_go_back_to_a_version_and_never_to_the_one_that_stands() -> None:
    shown = details("値引き")
    buttons = [block["accessory"]["value"] for block in details_modal(shown, Language.JAPANESE)["blocks"] if "accessory" in block]
    assert buttons and "7:3" not in buttons
    reader = EntryDetails(shown.entry, shown.versions, shown.approvals, shown.verdicts, may_change=False)
    assert not any("accessory" in block for block in details_modal(reader, Language.JAPANESE)["blocks"])


def test_the_effect_of_verdicts_is_explained() -> None:
    words = str(details_modal(details("値引き"), Language.JAPANESE))
    assert "役に立った 2人・役に立たなかった 1人" in words and "+5%" in words and "±30%" in words


def _differ(blocks: list[dict[str, Any]]) -> None:
    """Requests of one id stand in for different ones: their buttons differ by position."""
    ids = [block["accessory"]["action_id"] for block in blocks if "accessory" in block]
    assert len(ids) == len(set(ids))


def _is_harmless(value: Any) -> None:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            text = value["text"].replace("<@U1>", "").replace("<@U2>", "")
            assert not any(sign in text for sign in ("<!", "<@", "<#", "<http"))
        for inner in value.values():
            _is_harmless(inner)
    elif isinstance(value, list):
        for inner in value:
            _is_harmless(inner)
