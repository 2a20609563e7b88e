"""What is remembered of a person, from the cache if possible and always as PostgreSQL has it."""

import logging
import struct

from app.cache.cache import Cache
from app.cache.keys import memory_key
from app.coaching.memory.repository import MemoryRepository
from app.coaching.memory.shelf import Shelf
from app.core.encryption import Cipher
from app.core.errors import AppError, ConfigurationError
from app.storage.database import Database

logger = logging.getLogger(__name__)


class Recollection:
    """Reads with no query when the cache knows the person, with one when it does not."""

    def __init__(self, database: Database, cipher: Cipher, cache: Cache, *, cache_hours: int = 24) -> None:
        self._database = database
        self._cipher = cipher
        self._cache = cache
        self._ttl_seconds = cache_hours * 3600

    async def of(self, team_id: str, user_id: str) -> Shelf | None:
        """``None`` when it cannot be read: an answer without memories is better than none."""
        cached = await self._cache.get(memory_key(team_id, user_id))
        if cached and (shelf := self._opened(cached, team_id, user_id)):
            return shelf
        try:
            async with self._database.reading() as session:
                shelf = await MemoryRepository(session, self._cipher).shelf(team_id, user_id)
        except AppError as error:
            logger.warning("memories_not_read", extra={"error": type(error).__name__})
            return None
        sealed = self._cipher.encrypt_bytes(shelf.packed, place=_place(team_id, user_id))
        await self._cache.add(memory_key(team_id, user_id), sealed, self._ttl_seconds)
        return shelf

    async def drop(self, team_id: str, user_id: str) -> None:
        """After a change was committed: whoever still has the old ones does not put them back."""
        await self._cache.block(memory_key(team_id, user_id))

    def _opened(self, value: bytes, team_id: str, user_id: str) -> Shelf | None:
        """``None`` for what another version, another key or somebody else has written."""
        try:
            return Shelf.unpacked(self._cipher.decrypt_bytes(value, place=_place(team_id, user_id)))
        except (ConfigurationError, ValueError, TypeError, struct.error):
            return None


def _place(team_id: str, user_id: str) -> str:
    return f"{team_id}|cache|memory {user_id}"
