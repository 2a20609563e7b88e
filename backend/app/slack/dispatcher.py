"""What jobs ask of Slack's edge: work on a stored event, say sorry, tell somebody their place in the queue."""

import json
import logging
from typing import Any

from app.core.errors import AppError, SlackError
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import ClaimedEvent, Envelope
from app.people.person import Actor, Person
from app.slack.blocks.trouble import trouble, trouble_footer
from app.slack.bolt_app import BoltDoor
from app.slack.edge import SlackEdge
from app.slack.files import tell_person
from app.slack.kept_answer import answer_footer_of_draft
from app.slack.language import language_for
from app.slack.listeners.files import what_was_not_undone
from app.slack.listeners.message import address_of
from app.slack.payloads import spoken_in
from app.slack.respond import respond

logger = logging.getLogger(__name__)

# Kinds that end with a reply in a thread.
ANSWERED_KINDS = frozenset({"message", "retry"})
# Kinds whose failure is for the eyes of the person who clicked or typed the command.
ASKED_IN_PRIVATE = frozenset({"command", "action"})


class SlackDispatcher:
    """The ``EventDispatcher`` of the jobs."""

    def __init__(self, bolt: BoltDoor, edge: SlackEdge) -> None:
        self._bolt = bolt
        self._edge = edge

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        """Runs the listener of a stored event to its end; its exceptions come out."""
        await self._bolt.dispatch(json.loads(claimed.envelope.body), claimed=claimed)

    async def apologise(self, claimed: ClaimedEvent, error: AppError | None, reference: str) -> None:
        """The reason in the person's language with a reference and a button to try again, once.

        A finished answer that only Slack kept from being shown is shown instead. What was no question (a look at the Home
        tab) ends without a word: it is simply done again by opening it again.
        """
        key = error.message_key if error else "errors.unexpected"
        if claimed.envelope.kind in ANSWERED_KINDS:
            await self._apologise_in_thread(claimed, key, reference, outcome=_outcome(claimed, error))
        elif claimed.envelope.kind in ASKED_IN_PRIVATE:
            await self._apologise_in_private(claimed, key, reference)

    async def tell_place(self, envelope: Envelope, place: int) -> None:
        """A hint only the person sees. It is worth nothing later, so a failure is let go."""
        if envelope.channel_id is None or envelope.user_id is None or envelope.kind not in ANSWERED_KINDS:
            return
        language = await self._language(json.loads(envelope.body), envelope)
        try:
            await self._edge.client.post_ephemeral(
                channel_id=envelope.channel_id, user_id=envelope.user_id, thread_ts=envelope.conversation.rsplit(":", 1)[1],
                text=message("agent.place_in_queue", language, place=place), team_id=envelope.team_id,
            )  # fmt: skip
        except SlackError as error:
            logger.info("place_not_told", extra={"code": error.code})

    async def _apologise_in_thread(self, claimed: ClaimedEvent, key: str, reference: str, *, outcome: str) -> None:
        payload = json.loads(claimed.envelope.body)
        spoken = spoken_in(payload)
        language = await self._language(payload, claimed.envelope)
        async with self._edge.desk.open(claimed, address_of(spoken), language) as reply:
            if reply.text_kept is not None:
                footer = await answer_footer_of_draft(self._edge, claimed, spoken, language)
                await reply.finish(reply.text_kept, blocks=footer)
                return
            blocks = trouble_footer(language, reference=reference, retry=claimed.claim.inbox_id)
            await reply.finish(message(key, language), blocks=blocks, outcome=outcome, reference=reference)

    async def _apologise_in_private(self, claimed: ClaimedEvent, key: str, reference: str) -> None:
        body = json.loads(claimed.envelope.body)
        language = await self._language({}, claimed.envelope)
        text = " ".join([*what_was_not_undone(body, language), message(key, language)])
        blocks = trouble(text, language, reference=reference)
        if "response_url" in body:
            await respond(self._edge.client.web, body["response_url"], text=text, blocks=blocks)
        elif claimed.envelope.user_id is not None:  # an errand, or a click that was stored
            actor = Actor(claimed.envelope.team_id, claimed.envelope.user_id)
            await tell_person(self._edge.client, claimed, actor, text, blocks, what="apology")

    async def _language(self, payload: dict[str, Any], envelope: Envelope) -> Language:
        """As the answer would have chosen it, with what can be known at once."""
        edge = self._edge
        text = spoken_in(payload).text if payload else ""
        person = await self._person(envelope)
        return language_for(
            text, person=person.language if person else None, workspace=edge.workspaces.current.language,
            fallback=edge.rules.fallback_language,
        )  # fmt: skip

    async def _person(self, envelope: Envelope) -> Person | None:
        if envelope.user_id is None:
            return None
        try:
            return await self._edge.people.find(envelope.team_id, envelope.user_id)
        except AppError:  # an apology must not fail because of what went wrong in the first place
            return None


def _outcome(claimed: ClaimedEvent, error: AppError | None) -> str:
    """What nobody foresaw is in the dead list also when the person has been told: somebody is to look at it."""
    if claimed.given_up is not None:
        return claimed.given_up.outcome
    return "dead" if error is None else "explained"
