"""The message shortcut ナレッジにする: what somebody wrote is the beginning of an entry, or of the proposal of one."""

import re
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from app.i18n.detection import language_of
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, may_publish
from app.knowledge.proposals.draft import EntryDraft
from app.slack.blocks.parts import clipped
from app.slack.blocks.plan_forms import notice_modal
from app.slack.blocks.proposals import LONGEST_IN_FORM
from app.slack.listeners.entry_form import open_entry_form
from app.slack.listeners.windows import open_window, who_clicked
from app.slack.payloads import without_mention

MAKE_SHORTCUT: Final = "make_knowledge"
_SUGGESTED_TITLE = 80
_MENTION = re.compile(r"<[@#!][^>]*>")
_LABELLED = re.compile(r"<(https?://[^|>]+|mailto:[^|>]+)\|([^>]+)>")
_BARE = re.compile(r"<(https?://[^|>]+)>")


async def begin_entry(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
    await ack()
    edge, actor, language = await who_clicked(context, body)
    text = written_in(body.get("message") or {})
    if actor.is_external or not text:
        reason = message(f"imports.make.{'external' if actor.is_external else 'no_text'}", language)
        await open_window(edge, body, notice_modal(reason, language))
        return
    await open_entry_form(edge, body, language, draft=_draft(text, language), publishes=may_publish(actor))


def written_in(shown: dict[str, Any]) -> str:
    """The words of a message as people read them: nobody is named who was only addressed, links keep their address."""
    text = shown.get("text")
    if not isinstance(text, str):
        return ""
    text = _BARE.sub(r"\1", _LABELLED.sub(r"\2 (\1)", text))
    return without_mention(_MENTION.sub("", text), None)


def _draft(text: str, language: Language) -> EntryDraft:
    """The first line is the title when more follows; else the text has yet to be named."""
    first, _, rest = text.partition("\n")
    return EntryDraft(
        title=clipped(first, _SUGGESTED_TITLE) if rest.strip() else "", body=clipped(text, LONGEST_IN_FORM),
        category=Category.COMPANY, language=language_of(text) or language, source=message("imports.make.source", language),
    )  # fmt: skip
