"""The smallest pieces of Block Kit. All else in this package is put together from them: escaping and limits stand here once."""

from typing import Any, TypeAlias

from app.slack.markdown import escape_mrkdwn

Block: TypeAlias = dict[str, Any]

SECTION_TEXT = 3000
HEADER_TEXT = 150
CONTEXT_ELEMENTS = 10
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
PLACEHOLDER_TEXT = 150
VIEW_TITLE = 24


def clipped(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something is missing."""
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def foreign(text: str, limit: int) -> str:
    """One line of text from outside as safe mrkdwn of at most ``limit`` characters: escapes count, and are never cut in two."""
    room = limit
    while len(safe := escape_mrkdwn(text, limit=room)) > limit:
        room -= max(1, (len(safe) - limit) // 8)
    return safe


def plain(text: str, limit: int) -> Block:
    # Slack refuses empty texts.
    return {"type": "plain_text", "text": clipped(text, limit) or "–", "emoji": True}


def mrkdwn(text: str) -> Block:
    """``text`` is finished mrkdwn: what came from outside was escaped before. ``verbatim``: Slack adds no links of its own."""
    return {"type": "mrkdwn", "text": text or "–", "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER_TEXT)}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return {**block, "accessory": accessory} if accessory else block


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:CONTEXT_ELEMENTS]]}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(text: str, *, action_id: str, value: str = "", style: str | None = None) -> Block:
    block: Block = {"type": "button", "text": plain(text, BUTTON_TEXT), "action_id": action_id}
    if value:
        block["value"] = value
    return {**block, "style": style} if style else block


def divider() -> Block:
    return {"type": "divider"}


def modal(*, callback_id: str, title: str, submit: str, close: str, blocks: list[Block], private_metadata: str = "") -> Block:
    return {
        "type": "modal", "callback_id": callback_id, "title": plain(title, VIEW_TITLE), "submit": plain(submit, VIEW_TITLE),
        "close": plain(close, VIEW_TITLE), "blocks": blocks, "private_metadata": private_metadata,
    }  # fmt: skip


def text_input(
    *, block_id: str, label: str, placeholder: str, hint: str = "", max_length: int = 3000, lines: bool = True
) -> Block:
    """One field for text; its value arrives under ``block_id`` and the action id ``text``."""
    field: Block = {
        "type": "plain_text_input", "action_id": "text", "multiline": lines, "max_length": max_length,
        "placeholder": plain(placeholder, PLACEHOLDER_TEXT),
    }  # fmt: skip
    block: Block = {"type": "input", "block_id": block_id, "label": plain(label, SECTION_TEXT), "element": field}
    return {**block, "hint": plain(hint, SECTION_TEXT)} if hint else block
