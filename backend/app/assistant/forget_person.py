"""Somebody wants to be forgotten: rows, vectors, caches, drafts, stored messages, jobs. Costs stay without a name."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from app.cache.cache import Cache
from app.cache.keys import home_key, memory_key, session_key
from app.core.encryption import Cipher
from app.people.directory import PeopleDirectory
from app.people.erasure.repository import NO_WISH, ErasureRepository
from app.people.person import Actor
from app.storage.database import Database

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Forgotten:
    """How many rows of each class of data are gone or name nobody any more."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class ForgetPerson:
    """Only ever for the actor themselves. All or nothing in PostgreSQL; doing it again does no harm and mends a lost cache."""

    def __init__(self, *, database: Database, cipher: Cipher, cache: Cache, people: PeopleDirectory) -> None:
        self._database = database
        self._cipher = cipher
        self._cache = cache
        self._people = people

    async def __call__(self, actor: Actor, *, wish: int = NO_WISH) -> Forgotten:
        """``wish``: the stored event that asks for it, if one does; what waits and was stored later is not withdrawn."""
        async with self._database.transaction() as session:
            everything = ErasureRepository(session, self._cipher, actor.team_id, actor.user_id)
            conversations = await everything.conversations()
            counts = await everything.forget(wish=wish)
        # After the commit: whoever reads PostgreSQL from now on finds nothing to put back.
        if conversations:
            await self._cache.delete(*map(session_key, conversations))
        await self._cache.block(memory_key(actor.team_id, actor.user_id))
        await self._cache.block(home_key(actor.team_id, actor.user_id))
        await self._people.drop_cached(actor.team_id, actor.user_id)
        logger.info("person_forgotten", extra={"team_id": actor.team_id, "rows": sum(counts.values())})
        return Forgotten(counts)
