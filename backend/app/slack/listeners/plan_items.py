"""What a person does about an item of their plan: by button and menu in a message or on Home, and in the windows these open."""

import asyncio
import json
import logging
from datetime import date, timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.change_plan import Changed, Outcome
from app.coaching.plan.due_dates import Snooze, next_working_day, today_of
from app.coaching.plan.plan import PlannedAction, Priority
from app.coaching.plan.repository import PlanItem
from app.core.errors import SlackError
from app.i18n.language import Language
from app.i18n.messages import message
from app.people.person import Actor, Person
from app.slack.blocks.dates import in_words
from app.slack.blocks.parts import Block
from app.slack.blocks.plan import DROP, EDIT, POSTPONE, plan_item_blocks
from app.slack.blocks.plan_forms import (
    DAY_FIELD,
    drop_modal,
    edit_modal,
    is_settled,
    notice_modal,
    postpone_modal,
    sentence_about,
    shown_blocks,
    with_item,
)
from app.slack.blocks.reminder import reminder_blocks
from app.slack.edge import SlackEdge
from app.slack.listeners.context import edge_of
from app.slack.listeners.home import home_changed
from app.slack.listeners.windows import actor_of, language_of_actor, open_window, typed
from app.slack.respond import respond

logger = logging.getLogger(__name__)
Json = dict[str, Any]

MESSAGE_SECONDS = 1.0
"""For showing a change in the message its button stood in; a window waits for us, and Home shows the change anyway."""
_LARGEST_ID = 2**63 - 1


async def tick(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, item_id = edge_of(context), _id_in(action["value"])
    await _after_click(edge, ack, body, item_id, await edge.change_plan.tick(actor_of(body), item_id), done="done")


async def undo(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, item_id = edge_of(context), _id_in(action["value"])
    await _after_click(edge, ack, body, item_id, await edge.change_plan.reopen(actor_of(body), item_id), done="reopened")


async def open_form(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    """The menu of an item. What is settled meanwhile, or somebody else's, has no form."""
    edge, actor = edge_of(context), actor_of(body)
    choice, _, number = str(action["selected_option"]["value"]).partition(":")
    person = await edge.people.find(actor.team_id, actor.user_id)
    language = await language_of_actor(edge, actor)
    item = await edge.change_plan.item(actor, _id_in(number))
    await ack()
    if item is None or is_settled(item):
        changed = Changed(Outcome.GONE) if item is None else Changed(Outcome.ALREADY, item)
        await open_window(edge, body, notice_modal(sentence_about(changed, "", language), language))
        await home_changed(edge, actor, body["trigger_id"])
        return
    await open_window(edge, body, _form(choice, item, person, language, edge, about=_about(item.id, body)))


async def take_new_day(ack: AsyncAck, body: Json, view: Json, context: AsyncBoltContext) -> None:
    edge, about = edge_of(context), json.loads(view["private_metadata"])
    person = await _person(edge, body)
    changed = await edge.change_plan.postpone(person, about["item"], _day_in(view))
    await _after_form(edge, ack, body, about, changed, done="postponed")


async def take_rewrite(ack: AsyncAck, body: Json, view: Json, context: AsyncBoltContext) -> None:
    edge, about = edge_of(context), json.loads(view["private_metadata"])
    person, language = await _person(edge, body), await language_of_actor(edge, actor_of(body))
    if empty := [field for field in ("title", "description", "metric") if not typed(view, field)]:
        await ack(response_action="errors", errors=dict.fromkeys(empty, message("plan_forms.empty", language)))
        return
    item = await edge.change_plan.item(actor_of(body), about["item"])
    changed = Changed(Outcome.GONE)
    if item is not None:
        action = PlannedAction(
            title=" ".join(typed(view, "title").split()), description=typed(view, "description"),
            priority=Priority(view["state"]["values"]["priority"]["choice"]["selected_option"]["value"]),
            due_on=_day_in(view), category=item.action.category, success_metric=typed(view, "metric"),
        )  # fmt: skip
        changed = await edge.change_plan.edit(person, about["item"], action)
    await _after_form(edge, ack, body, about, changed, done="edited")


async def take_drop(ack: AsyncAck, body: Json, view: Json, context: AsyncBoltContext) -> None:
    edge, about = edge_of(context), json.loads(view["private_metadata"])
    changed = await edge.change_plan.drop(actor_of(body), about["item"], reason=typed(view, "reason"))
    await _after_form(edge, ack, body, about, changed, done="dropped")


async def snooze(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge = edge_of(context)
    choice, _, number = str(action["selected_option"]["value"]).partition(":")
    item_id, language = _id_in(number), await language_of_actor(edge, actor_of(body))
    changed = await edge.change_plan.snooze(await _person(edge, body), item_id, Snooze(choice))
    note = message("reminder.snoozed", language, day=in_words(changed.remind_on, language)) if changed.remind_on else ""
    await _after_click(edge, ack, body, item_id, changed, note=note)


async def stop_reminding(ack: AsyncAck, body: Json, action: Json, context: AsyncBoltContext) -> None:
    edge, item_id = edge_of(context), _id_in(action["value"])
    changed = await edge.change_plan.stop_reminding(actor_of(body), item_id)
    note = message("reminder.stopped", await language_of_actor(edge, actor_of(body)))
    await _after_click(edge, ack, body, item_id, changed, note=note)


def _form(choice: str, item: PlanItem, person: Person, language: Language, edge: SlackEdge, *, about: str) -> Block:
    match choice:
        case _ if choice == POSTPONE:
            latest = max(today_of(edge.clock.now(), person.time_zone), item.action.due_on)
            return postpone_modal(item, language, suggested=next_working_day(latest + timedelta(days=1)), about=about)
        case _ if choice == EDIT:
            return edit_modal(item, language, about=about)
        case _ if choice == DROP:
            return drop_modal(item, language, about=about)
        case _:  # a menu of another version of this program
            return notice_modal(message("plan_forms.gone", language), language)


async def _after_click(
    edge: SlackEdge, ack: AsyncAck, body: Json, item_id: int, changed: Changed, *, done: str = "", note: str = ""
) -> None:
    """The message shows how the item stands; a sentence says so where nothing was changed, or nothing can be shown anew."""
    actor = actor_of(body)
    language = await language_of_actor(edge, actor)
    await home_changed(edge, actor, body["trigger_id"])
    await ack()
    sentence = "" if changed.outcome is Outcome.CHANGED else sentence_about(changed, done, language)
    try:
        if "response_url" not in body:
            if sentence:
                await open_window(edge, body, notice_modal(sentence, language))
            return
        if changed.item is not None and (shown := body.get("message")):
            blocks = with_item(shown_blocks(shown), item_id, await _fresh(edge, actor, changed.item, language, note=note))
            await respond(edge.client.web, body["response_url"], text=shown.get("text", ""), blocks=blocks, replace_original=True)
        else:  # Slack does not tell what stands in a message that only one person sees
            sentence = sentence or note or sentence_about(changed, done, language)
        if sentence:
            await respond(edge.client.web, body["response_url"], text=sentence)
    except SlackError as error:  # the change stands, and Home shows it
        logger.warning("change_not_shown", extra={"item_id": item_id, "code": error.code})


async def _after_form(edge: SlackEdge, ack: AsyncAck, body: Json, about: Json, changed: Changed, *, done: str) -> None:
    actor = actor_of(body)
    language = await language_of_actor(edge, actor)
    sentence = sentence_about(changed, done, language)
    if changed.outcome is Outcome.NO_SUCH_DAY:
        await ack(response_action="errors", errors={DAY_FIELD: sentence})
        return
    await home_changed(edge, actor, body["trigger_id"])
    if changed.item is not None and about.get("ts"):
        await _show_in_message(edge, actor, about, changed.item, language)
    if changed.outcome is Outcome.CHANGED and not changed.was_moved:
        await ack()
    else:
        await ack(response_action="update", view=notice_modal(sentence, language))


async def _show_in_message(edge: SlackEdge, actor: Actor, about: Json, item: PlanItem, language: Language) -> None:
    """A window does not know the message its button stood in: it is read again."""
    channel_id, ts, team_id = about["channel"], about["ts"], actor.team_id
    try:
        async with asyncio.timeout(MESSAGE_SECONDS):
            answer = await edge.client.call(
                "conversations.replies", team_id=team_id, longest_wait=0,
                json={"channel": channel_id, "ts": about["thread"], "oldest": ts, "latest": ts, "inclusive": True, "limit": 10},
            )  # fmt: skip
            shown = next((one for one in answer.get("messages", ()) if one.get("ts") == ts), None)
            if shown is None:
                return
            blocks = with_item(shown_blocks(shown), item.id, await _fresh(edge, actor, item, language))
            await edge.client.update_message(
                channel_id=channel_id, ts=ts, text=shown.get("text", ""), blocks=blocks, team_id=team_id, longest_wait=0
            )
    except (SlackError, TimeoutError) as error:
        logger.warning("change_not_shown", extra={"item_id": item.id, "error": type(error).__name__})


async def _fresh(edge: SlackEdge, actor: Actor, item: PlanItem, language: Language, *, note: str = "") -> list[Block]:
    person = await edge.people.find(actor.team_id, actor.user_id)
    today = today_of(edge.clock.now(), person.time_zone)
    if note and not is_settled(item):
        return reminder_blocks(item, language, today, note=note)
    return plan_item_blocks([item], language, today)


async def _person(edge: SlackEdge, body: Json) -> Person:
    actor = actor_of(body)
    return await edge.people.find(actor.team_id, actor.user_id)


def _about(item_id: int, body: Json) -> str:
    """Where the button stood; nothing for Home, and for messages that only one person sees."""
    container = body.get("container", {})
    about: Json = {"item": item_id}
    if container.get("type") == "message" and not container.get("is_ephemeral"):
        ts = container["message_ts"]
        about |= {"channel": container["channel_id"], "ts": ts, "thread": container.get("thread_ts") or ts}
    return json.dumps(about)


def _day_in(view: Json) -> date:
    return date.fromisoformat(view["state"]["values"][DAY_FIELD]["day"]["selected_date"])


def _id_in(value: Any) -> int:
    """0 is nobody's item: what Slack sends back is what we have put there, unless somebody has forged it."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _LARGEST_ID else 0
