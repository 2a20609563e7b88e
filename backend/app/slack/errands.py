"""Work that takes longer than Slack waits: stored like a delivery, and done by a worker for the person who asked.

An errand looks like a click on a button, so Bolt finds its listener by the action id. It is a "command": erasing a person's
data leaves the command that is being worked on, which may be that very wish.
"""

import json
from typing import Any

from app.i18n.language import Language
from app.inbox.envelope import Envelope
from app.people.person import Actor

CHART = "errand_chart"
EXPORT = "errand_export"
FORGET = "errand_forget"


def chart_errand(actor: Actor, language: Language, *, request: str, days: int, thread_ts: str | None) -> Envelope:
    return _errand(CHART, actor, request=request, value={"language": language.value, "days": days, "thread_ts": thread_ts})


def export_errand(actor: Actor, language: Language, *, request: str) -> Envelope:
    return _errand(EXPORT, actor, request=request, value={"language": language.value})


def forget_errand(actor: Actor, language: Language, *, request: str) -> Envelope:
    return _errand(FORGET, actor, request=request, value={"language": language.value})


def _errand(action_id: str, actor: Actor, *, request: str, value: dict[str, Any]) -> Envelope:
    """``request`` names what asked for it (a trigger, a message), so that asking twice by mistake is asking once."""
    body = {
        "type": "block_actions", "team": {"id": actor.team_id}, "user": {"id": actor.user_id}, "trigger_id": request,
        "actions": [{"type": "button", "block_id": "errand", "action_id": action_id, "value": json.dumps(value)}],
    }  # fmt: skip
    return Envelope(
        team_id=actor.team_id, event_id=f"{action_id}:{request}", kind="command",
        conversation=f"{actor.team_id}:{actor.user_id}:errand", channel_id=None, message_ts=None, user_id=actor.user_id,
        body=json.dumps(body, ensure_ascii=False).encode(),
    )  # fmt: skip
