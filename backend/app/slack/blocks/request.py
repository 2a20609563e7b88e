"""Asking for knowledge that is not there."""

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, button

REQUEST_ACTION = "knowledge_request"


def request_button(language: Language, *, query: str = "") -> Block:
    """``query``: what was searched for; without one, the question is the one that the message answers."""
    return button(message("proposals.request.button", language), action_id=REQUEST_ACTION, value=query)
