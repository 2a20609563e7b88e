"""What stands under an answer: where it comes from, what it is not, and the two feedback buttons."""

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from app.assistant.question import Answer
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage
from app.slack.blocks.dates import in_words
from app.slack.blocks.feedback import feedback_buttons
from app.slack.blocks.parts import Block, clipped_escaped, context, escaped

MAX_SOURCES = 5
# Five sources with all their parts stay below the 3,000 characters of one text.
MAX_NAME = 200
MAX_URL = 250


def answer_footer(answer: Answer, *, link_hosts: Collection[str] = ()) -> list[Block]:
    """The blocks after the answer's text. Links are made only to hosts the operator has named."""
    blocks = []
    if answer.sources:
        blocks.append(sources(answer.sources, answer.language, link_hosts=link_hosts))
    elif answer.found_nothing:
        blocks.append(context(message("agent.found_nothing", answer.language)))
    if answer.is_by_rules:
        blocks.append(context(message("agent.offline", answer.language)))
    return [*blocks, feedback_buttons(answer.language)]


def sources(passages: Sequence[Passage], language: Language, *, link_hosts: Collection[str]) -> Block:
    lines = [
        f"[{number}] {_source(passage, language, link_hosts)}" for number, passage in enumerate(passages[:MAX_SOURCES], start=1)
    ]
    return context("\n".join([message("agent.sources", language), *lines]))


def _source(passage: Passage, language: Language, link_hosts: Collection[str]) -> str:
    name = f"{passage.title} › {passage.heading}" if passage.heading else passage.title
    return message(
        "agent.source", language,
        title=linked(name, passage.url, link_hosts), source=clipped_escaped(passage.source, 80),
        updated_on=in_words(passage.updated_on, language),
    )  # fmt: skip


def linked(text: str, url: str | None, hosts: Collection[str]) -> str:
    """``text`` as a link when the address may be linked to, else as mere text."""
    safe = clipped_escaped(text, MAX_NAME)
    if not url or len(url) > MAX_URL or not _may_link(url, hosts):
        return safe
    return f"<{escaped(url).replace('|', '%7C')}|{safe.replace('|', '¦')}>"


def _may_link(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    is_clean = not any(character.isspace() or not character.isprintable() for character in url)
    return is_clean and parts.scheme in {"http", "https"} and host is not None and parts.username is None and host in hosts
