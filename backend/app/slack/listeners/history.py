"""What follows from ``/ai_history``: the chart, the export, the erasure, and how a finished action went.

Clicks and forms are answered while Slack waits; what takes longer is stored as an errand, and the same file does it.
"""

import json
import logging
import unicodedata
from datetime import tzinfo
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.show_growth import Growth
from app.coaching.growth.repository import Outcome
from app.coaching.plan.due_dates import zone_of
from app.core.errors import SlackRefused
from app.i18n.language import Language
from app.i18n.messages import message
from app.people.person import Actor
from app.slack.blocks.forget import WORD_BLOCK, forget_modal, forgetting_modal
from app.slack.blocks.growth import growth_blocks
from app.slack.blocks.parts import clipped, section
from app.slack.edge import SlackEdge
from app.slack.errands import export_errand, forget_errand
from app.slack.files import SlackFile, hand_over, is_handed_over, tell_person
from app.slack.growth_chart import alt_text, chart_of, days_of, legend
from app.slack.listeners.context import claimed_of, edge_of
from app.slack.listeners.home import blank_home
from app.slack.listeners.windows import actor_of, language_of_actor, open_window, typed
from app.slack.respond import respond

logger = logging.getLogger(__name__)

CHART_FILE = "growth.png"
_COMMENT = 3000


async def export_my_data(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    language = await language_of_actor(edge, actor)
    await edge.inbox.store_once(export_errand(actor, language, request=body["trigger_id"]))
    await ack()
    if "response_url" in body:
        await respond(edge.client.web, body["response_url"], text=message("growth.export.started", language))


async def ask_before_forgetting(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    await ack()
    await open_window(edge, body, forget_modal(await language_of_actor(edge, actor_of(body))))


async def take_word(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext) -> None:
    """Erasing begins only when the word was typed that the window asks for, in whichever of our languages."""
    edge, actor = edge_of(context), actor_of(body)
    language = await language_of_actor(edge, actor)
    if not _is_the_word(typed(view, WORD_BLOCK)):
        word = message("growth.forget.word", language)
        await ack(response_action="errors", errors={WORD_BLOCK: message("growth.forget.mismatch", language, word=word)})
        return
    await edge.inbox.store_once(forget_errand(actor, language, request=view["id"]))
    await ack(response_action="update", view=forgetting_modal(language))


async def take_outcome(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, actor = edge_of(context), actor_of(body)
    outcome = Outcome(action["action_id"].rpartition("_")[2])
    is_noted = await edge.note_outcome(actor, int(action["value"]), outcome)
    await ack()
    if "response_url" in body:
        text = message("growth.outcome.noted" if is_noted else "growth.outcome.gone", await language_of_actor(edge, actor))
        await respond(edge.client.web, body["response_url"], text=text)


# Errands


async def send_chart(body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The picture into the DM; when there can be none, the same in words, so that what was announced arrives."""
    edge, claimed, actor, wanted = edge_of(context), claimed_of(context), actor_of(body), json.loads(action["value"])
    language, thread_ts = Language(wanted["language"]), wanted["thread_ts"]
    person = await edge.people.find(actor.team_id, actor.user_id)
    growth = await edge.show_growth(actor, days=wanted["days"])
    is_there = await is_handed_over(edge.client, claimed, actor, name=CHART_FILE, thread_ts=thread_ts)
    if growth.known and not is_there:
        file, comment = await _picture(edge, growth, language, zone_of(person.time_zone))
        if file is None or not await _is_taken(edge, actor, file, comment, thread_ts):
            text = message("growth.chart.failed", language)
            blocks = [section(text), *growth_blocks(growth, language)]
            await tell_person(edge.client, claimed, actor, text, blocks, thread_ts=thread_ts)
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def _picture(edge: SlackEdge, growth: Growth, language: Language, zone: tzinfo) -> tuple[SlackFile | None, str]:
    """The file, when it can be painted, and what stands above it."""
    first, last = days_of(growth, language, zone)
    comment = message("growth.chart.comment", language, first=first, last=last)
    english = chart_of(growth, Language.ENGLISH, zone)
    picture = await edge.chart_painter.paint(chart_of(growth, language, zone), english, language)
    if picture is None:
        return None, comment
    if picture.is_in_english and language is not Language.ENGLISH:
        comment = clipped(f"{comment}\n{legend(growth, language)}", _COMMENT)
    return SlackFile(CHART_FILE, picture.png, message("growth.skills.title", language), alt_text(growth, language)), comment


async def _is_taken(edge: SlackEdge, actor: Actor, file: SlackFile, comment: str, thread_ts: str | None) -> bool:
    """False when Slack will never take it, such as from an app that was installed before it could write files."""
    try:
        await hand_over(edge.client, actor, [file], comment=comment, thread_ts=thread_ts)
    except SlackRefused as error:
        logger.warning("chart_refused", extra={"code": error.code})
        return False
    return True


async def send_export(body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed, actor = edge_of(context), claimed_of(context), actor_of(body)
    language = Language(json.loads(action["value"])["language"])
    files = [SlackFile(file.name, file.content, file.name) for file in await edge.export_person(actor)]
    if not await is_handed_over(edge.client, claimed, actor, name=files[0].name):
        await hand_over(edge.client, actor, files, comment=message("growth.export.comment", language))
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def forget_everything(body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """Erases, then says so. Interrupted between the two, it runs again: there is nothing left to erase, and it is said.

    The wish itself names the person, and could not go while it was being worked on: it ends without a name.
    """
    edge, claimed, actor = edge_of(context), claimed_of(context), actor_of(body)
    language = Language(json.loads(action["value"])["language"])
    forgotten = await edge.forget_person(actor, wish=claimed.claim.inbox_id)
    await blank_home(edge, actor, language)
    await tell_person(edge.client, claimed, actor, message("growth.forget.done", language, count=forgotten.total))
    await edge.inbox.finish_nameless(claimed.claim, outcome="answered")


def _is_the_word(typed_word: str) -> bool:
    word = unicodedata.normalize("NFKC", typed_word).strip().strip("「」“”\"'").lower()
    return word in {message("growth.forget.word", language) for language in Language}
