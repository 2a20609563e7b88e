"""The job behind reminders: every minute, in one process at a time and safe in several."""

import logging
from datetime import datetime

from app.assistant.send_reminders import SendReminders

logger = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"


class Remind:
    """What is due goes by the product's clock; the tick only says that it is time to look."""

    def __init__(self, send_reminders: SendReminders) -> None:
        self._send_reminders = send_reminders

    async def __call__(self, _tick: datetime) -> None:
        if count := await self._send_reminders():
            logger.info("reminders_taken_up", extra={"reminders": count})
