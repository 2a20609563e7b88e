"""Was this answer of use? Two buttons, and a question for the reason when it was not."""

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import BUTTON_TEXT, Block, modal, plain, text_input

FEEDBACK_ACTION = "answer_feedback"
REASON_VIEW = "feedback_reason"
HELPFUL = "helpful"
UNHELPFUL = "unhelpful"


def feedback_buttons(language: Language) -> Block:
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": FEEDBACK_ACTION,
                "positive_button": _choice(HELPFUL, language),
                "negative_button": _choice(UNHELPFUL, language),
            }
        ],
    }


def reason_modal(language: Language, *, about: str) -> Block:
    """``about`` comes back with the answer; it names a message and holds no text."""
    return modal(
        callback_id=REASON_VIEW, private_metadata=about, title=message("feedback.reason_title", language),
        submit=message("feedback.send", language), close=message("feedback.cancel", language),
        blocks=[
            text_input(
                block_id="reason", label=message("feedback.reason_label", language), max_length=1000,
                placeholder=message("feedback.reason_placeholder", language), hint=message("feedback.reason_hint", language),
            )
        ],
    )  # fmt: skip


def _choice(verdict: str, language: Language) -> Block:
    return {
        "text": plain(message(f"feedback.{verdict}", language), BUTTON_TEXT),
        "value": verdict,
        "accessibility_label": message(f"feedback.{verdict}_label", language),
    }
