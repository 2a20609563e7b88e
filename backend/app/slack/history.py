"""Past talks as the screen shows them, in the person's own days; and what somebody wants who types ``/ai_history``."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.coaching.plan.due_dates import zone_of
from app.dialogue.turn import PastSession
from app.slack.blocks.history import HISTORY_DAYS, PastTalk

_DAYS = re.compile(r"(\d{1,3})\s*(?:d|days?|日|日間|天)?")
_MOST_DAYS = 365


class WishKind(StrEnum):
    """What ``/ai_history`` is asked for."""

    SHOW = "show"
    EXPORT = "export"
    FORGET = "forget"
    UNKNOWN = "unknown"


_WORDS = {
    WishKind.EXPORT: {"export", "エクスポート", "書き出し", "出力", "导出"},
    WishKind.FORGET: {"delete", "erase", "forget", "削除", "消去", "删除"},
}


@dataclass(frozen=True)
class Wish:
    """``days`` matter when history is to be shown."""

    kind: WishKind
    days: int = HISTORY_DAYS


def wish_of(text: str) -> Wish:
    """``30d``, ``export``, ``delete`` and their Japanese and Chinese words, in whatever width they were typed."""
    words = unicodedata.normalize("NFKC", text).strip().lower()
    if not words:
        return Wish(WishKind.SHOW)
    if (found := _DAYS.fullmatch(words)) and 1 <= int(found[1]) <= _MOST_DAYS:
        return Wish(WishKind.SHOW, int(found[1]))
    kind = next((kind for kind, known in _WORDS.items() if words in known), WishKind.UNKNOWN)
    return Wish(kind)


def talks_of(sessions: Sequence[PastSession], time_zone: str) -> list[PastTalk]:
    zone = zone_of(time_zone)
    return [PastTalk(session.title or None, session.last_turn_at.astimezone(zone).date()) for session in sessions]
