"""When a message is not answered as a question, and what is said instead. First match wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from app.cache.keys import limit_key
from app.i18n.language import Language
from app.i18n.messages import message
from app.people.person import Person
from app.slack.blocks.parts import Block
from app.slack.blocks.prompts import prompt_buttons
from app.slack.edge import SlackEdge
from app.slack.payloads import Spoken


@dataclass(frozen=True)
class Refusal:
    """A sentence instead of an answer."""

    text: str
    blocks: Sequence[Block] = ()


def refusal_of(spoken: Spoken, person: Person, language: Language, *, max_length: int) -> Refusal | None:
    """What can be said from the message and its author alone."""
    if person.is_external or spoken.is_from_elsewhere:
        return Refusal(message("agent.external", language))
    if not spoken.text and not spoken.has_files:
        return Refusal(message("agent.empty_mention", language), [prompt_buttons(language)])
    if len(spoken.text) > max_length:
        return Refusal(message("agent.too_long", language, limit=max_length, length=len(spoken.text)))
    return None


async def limit_refusal(edge: SlackEdge, spoken: Spoken, language: Language) -> Refusal | None:
    """Counts the question against the person's and the workspace's limit of a minute."""
    team_id = spoken.conversation.team_id
    own, all_of_us = limit_key(team_id, "questions", spoken.user_id), limit_key(team_id, "questions")
    allowed = {own: edge.rules.questions_per_minute, all_of_us: edge.rules.questions_per_minute_workspace}
    taken = await edge.limits.take_in_turn(allowed, seconds=60)
    if taken[-1].is_allowed:
        return None
    sentence = "agent.slow_down" if len(taken) == 1 else "agent.workspace_busy"
    return Refusal(message(sentence, language, seconds=ceil(taken[-1].retry_after_seconds)))


async def is_loop(edge: SlackEdge, spoken: Spoken) -> bool:
    """Whether a thread gets more replies a minute than people write: two programs may be talking to each other."""
    key = limit_key(spoken.conversation.team_id, "thread", spoken.conversation.key)
    return not (await edge.limits.take(key, limit=edge.rules.replies_per_thread_and_minute, seconds=60)).is_allowed


async def may_explain_loop(edge: SlackEdge, spoken: Spoken) -> bool:
    """Said once a minute: an explanation of every message would feed the loop."""
    key = limit_key(spoken.conversation.team_id, "thread-pause", spoken.conversation.key)
    return (await edge.limits.take(key, limit=1, seconds=60)).is_allowed
