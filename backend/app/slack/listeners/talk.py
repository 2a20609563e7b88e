"""The guided talk in Slack: its turns, and the buttons that switch between an answer, a talk and its plan."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.guide_talk import Course, Guided, Wish
from app.coaching.plan.due_dates import today_of
from app.dialogue.conversation import Conversation
from app.i18n.messages import message
from app.people.person import Person
from app.slack.blocks.parts import Block
from app.slack.blocks.talk import WISH_ACTION, talk_footer
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.windows import actor_of, language_of_actor
from app.slack.payloads import Payload
from app.slack.reply import Reply
from app.slack.respond import respond


async def guide(edge: SlackEdge, course: Course, reply: Reply) -> None:
    """One turn of the coach. Who presses stop meanwhile has said nothing: the talk stands where it stood."""
    question = course.question
    guided = await reply.until_stopped(edge.guide_talk(question, course))
    if guided is not None:
        footer = footer_of(edge, guided, question.conversation, event=question.claim.inbox_id, speaker=question.speaker)
        await reply.finish(guided.text, blocks=footer)


def footer_of(edge: SlackEdge, guided: Guided, where: Conversation, *, event: int, speaker: Person) -> list[Block]:
    needs_mention = not where.is_direct and edge.workspaces.current.thread_replies == "never"
    today = today_of(edge.clock.now(), speaker.time_zone)
    return talk_footer(guided, event=event, today=today, links=edge.rules.links, needs_mention=needs_mention)


async def take_wish(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Stores the message above the button once more, with what is wished: it is dealt with like any other."""
    edge, actor = edge_of(context), actor_of(body)
    chosen = WISH_ACTION.fullmatch(action["action_id"])
    stored = chosen is not None and await edge.inbox.store_retry(
        int(action["value"]), team_id=actor.team_id, user_id=actor.user_id, wish=chosen[1]
    )
    await ack()
    text = message("talk.button.taken" if stored else "talk.button.gone", await language_of_actor(edge, actor))
    await respond(edge.client.web, body["response_url"], text=text)


def wish_in(payload: Payload) -> Wish | None:
    """What a stored event was stored again for."""
    wish = payload.get("wish")
    return Wish(wish) if isinstance(wish, str) and wish in set(Wish) else None
