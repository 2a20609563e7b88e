"""Every Tuesday morning: entries that have grown old ask whether they still hold."""

from datetime import datetime
from typing import Final

from app.assistant.review_stale import ReviewStale

ON_TUESDAYS: Final = "0 0 * * 2"  # 09:00 in Tokyo


class AskForReviews:
    """The handler; an entry asks once per quarter of a year."""

    def __init__(self, review: ReviewStale) -> None:
        self._review = review

    async def __call__(self, tick: datetime) -> None:
        del tick
        await self._review()
