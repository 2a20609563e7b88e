"""What stands under the turns of a guided talk, and under answers that could have been one."""

import re
from datetime import date

from app.assistant.guide_talk import Course, Guided, Wish
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.answer import sources
from app.slack.blocks.feedback import feedback_buttons
from app.slack.blocks.parts import Block, actions, button, context, section
from app.slack.blocks.plan import plan_item_blocks
from app.slack.blocks.why import why_button
from app.slack.markdown import NO_LINKS, LinkPolicy

_ACTION = "talk_wish_{wish}"
WISH_ACTION = re.compile(_ACTION.format(wish="(answer|talk|plan)"))


def talk_footer(
    guided: Guided, *, event: int, today: date, links: LinkPolicy = NO_LINKS, needs_mention: bool = False
) -> list[Block]:
    """``event`` is the stored event that the buttons continue from; ``needs_mention``: who replies here must name us."""
    language = guided.language
    blocks = plan_item_blocks(guided.items, language, today, has_details=guided.is_plan)
    if guided.is_open:
        blocks.append(actions(_wish(Wish.PLAN, "plan_now", language, event), _wish(Wish.ANSWER, "as_answer", language, event)))
    if guided.sources:
        blocks.append(sources(guided.sources, language, links=links))
    if guided.is_open and needs_mention:
        blocks.append(context(message("talk.button.mention", language)))
    return [*blocks, feedback_buttons(language), why_button(language)] if guided.is_plan else blocks


def note_on_answer(course: Course, language: Language) -> list[Block]:
    """That this was an answer, with the way to a talk; inside an open talk, with the way on."""
    event = course.question.claim.inbox_id
    if course.talk is not None and course.talk.is_open:
        note = message("talk.button.answered_in_talk", language)
        return [section(note, accessory=_wish(Wish.PLAN, "plan_now", language, event))]
    if not course.offers_talk:
        return []
    return [section(message("talk.button.answered", language), accessory=_wish(Wish.TALK, "together", language, event))]


def _wish(wish: Wish, text: str, language: Language, event: int) -> Block:
    return button(message(f"talk.button.{text}", language), action_id=_ACTION.format(wish=wish), value=str(event))
