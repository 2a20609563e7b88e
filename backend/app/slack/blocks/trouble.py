"""What a person sees when something did not work: the reason, a reference to quote, a button to try again."""

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import SECTION_TEXT, Block, actions, button, clipped, context, foreign, section

RETRY_ACTION = "retry_question"
ANSWER_ANYWAY_ACTION = "answer_this_reply"


def trouble(text: str, language: Language, *, reference: str | None = None, retry: int | None = None) -> list[Block]:
    """``text`` is ours, from a catalog. ``retry`` is the stored event that the button asks again; without it: no button."""
    return [section(clipped(text, SECTION_TEXT)), *trouble_footer(language, reference=reference, retry=retry)]


def trouble_footer(language: Language, *, reference: str | None = None, retry: int | None = None) -> list[Block]:
    """The same without the sentence, for replies that show their text themselves."""
    blocks = []
    if reference:
        blocks.append(context(message("errors.reference", language, reference=foreign(reference, 100))))
    if retry is not None:
        blocks.append(actions(button(message("errors.retry", language), action_id=RETRY_ACTION, value=str(retry))))
    return blocks


def offer_to_answer(language: Language, *, event: int) -> list[Block]:
    """Shown to the author of a reply that did not mention us, in workspaces that want to be asked."""
    return [
        section(message("agent.offer", language)),
        actions(button(message("agent.offer_accept", language), action_id=ANSWER_ANYWAY_ACTION, value=str(event))),
    ]
