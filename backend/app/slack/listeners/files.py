"""Files that people share with the coach: brought into the company's knowledge, and taken out again."""

import json
import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.assistant.import_knowledge import Imported, Upload
from app.core.errors import SlackError
from app.i18n.language import Language
from app.i18n.messages import message
from app.inbox.envelope import ClaimedEvent, Envelope
from app.knowledge.entry import may_publish
from app.knowledge.importing.problem import NotReadable
from app.people.person import Actor, Person
from app.slack.blocks.import_report import UNDO_ACTIONS, UndoWish, import_report, summary_of
from app.slack.blocks.parts import clipped, foreign
from app.slack.client import still_wanted
from app.slack.download import fetch_file
from app.slack.edge import SlackEdge
from app.slack.listeners.context import CLAIMED, claimed_of, edge_of
from app.slack.listeners.windows import actor_of, language_of_actor
from app.slack.payloads import SharedFile, Spoken
from app.slack.placement import ReplyAddress
from app.slack.reply import Reply
from app.slack.respond import respond

logger = logging.getLogger(__name__)

MOST_FILES = 10
_LONGEST_WISH = 200
_WISH = re.compile(
    r"取り?込|インポート|登録|ナレッジ|追加|覚え|保存|\b(?:import|add|upload|ingest|save|remember|knowledge)\b|导入|登记|知识|添加|保存|记住",
    re.IGNORECASE,
)


def brings_files(spoken: Spoken) -> bool:
    """Whether the files are meant for the knowledge base: there are no words, or words that say so and ask nothing."""
    if not spoken.has_files:
        return False
    words = unicodedata.normalize("NFKC", spoken.text)
    return not words or (len(words) <= _LONGEST_WISH and "?" not in words and bool(_WISH.search(words)))


@dataclass(frozen=True)
class _Bringing:
    """Whose files are brought in, and where that is shown."""

    edge: SlackEdge
    reply: Reply
    actor: Actor
    language: Language
    since: datetime

    def tell(self, key: str, name: str, **gaps: Any) -> None:
        self.reply.write(message(f"imports.slack.{key}", self.language, name=_shown(name), **gaps) + "\n\n")


async def bring_in_files(
    edge: SlackEdge, reply: Reply, claimed: ClaimedEvent, spoken: Spoken, *, person: Person, language: Language
) -> None:
    """One report for all files of the message. What happens meanwhile is shown as it happens, in the same message."""
    if spoken.is_heard_elsewhere:
        return await reply.finish(message("imports.slack.heard_elsewhere", language), blocks=(), outcome="explained")
    actor = Actor(person.team_id, person.user_id, person.standing, is_private=True, is_external=person.is_external)
    await reply.show_work()
    bringing = _Bringing(edge, reply, actor, language, claimed.first_claimed_at)
    imported = await reply.until_stopped(_bring_all(bringing, spoken.files))
    if imported is not None:
        await reply.finish(summary_of(imported, language), blocks=import_report(imported, language, author_id=person.user_id))
    return None


async def _bring_all(bringing: _Bringing, files: Sequence[SharedFile]) -> list[Imported]:
    results = [await _bring(bringing, file) for file in files[:MOST_FILES]]
    refused = NotReadable("too_many_files", most=MOST_FILES)
    return results + [Imported(file.name, "", problem=refused) for file in files[MOST_FILES : MOST_FILES + 1]]


async def _bring(bringing: _Bringing, file: SharedFile) -> Imported:
    bringing.tell("reading", file.name)
    try:
        fetched = await fetch_file(bringing.edge.client, file.file_id, team_id=bringing.actor.team_id)
    except NotReadable as problem:
        return Imported(file.name, "", problem=problem)
    return await bringing.edge.import_knowledge(
        Upload(fetched.name, fetched.content), actor=bringing.actor, language=bringing.language, since=bringing.since,
        on_read=lambda count: bringing.tell("saving", file.name, count=count),
    )  # fmt: skip


async def tell_of_unread_files(edge: SlackEdge, claimed: ClaimedEvent, spoken: Spoken, language: Language) -> None:
    """An answer to a question with a file would otherwise seem to be one about the file."""
    if not spoken.has_files or claimed.attempts > 1:
        return
    conversation = spoken.conversation
    still_wanted.set(None)  # the answer stands, and its event is done
    try:
        await edge.client.post_ephemeral(
            channel_id=conversation.channel_id, user_id=spoken.user_id, thread_ts=conversation.thread_ts,
            text=message("imports.slack.not_read", language), team_id=conversation.team_id,
        )  # fmt: skip
    except SlackError as error:  # a hint is worth nothing later
        logger.info("hint_about_files_not_shown", extra={"code": error.code})


async def undo_import(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    """The click is stored; a worker takes the entries back and says so in the thread of the report."""
    if context.get(CLAIMED) is not None:
        return await _undo(body, action, context)
    edge, actor = edge_of(context), actor_of(body)
    person = await edge.people.find(actor.team_id, actor.user_id)
    language = await language_of_actor(edge, actor)
    is_allowed = may_publish(Actor(actor.team_id, actor.user_id, person.standing)) and not person.is_external
    if is_allowed:
        await edge.inbox.store_once(_undo_envelope(body, action))
    await ack()
    key = "undoing" if is_allowed else "may_not_undo"
    if "response_url" in body:
        await respond(edge.client.web, body["response_url"], text=message(f"imports.slack.{key}", language))
    return None


async def _undo(body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext) -> None:
    edge, claimed, wish = edge_of(context), claimed_of(context), UndoWish.from_json(action["value"])
    person = await edge.people.find(claimed.claim.team_id, actor_of(body).user_id)
    language = await language_of_actor(edge, actor_of(body))
    actor = Actor(person.team_id, person.user_id, person.standing, is_external=person.is_external)
    async with edge.desk.open(claimed, _address_of(body, claimed), language) as reply:
        undone = await edge.import_knowledge.undo(
            wish.slug, author_id=wish.author_id, since=wish.since, until=wish.until, actor=actor
        )
        key = "undone" if undone.archived or undone.restored else "nothing_to_undo"
        gaps = {"name": _shown(wish.name), "archived": undone.archived, "restored": undone.restored}
        await reply.finish(message(f"imports.slack.{key}", language, **gaps), blocks=())


def what_was_not_undone(body: dict[str, Any], language: Language) -> list[str]:
    """A sentence for whoever reads elsewhere that taking an import back has failed; none when this was something else."""
    return [
        message("imports.slack.not_undone", language, name=_shown(UndoWish.from_json(action["value"]).name))
        for action in body.get("actions", ())
        if UNDO_ACTIONS.fullmatch(action["action_id"])
    ]


def _undo_envelope(body: dict[str, Any], action: dict[str, Any]) -> Envelope:
    """Shortened to what the work needs; the message itself is not stored again."""
    actor, channel_id, thread_ts = actor_of(body), str(body["channel"]["id"]), _thread_of(body)
    stored = {
        "type": "block_actions", "team": {"id": actor.team_id}, "user": {"id": actor.user_id}, "channel": {"id": channel_id},
        "container": {"channel_id": channel_id, "thread_ts": thread_ts},
        "actions": [{"type": "button", "block_id": "undo", "action_id": action["action_id"], "value": action["value"]}],
    }  # fmt: skip
    return Envelope(
        team_id=actor.team_id, event_id=f"undo:{body['trigger_id']}", kind="action",
        conversation=f"{actor.team_id}:{channel_id}:{thread_ts}", channel_id=channel_id, message_ts=None, user_id=actor.user_id,
        body=json.dumps(stored, ensure_ascii=False).encode(),
    )  # fmt: skip


def _thread_of(body: dict[str, Any]) -> str:
    shown = body.get("message") or {}
    return str(shown.get("thread_ts") or body["container"].get("thread_ts") or body["container"]["message_ts"])


def _address_of(body: dict[str, Any], claimed: ClaimedEvent) -> ReplyAddress:
    team_id, channel_id = claimed.claim.team_id, str(body["channel"]["id"])
    return ReplyAddress(
        team_id=team_id, channel_id=channel_id, thread_ts=str(body["container"]["thread_ts"]),
        recipient_user_id=actor_of(body).user_id, recipient_team_id=team_id, is_direct=channel_id.startswith("D"),
    )  # fmt: skip


def _shown(name: str) -> str:
    """A file's name inside Markdown of ours."""
    return re.sub(r"[*_`~\[\]()<>|\\]", " ", foreign(clipped(name, 100), 100)).strip() or "…"
