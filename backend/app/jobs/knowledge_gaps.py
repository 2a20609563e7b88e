"""Every Monday morning: the questions of the week that the knowledge had no answer to."""

from datetime import datetime
from typing import Final

from app.assistant.knowledge_gaps import KnowledgeGaps

ON_MONDAYS: Final = "0 0 * * 1"  # 09:00 in Tokyo


class TellGaps:
    """The handler; running twice for one week tells once."""

    def __init__(self, gaps: KnowledgeGaps) -> None:
        self._gaps = gaps

    async def __call__(self, tick: datetime) -> None:
        del tick
        await self._gaps()
