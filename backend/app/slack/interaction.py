"""Commands, clicks and forms: through Bolt while Slack waits, each at most once."""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any

from app.cache.keys import limit_key
from app.cache.limits import Limits
from app.core.errors import AppError
from app.core.metrics import count_error
from app.core.reference import new_reference
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.bolt_app import BoltDoor
from app.slack.ingress import team_of

logger = logging.getLogger(__name__)

# Slack shows an error after 3 seconds.
ANSWER_SECONDS = 2.6
REMEMBERED_SECONDS = 3600


@dataclass(frozen=True)
class DoorAnswer:
    """What goes back to Slack."""

    status: int = 200
    body: str = ""
    media_type: str = "text/plain"


class InteractionDoor:
    """Answers what a person did on the screen."""

    def __init__(self, *, bolt: BoltDoor, limits: Limits, fallback_language: Language) -> None:
        self._bolt = bolt
        self._limits = limits
        self._language = fallback_language

    async def answer(self, payload: dict[str, Any]) -> DoorAnswer:
        """A second delivery of the same trigger is answered with an empty 200 and does nothing."""
        if not await self._is_first(payload):
            return DoorAnswer()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._bolt.dispatch(payload)
        except Exception as error:  # noqa: BLE001 - an edge: the person reads a sentence, the log has the trace
            return self._sorry(payload, error)
        content_type = next(iter(response.headers.get("content-type", ["text/plain"])))
        return DoorAnswer(response.status, response.body, content_type.partition(";")[0])

    async def _is_first(self, payload: dict[str, Any]) -> bool:
        trigger = payload.get("trigger_id")
        if not isinstance(trigger, str):
            trigger = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        key = limit_key(team_of(payload) or "", "trigger", trigger[:100])
        return (await self._limits.take(key, limit=1, seconds=REMEMBERED_SECONDS)).is_allowed

    def _sorry(self, payload: dict[str, Any], error: Exception) -> DoorAnswer:
        reference = new_reference()
        count_error(error)
        logger.error("interaction_failed", extra={"reference": reference, "kind": _kind(payload)}, exc_info=error)
        key = error.message_key if isinstance(error, AppError) else "errors.unexpected"
        if isinstance(error, TimeoutError):
            key = "commands.unavailable"
        text = f"{message(key, self._language)}\n{message('errors.reference', self._language, reference=reference)}"
        return _shown(payload, text)


def _shown(payload: dict[str, Any], text: str) -> DoorAnswer:
    """The way each kind of request can show a sentence: privately, or beside the form's field."""
    if "command" in payload:
        return _json({"response_type": "ephemeral", "text": text})
    blocks = payload.get("view", {}).get("blocks", []) if payload.get("type") == "view_submission" else []
    field = next((block.get("block_id") for block in blocks if block.get("type") == "input"), None)
    if field:
        return _json({"response_action": "errors", "errors": {field: text}})
    # Slack shows a click's failure itself when the status is none of the good ones.
    return DoorAnswer(500)


def _json(value: dict[str, Any]) -> DoorAnswer:
    return DoorAnswer(200, json.dumps(value, ensure_ascii=False), "application/json")


def _kind(payload: dict[str, Any]) -> str:
    return "command" if "command" in payload else str(payload.get("type"))[:40]
