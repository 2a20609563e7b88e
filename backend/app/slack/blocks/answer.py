"""What stands under an answer: where it comes from, what it is not, and the two feedback buttons."""

import re
from collections.abc import Sequence

from app.assistant.question import Answer
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage
from app.slack.blocks.dates import in_words
from app.slack.blocks.feedback import feedback_buttons
from app.slack.blocks.parts import Block, actions, context, foreign
from app.slack.blocks.request import request_button
from app.slack.blocks.trouble import trouble_footer
from app.slack.blocks.why import why_button
from app.slack.markdown import NO_LINKS, LinkPolicy

MAX_SOURCES = 5
# Five sources with all their parts stay below the 3,000 characters of one text.
MAX_NAME = 200
MAX_URL = 250
_CLEAN_URL = re.compile(r"[!-;=?-{}~]+")


def answer_footer(answer: Answer, *, links: LinkPolicy = NO_LINKS, retry: int | None = None) -> list[Block]:
    """The blocks after the answer's text. Links are made only to addresses the operator allows.

    ``retry``: the stored event that can be asked again where a model should have answered and could not.
    """
    blocks = []
    if answer.sources:
        blocks.append(sources(answer.sources, answer.language, links=links))
    elif answer.found_nothing:
        blocks.append(context(message("agent.found_nothing", answer.language)))
        blocks.append(actions(request_button(answer.language)))
    if answer.is_by_rules:
        blocks += [context(message("agent.offline", answer.language)), *trouble_footer(answer.language, retry=retry)]
    return [*blocks, feedback_buttons(answer.language), why_button(answer.language)]


def sources(passages: Sequence[Passage], language: Language, *, links: LinkPolicy) -> Block:
    lines = [f"[{number}] {_source(passage, language, links)}" for number, passage in enumerate(passages[:MAX_SOURCES], start=1)]
    return context("\n".join([message("agent.sources", language), *lines]))


def _source(passage: Passage, language: Language, links: LinkPolicy) -> str:
    name = f"{passage.title} › {passage.heading}" if passage.heading else passage.title
    return message(
        "agent.source" if passage.source else "agent.source_unnamed", language,
        title=linked(name, passage.url, links), source=foreign(passage.source, 80),
        updated_on=in_words(passage.updated_on, language),
    )  # fmt: skip


def linked(text: str, url: str | None, links: LinkPolicy) -> str:
    """``text`` as a link when the address may be linked to, else as mere text."""
    safe = foreign(text, MAX_NAME)
    if not url or len(url) > MAX_URL or not _CLEAN_URL.fullmatch(url) or not links.allows(url):
        return safe
    return f"<{url.replace('&', '&amp;')}|{safe.replace('|', '¦')}>"
