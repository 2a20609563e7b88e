"""The form for a question; the answer arrives in the direct message."""

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, clipped, modal, text_input

ASK_ACTION = "open_question_form"
ASK_VIEW = "question_form"
_LONGEST = 3000


def ask_modal(language: Language, *, text: str = "") -> Block:
    question = text_input(
        block_id="question", label=message("home.ask_label", language), placeholder=message("home.ask_placeholder", language),
        hint=message("home.ask_hint", language), max_length=_LONGEST,
    )  # fmt: skip
    if text:
        question["element"]["initial_value"] = clipped(text, _LONGEST)
    return modal(
        callback_id=ASK_VIEW, title=message("home.ask_title", language), submit=message("home.ask_send", language),
        close=message("home.ask_cancel", language), blocks=[question],
    )  # fmt: skip
