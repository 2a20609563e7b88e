"""What a search in the company's knowledge shows."""

import json
import re
from collections.abc import Sequence

from app.i18n.language import Language
from app.i18n.messages import catalog, message
from app.knowledge.passage import Passage
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
    section,
    text_input,
)
from app.slack.markdown import NO_LINKS, LinkPolicy, plain_text_fallback

SHARE_ACTION = re.compile(r"knowledge_share_\d+")
VERDICT_ACTION = re.compile(r"knowledge_(?:helpful|unhelpful)_\d+")
SEARCH_VIEW = "knowledge_search"
MAX_RESULTS = 5
_SNIPPET = 300
_TITLE = 200
_QUERY = 200


def knowledge_results(
    query: str, passages: Sequence[Passage], language: Language, *, links: LinkPolicy = NO_LINKS, can_share: bool = True
) -> list[Block]:
    """The passages found, each with where it comes from and what can be done with it."""
    shown = passages[:MAX_RESULTS]
    name = foreign(query, _QUERY)
    if not shown:
        return [section(message("commands.ai_knowledge.none", language, query=name))]
    blocks = [section(message("commands.ai_knowledge.found", language, query=name, count=len(shown)))]
    for position, passage in enumerate(shown):
        blocks += [divider(), *_result(passage, language, links), _buttons(query, passage, position, language, can_share)]
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
            )
        ],
    )  # fmt: skip


def results_modal(query: str, passages: Sequence[Passage], language: Language, *, links: LinkPolicy = NO_LINKS) -> Block:
    """The results in the window that the search was typed into. There is no channel to share them in."""
    view = search_modal(language)
    view["blocks"] += knowledge_results(query, passages, language, links=links, can_share=False)
    return view


def _result(passage: Passage, language: Language, links: LinkPolicy) -> list[Block]:
    title = linked(f"{passage.title} › {passage.heading}" if passage.heading else passage.title, passage.url, links)
    snippet = foreign(plain_text_fallback(passage.text, _SNIPPET), _SNIPPET)
    origin = message(
        "commands.ai_knowledge.origin" if passage.source else "commands.ai_knowledge.origin_unnamed",
        language,
        source=foreign(passage.source, _TITLE),
        category=_category(passage.category, language), updated_on=in_words(passage.updated_on, language),
    )  # fmt: skip
    return [section(f"*{title}*\n{snippet}"), context(origin)]


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
    return actions(*([share] if can_share else []), *verdicts)
