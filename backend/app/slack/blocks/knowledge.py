"""What a search in the company's knowledge shows, and what an entry's window tells about it."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta

from app.assistant.show_entry import EntryDetails
from app.i18n.language import Language
from app.i18n.messages import catalog, message
from app.knowledge.entry import Category
from app.knowledge.passage import Passage
from app.knowledge.snippet import Piece
from app.slack.blocks.answer import linked
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import (
    Block,
    actions,
    button,
    clipped,
    context,
    divider,
    foreign,
    modal,
    plain,
    section,
    text_input,
)
from app.slack.blocks.request import request_button
from app.slack.markdown import NO_LINKS, LinkPolicy, plain_text_fallback

SHARE_ACTION = re.compile(r"knowledge_share_\d+")
VERDICT_ACTION = re.compile(r"knowledge_(?:helpful|unhelpful)_\d+")
MORE_ACTION = re.compile(r"knowledge_more_\d+")
ANSWER_ACTION = "knowledge_answer"
SHOW_AGAIN_ACTION = "knowledge_show_again"
ROLL_BACK_ACTION = re.compile(r"knowledge_roll_back_\d+")
SEARCH_VIEW = "knowledge_search"
DETAILS_VIEW = "knowledge_details"
DETAILS, CHANGE, HIDE = "details", "change", "hide"
EVERYTHING = "all"
PERIODS = {"month": timedelta(days=31), "quarter": timedelta(days=92), "year": timedelta(days=366)}
MAX_RESULTS = 5
SNIPPET = 300
_TITLE = 200
_QUERY = 200
_BODY = 2_500
_VERSIONS_SHOWN = 8
_NEARLY_AS_GOOD = 0.6  # of the best result's score


def knowledge_results(
    query: str,
    passages: Sequence[Passage],
    language: Language,
    *,
    snippets: Sequence[Sequence[Piece]] = (),
    links: LinkPolicy = NO_LINKS,
    can_share: bool = True,
) -> list[Block]:
    """The passages found, each with where it comes from and what can be done with it."""
    shown = passages[:MAX_RESULTS]
    name = foreign(query, _QUERY)
    if not shown:
        none = section(message("commands.ai_knowledge.none", language, query=name))
        return [none, actions(_answer_button(query, language), request_button(language, query=clipped(query, _QUERY)))]
    blocks = [
        section(message("commands.ai_knowledge.found", language, query=name, count=len(shown))),
        actions(_answer_button(query, language)),
    ]
    for position, passage in enumerate(shown):
        pieces = snippets[position] if position < len(snippets) else ()
        blocks += [
            divider(),
            *_result(passage, language, links, pieces=pieces, relevance=_relevance(passage, shown[0].score, language)),
            _buttons(query, passage, position, language, can_share),
        ]
    return [*blocks, context(message("commands.ai_knowledge.private", language))]


def shared_knowledge(passage: Passage, language: Language, *, name: str, links: LinkPolicy = NO_LINKS) -> list[Block]:
    """One passage, for everybody in the channel."""
    note = message("commands.ai_knowledge.shared", language, name=foreign(name, 80))
    return [*_result(passage, language, links), context(note)]


def search_modal(language: Language, *, channel_id: str = "") -> Block:
    return modal(
        callback_id=SEARCH_VIEW, private_metadata=channel_id, title=message("commands.ai_knowledge.modal_title", language),
        submit=message("commands.ai_knowledge.modal_search", language),
        close=message("commands.ai_knowledge.modal_close", language),
        blocks=[
            text_input(
                block_id="query", label=message("commands.ai_knowledge.modal_label", language), lines=False, max_length=_QUERY,
                placeholder=message("commands.ai_knowledge.modal_placeholder", language),
            ),
            _filter("category", language, {name.value: _category(name, language) for name in Category}),
            _filter("language", language, {name.value: message(f"home.language_{name}", language) for name in Language},
                    chosen=language.value),
            _filter("period", language, {name: message(f"knowledge.filter.period_{name}", language) for name in PERIODS}),
        ],
    )  # fmt: skip


def results_modal(
    query: str, passages: Sequence[Passage], language: Language, *, snippets: Sequence[Sequence[Piece]] = (),
    links: LinkPolicy = NO_LINKS,
) -> Block:  # fmt: skip
    """The results in the window that the search was typed into. There is no channel to share them in."""
    view = search_modal(language)
    view["blocks"] += knowledge_results(query, passages, language, snippets=snippets, links=links, can_share=False)
    return view


def hidden_note(entry_id: int, language: Language) -> list[Block]:
    """Said after "hide for me", with the way back."""
    again = button(message("knowledge.show_again", language), action_id=SHOW_AGAIN_ACTION, value=str(entry_id))
    return [section(message("knowledge.hidden", language)), actions(again)]


def details_modal(details: EntryDetails, language: Language, *, links: LinkPolicy = NO_LINKS) -> Block:
    """Everything about an entry that a reader may want to know before relying on it."""
    entry, draft = details.entry, details.entry.draft
    blocks = [
        section(f"*{linked(draft.title, draft.url, links)}*"),
        {"type": "section", "text": plain(draft.body, _BODY)},
        context(message(
            "knowledge.details.facts", language, source=foreign(draft.source, _TITLE) or "–",
            category=_category(draft.category, language), updated_on=in_words(draft.updated_on, language),
            trust=message(f"knowledge.trust.{draft.trust.name.lower()}", language), owner=_person(draft.owner_id, language),
        )),
        context(_verdicts(details, language)),
        divider(),
        section(f"*{message('knowledge.details.versions', language)}*"),
    ]  # fmt: skip
    for position, former in enumerate(details.versions[:_VERSIONS_SHOWN]):
        line = message(
            "knowledge.details.version", language, number=former.version, written_on=in_words(former.written_at.date(), language),
            author=_person(former.author_id, language), title=foreign(former.draft.title, _TITLE),
        )  # fmt: skip
        if approver := details.approvals.get(former.version):
            line += message("knowledge.details.approved_by", language, name=_person(approver, language))
        can_go_back = details.may_change and former.version != entry.version
        blocks.append(section(line, accessory=_roll_back(details, position, language) if can_go_back else None))
    return {
        "type": "modal", "callback_id": DETAILS_VIEW, "title": plain(message("knowledge.details.title", language), 24),
        "close": plain(message("commands.ai_knowledge.modal_close", language), 24), "blocks": blocks,
    }  # fmt: skip


def _roll_back(details: EntryDetails, position: int, language: Language) -> Block:
    number = details.versions[position].version
    press = button(
        message("knowledge.details.roll_back", language), action_id=f"knowledge_roll_back_{position}",
        value=f"{details.entry.entry_id}:{number}",
    )  # fmt: skip
    press["confirm"] = {
        "title": plain(message("knowledge.details.roll_back", language), 100),
        "text": plain(message("knowledge.details.roll_back_confirm", language, number=number), 300),
        "confirm": plain(message("knowledge.details.roll_back", language), 30),
        "deny": plain(message("feedback.cancel", language), 30),
    }
    return press


def _verdicts(details: EntryDetails, language: Language) -> str:
    verdicts = details.verdicts
    percent = round(100 * verdicts.boost)
    return message(
        "knowledge.details.verdicts", language, helpful=verdicts.helpful, unhelpful=verdicts.unhelpful,
        effect=f"{percent:+d}%" if percent else "±0%",
    )  # fmt: skip


def _person(user_id: str | None, language: Language) -> str:
    """As a mention: in a window it shows the name and tells nobody."""
    return f"<@{user_id}>" if user_id and user_id.isalnum() else message("knowledge.details.nobody", language)


def _result(
    passage: Passage, language: Language, links: LinkPolicy, *, pieces: Sequence[Piece] = (), relevance: str = ""
) -> list[Block]:
    title = linked(f"{passage.title} › {passage.heading}" if passage.heading else passage.title, passage.url, links)
    pieces = pieces or [Piece(plain_text_fallback(passage.text, SNIPPET))]
    origin = message(
        "commands.ai_knowledge.origin" if passage.source else "commands.ai_knowledge.origin_unnamed",
        language,
        source=foreign(passage.source, _TITLE),
        category=_category(passage.category, language), updated_on=in_words(passage.updated_on, language),
    )  # fmt: skip
    return [section(f"*{title}*"), _snippet(pieces), context(f"{origin}{relevance}")]


def _snippet(pieces: Sequence[Piece]) -> Block:
    """Text in pieces, where bold needs no spaces around it and nothing is ever a link or a mention."""
    elements = [
        {"type": "text", "text": piece.text, **({"style": {"bold": True}} if piece.is_match else {})}
        for piece in pieces
        if piece.text
    ]
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": elements or [{"type": "text", "text": "–"}]}],
    }


def _relevance(passage: Passage, best: float, language: Language) -> str:
    near = best > 0 and passage.score >= _NEARLY_AS_GOOD * best
    level = "low" if not passage.is_strong else "high" if near else "middle"
    return message(f"knowledge.relevance.{level}", language)


def _category(name: str, language: Language) -> str:
    """The shelf as people call it; a name from elsewhere is shown as it is."""
    key = f"knowledge.category.{name}"
    return catalog(language)[key] if key in catalog(language) else foreign(name, 100)


def _buttons(query: str, passage: Passage, position: int, language: Language, can_share: bool) -> Block:  # noqa: FBT001
    value = json.dumps({"entry": passage.entry_id, "query": clipped(query, _QUERY)}, ensure_ascii=False)
    verdicts = [
        button(message(f"feedback.{verdict}", language), action_id=f"knowledge_{verdict}_{position}", value=value)
        for verdict in ("helpful", "unhelpful")
    ]
    share = button(message("commands.ai_knowledge.share", language), action_id=f"knowledge_share_{position}", value=value)
    more: Block = {
        "type": "overflow", "action_id": f"knowledge_more_{position}",
        "options": [_option(f"{what}:{passage.entry_id}", message(f"knowledge.more.{what}", language))
                    for what in (DETAILS, CHANGE, HIDE)],
    }  # fmt: skip
    return actions(*([share] if can_share else []), *verdicts, more)


def _answer_button(query: str, language: Language) -> Block:
    return button(message("knowledge.answer", language), action_id=ANSWER_ACTION, value=clipped(query, _QUERY), style="primary")


def _filter(name: str, language: Language, choices: dict[str, str], *, chosen: str = EVERYTHING) -> Block:
    options = {
        value: _option(value, text) for value, text in {EVERYTHING: message("knowledge.filter.all", language), **choices}.items()
    }
    return {
        "type": "input", "block_id": name, "optional": True, "label": plain(message(f"knowledge.filter.{name}", language), 100),
        "element": {"type": "static_select", "action_id": "chosen", "options": list(options.values()),
                    "initial_option": options[chosen]},
    }  # fmt: skip


def _option(value: str, text: str) -> Block:
    return {"text": plain(text, 75), "value": value}
