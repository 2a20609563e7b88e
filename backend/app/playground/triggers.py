"""Trigger ids: one use within three seconds opens one view."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from app.playground.validation import Refused

KEEP = 2_000


@dataclass
class _Trigger:
    team_id: str
    user_id: str
    issued_at: float
    is_used: bool = False
    view_id: str | None = None  # the modal it was pressed in


class Triggers:
    def __init__(self, now: Callable[[], float], lifetime_seconds: Callable[[], float]) -> None:
        self._now = now
        self._lifetime_seconds = lifetime_seconds
        self._numbers = count(1)
        self._triggers: dict[str, _Trigger] = {}

    def issue(self, team_id: str, user_id: str, view_id: str | None = None) -> str:
        trigger_id = f"{next(self._numbers)}.{int(self._now() * 1000)}.playground"
        self._triggers[trigger_id] = _Trigger(team_id, user_id, self._now(), view_id=view_id)
        if len(self._triggers) > KEEP:
            self._triggers.pop(next(iter(self._triggers)))
        return trigger_id

    def use(self, trigger_id: str, team_id: str) -> tuple[str, str | None]:
        """The person who pressed, and the modal it happened in."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None or trigger.team_id != team_id:
            raise Refused("invalid_trigger_id")
        if trigger.is_used:
            raise Refused("exchanged_trigger_id")
        if self._now() - trigger.issued_at > self._lifetime_seconds():
            raise Refused("expired_trigger_id")
        trigger.is_used = True
        return trigger.user_id, trigger.view_id
