"""Every night: what is older than its class may be is deleted. The list of classes is ``people/personal_data.py``."""

import logging
from datetime import datetime, timedelta

from app.core.clock import Clock
from app.core.config import Settings
from app.people.erasure.repository import PURGED_AT_ONCE, classes_that_age, purge
from app.storage.database import Database

logger = logging.getLogger(__name__)

NIGHTLY = "30 18 * * *"  # UTC: half past three in Tokyo


class Purge:
    """The handler of the nightly job. In small portions, so that nobody waits for it; running twice does no harm."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def __call__(self, tick: datetime) -> None:  # noqa: ARG002  (what is too old is so now, whenever the job was due)
        for data in classes_that_age():
            before = self._clock.now() - timedelta(days=getattr(self._settings, str(data.retention)))
            removed = 0
            while True:
                async with self._database.transaction() as session:
                    gone = await purge(session, data, before=before)
                removed += gone
                if gone < PURGED_AT_ONCE:
                    break
            if removed:
                logger.info("old_data_purged", extra={"table": data.table, "rows": removed})
