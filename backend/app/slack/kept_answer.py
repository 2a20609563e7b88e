"""What stands under an answer whose text was kept from an earlier attempt: the same as the first time."""

from dataclasses import replace

from app.assistant.guide_talk import GUIDED
from app.assistant.question import Answer
from app.core.errors import AppError
from app.i18n.language import Language
from app.inbox.envelope import ClaimedEvent
from app.people.person import Actor
from app.slack.blocks.answer import answer_footer
from app.slack.blocks.feedback import feedback_buttons
from app.slack.blocks.parts import Block
from app.slack.edge import SlackEdge
from app.slack.listeners.talk import footer_of
from app.slack.payloads import Spoken


async def answer_footer_of_draft(edge: SlackEdge, claimed: ClaimedEvent, spoken: Spoken, language: Language) -> list[Block]:
    """Sources as they were cited, for the eyes of those who read the answer; where they cannot be read, the buttons alone.

    A turn of a guided talk has its own: a plan is shown with its items again.
    """
    try:
        answer = await edge.explain_answers.recorded(await _reader(edge, spoken), claimed.claim.inbox_id)
        if answer is not None and answer.skill == GUIDED:
            return await _of_talk(edge, claimed, spoken, replace(answer, language=language))
    except AppError:
        answer = None
    retry = None if edge.rules.about.is_offline else claimed.claim.inbox_id
    return answer_footer(answer, links=edge.rules.links, retry=retry) if answer else [feedback_buttons(language)]


async def _of_talk(edge: SlackEdge, claimed: ClaimedEvent, spoken: Spoken, answer: Answer) -> list[Block]:
    speaker = await edge.people.find(spoken.conversation.team_id, spoken.user_id)
    guided = await edge.guide_talk.shown_before(spoken.conversation, spoken.user_id, answer.language)
    shown = replace(guided, sources=answer.sources)
    return footer_of(edge, shown, spoken.conversation, event=claimed.claim.inbox_id, speaker=speaker)


async def _reader(edge: SlackEdge, spoken: Spoken) -> Actor:
    where = spoken.conversation
    person = await edge.people.find(where.team_id, spoken.user_id)
    channel_id = None if where.is_direct else where.channel_id
    return Actor(where.team_id, spoken.user_id, person.standing, is_private=where.is_direct, channel_id=channel_id)
