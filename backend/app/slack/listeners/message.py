"""Somebody wrote to the coach: a mention, a direct message, or a reply in a thread the coach takes part in."""

from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncBoltContext

from app.assistant.guide_talk import Course, Way, Wish
from app.assistant.question import Question
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import ClaimedEvent
from app.people.person import Person
from app.slack.blocks.answer import answer_footer
from app.slack.blocks.talk import note_on_answer
from app.slack.blocks.trouble import offer_to_answer
from app.slack.commands import COMMANDS
from app.slack.commands.command import Command, CommandCall
from app.slack.commands.in_threads import command_in
from app.slack.edge import SlackEdge
from app.slack.kept_answer import answer_footer_of_draft
from app.slack.language import language_for
from app.slack.listeners.context import claimed_of, edge_of
from app.slack.listeners.files import bring_in_files, brings_files, tell_of_unread_files
from app.slack.listeners.refusals import Refusal, is_loop, limit_refusal, may_explain_loop, refusal_of
from app.slack.listeners.talk import guide, wish_in
from app.slack.payloads import Spoken, spoken_in
from app.slack.placement import ReplyAddress
from app.slack.reply import Reply


@dataclass(frozen=True)
class Heard:
    """A message with all that is known before it is answered."""

    spoken: Spoken
    person: Person
    language: Language
    claimed: ClaimedEvent
    wish: Wish | None = None

    @property
    def is_first(self) -> bool:
        """A message at top level begins its thread, unless it is asked again."""
        return not self.spoken.is_in_thread and self.claimed.envelope.kind == "message"


async def answer_message(body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed = edge_of(context), claimed_of(context)
    spoken = spoken_in(body)
    if await _is_none_of_ours(edge, claimed, spoken):
        return await edge.inbox.finish(claimed.claim, outcome="ignored")
    heard = replace(await _hear(edge, claimed, spoken), wish=wish_in(body))
    if claimed.attempts == 1 and await is_loop(edge, spoken):
        return await _pause(edge, heard)
    command, words = command_in(spoken.text, COMMANDS)
    if command and not heard.person.is_external and not spoken.is_from_elsewhere:
        return await _answer_command(edge, heard, command, words)
    if _is_untagged(spoken, claimed) and edge.workspaces.current.thread_replies == "ask":
        return await _offer(edge, heard)
    return await _answer(edge, heard)


async def _answer(edge: SlackEdge, heard: Heard) -> None:
    async with edge.desk.open(heard.claimed, address_of(heard.spoken), heard.language) as reply:
        if reply.text_kept is not None:
            footer = await answer_footer_of_draft(edge, heard.claimed, heard.spoken, heard.language)
            await reply.finish(reply.text_kept, blocks=footer)
        elif refusal := await _refusal(edge, heard):
            await reply.finish(refusal.text, blocks=refusal.blocks, outcome="explained")
        elif brings_files(heard.spoken):
            await bring_in_files(edge, reply, heard.claimed, heard.spoken, person=heard.person, language=heard.language)
        else:
            await reply.show_work()
            course = await edge.guide_talk.consider(_question(heard), wish=heard.wish)
            if course.way is Way.TALK:
                await guide(edge, course, reply)
            else:
                await _answer_question(edge, course, reply)
            await tell_of_unread_files(edge, heard.claimed, heard.spoken, heard.language)


async def _answer_question(edge: SlackEdge, course: Course, reply: Reply) -> None:
    answer = await reply.until_stopped(edge.answer_question(course.question, reply))
    if answer is None:
        await edge.answer_question.keep_stopped(course.question, reply.text_written)
        return
    note = note_on_answer(course, answer.language)
    retry = None if edge.rules.about.is_offline else course.question.claim.inbox_id
    await reply.finish(answer.text, blocks=[*note, *answer_footer(answer, links=edge.rules.links, retry=retry)])


async def _is_none_of_ours(edge: SlackEdge, claimed: ClaimedEvent, spoken: Spoken) -> bool:
    """An untagged reply in a channel is for us when the workspace wants that and we take part in the thread."""
    if not _is_untagged(spoken, claimed):
        return False
    if command_in(spoken.text, COMMANDS)[0]:
        return False
    return edge.workspaces.current.thread_replies == "never" or await edge.talks.talk_in(spoken.conversation) is None


def _is_untagged(spoken: Spoken, claimed: ClaimedEvent) -> bool:
    return not (spoken.conversation.is_direct or spoken.is_mention or claimed.envelope.kind == "retry")


async def _hear(edge: SlackEdge, claimed: ClaimedEvent, spoken: Spoken) -> Heard:
    person = await edge.people.find(spoken.conversation.team_id, spoken.user_id)
    talk = await edge.talks.talk_in(spoken.conversation) if spoken.is_in_thread else None
    language = language_for(
        spoken.text, thread=talk.language if talk else None, person=person.language, workspace=edge.workspaces.current.language,
        fallback=edge.rules.fallback_language,
    )  # fmt: skip
    return Heard(spoken, person, language, claimed)


async def _refusal(edge: SlackEdge, heard: Heard) -> Refusal | None:
    """Limits are counted once per message, not once per attempt to answer it."""
    refusal = refusal_of(heard.spoken, heard.person, heard.language, max_length=edge.rules.max_input_length)
    if refusal is not None or heard.claimed.attempts > 1:
        return refusal
    return await limit_refusal(edge, heard.spoken, heard.language)


async def _pause(edge: SlackEdge, heard: Heard) -> None:
    if not await may_explain_loop(edge, heard.spoken):
        await edge.inbox.finish(heard.claimed.claim, outcome="ignored")
        return
    async with edge.desk.open(heard.claimed, address_of(heard.spoken), heard.language) as reply:
        await reply.finish(message("agent.thread_paused", heard.language), blocks=(), outcome="explained")


async def _answer_command(edge: SlackEdge, heard: Heard, command: Command, words: str) -> None:
    """The same commands as after a slash. What they show is private: in a channel only the person sees it."""
    spoken = heard.spoken
    call = CommandCall(
        team_id=spoken.conversation.team_id, channel_id=spoken.conversation.channel_id, text=words, person=heard.person,
        language=heard.language, is_direct=spoken.conversation.is_direct, commands=COMMANDS,
        request=heard.claimed.envelope.event_id,
        thread_ts=spoken.conversation.thread_ts if spoken.conversation.is_direct else None,
    )  # fmt: skip
    answer = await command.answer(call, edge)
    if spoken.conversation.is_direct:
        async with edge.desk.open(heard.claimed, address_of(spoken), heard.language) as reply:
            await reply.finish(answer.text, blocks=answer.blocks)
        return
    await _whisper(edge, heard, answer.text, answer.blocks)
    await edge.inbox.finish(heard.claimed.claim, outcome="answered")


async def _offer(edge: SlackEdge, heard: Heard) -> None:
    blocks = offer_to_answer(heard.language, event=heard.claimed.claim.inbox_id)
    await _whisper(edge, heard, message("agent.offer", heard.language), blocks)
    await edge.inbox.finish(heard.claimed.claim, outcome="explained")


async def _whisper(edge: SlackEdge, heard: Heard, text: str, blocks: Any) -> None:
    await edge.client.post_ephemeral(
        channel_id=heard.spoken.conversation.channel_id, thread_ts=heard.spoken.conversation.thread_ts,
        user_id=heard.spoken.user_id, text=text, blocks=blocks,
    )  # fmt: skip


def _question(heard: Heard) -> Question:
    return Question(
        speaker=heard.person, conversation=heard.spoken.conversation, text=heard.spoken.text, asked_at=heard.spoken.asked_at,
        language=heard.language, claim=heard.claimed.claim, is_heard_elsewhere=heard.spoken.is_heard_elsewhere,
        is_first=heard.is_first,
    )  # fmt: skip


def address_of(spoken: Spoken) -> ReplyAddress:
    return ReplyAddress(
        team_id=spoken.conversation.team_id, channel_id=spoken.conversation.channel_id,
        thread_ts=spoken.conversation.thread_ts, recipient_user_id=spoken.user_id, recipient_team_id=spoken.user_team_id,
        is_direct=spoken.conversation.is_direct,
    )  # fmt: skip
