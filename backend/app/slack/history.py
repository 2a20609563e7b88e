"""Past talks as the screen shows them: in the person's own days."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.dialogue.turn import PastSession
from app.slack.blocks.history import HISTORY_DAYS, History, PastTalk


def history_of(sessions: Sequence[PastSession], time_zone: str) -> History:
    zone = _zone(time_zone)
    talks = [PastTalk(session.title or None, session.last_turn_at.astimezone(zone).date()) for session in sessions]
    return History(days=HISTORY_DAYS, count=len(talks), talks=talks)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("Asia/Tokyo")
