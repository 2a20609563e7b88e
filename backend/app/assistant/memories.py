"""What the coach remembers of somebody, for themselves: seen, corrected, erased."""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.coaching.fence import shortened, visible_text
from app.coaching.memory.insight import LONGEST_TEXT, Insight, StatedBy
from app.coaching.memory.instruction_like import is_instruction_like
from app.coaching.memory.recollection import Recollection
from app.coaching.memory.repository import MemoryRepository, ShownMemory
from app.coaching.memory.vectors import PassageVectors, vectors_of
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.people.person import Actor
from app.storage.database import Database, Session

PAGE = 8


@dataclass(frozen=True)
class MemoryPage:
    """Some memories, the newest first. ``number`` counts from 1; ``pages`` is at least 1."""

    memories: tuple[ShownMemory, ...]
    number: int
    pages: int
    total: int


class Correction(StrEnum):
    """What became of a correction."""

    DONE = "done"
    GONE = "gone"
    EMPTY = "empty"
    ORDER = "order"  # reads like an instruction to the coach: nobody can plant one, not even its owner by mistake


class Memories:
    """Every call is for the actor's own memories; those of others are as if they were not there."""

    def __init__(
        self, *, database: Database, cipher: Cipher, recollection: Recollection, clock: Clock,
        embedder: PassageVectors | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._cipher = cipher
        self._recollection = recollection
        self._clock = clock
        self._embedder = embedder

    async def latest(self, actor: Actor, limit: int = 3) -> list[ShownMemory]:
        async with self._database.reading() as session:
            return (await self._of(session).shown(actor, limit=limit))[0]

    async def list(self, actor: Actor, page: int = 1) -> MemoryPage:
        """The page asked for, or the last one there is."""
        async with self._database.reading() as session:
            memories, total = await self._of(session).shown(actor, limit=PAGE, offset=(max(page, 1) - 1) * PAGE)
        if memories or page <= 1:
            return MemoryPage(tuple(memories), max(page, 1), max(-(-total // PAGE), 1), total)
        return await self.list(actor, page - 1)

    async def one(self, actor: Actor, id: int) -> ShownMemory | None:  # noqa: A002
        async with self._database.reading() as session:
            return next(iter(await self._of(session).some(actor, [id])), None)

    async def correct(self, actor: Actor, id: int, text: str) -> Correction:  # noqa: A002
        """Replaces a memory by the person's own words, which are certain from now on."""
        told = shortened(" ".join(visible_text(text).split()), LONGEST_TEXT)
        if not told:
            return Correction.EMPTY
        if is_instruction_like(told):
            return Correction.ORDER
        [vector] = await vectors_of([told], self._embedder)
        async with self._database.transaction() as session:
            memories = self._of(session)
            await memories.lock(actor.team_id, actor.user_id)
            wrong = await memories.current(actor, id)
            if wrong is None:
                return Correction.GONE
            right = _corrected(wrong, told, self._clock)
            [new_id] = await memories.add(actor.team_id, actor.user_id, [right], [vector])
            await memories.replace(actor, id, new_id, self._clock.now())
        await self._recollection.drop(actor.team_id, actor.user_id)
        return Correction.DONE

    async def erase(self, actor: Actor, id: int) -> bool:  # noqa: A002
        """The memory, its vector, and all it was made from. False when it is not there any more."""
        async with self._database.transaction() as session:
            memories = self._of(session)
            await memories.lock(actor.team_id, actor.user_id)
            was_there = await memories.erase(actor, id)
        await self._recollection.drop(actor.team_id, actor.user_id)
        return was_there

    def _of(self, session: Session) -> MemoryRepository:
        return MemoryRepository(session, self._cipher)


def _corrected(wrong: Insight, text: str, clock: Clock) -> Insight:
    return replace(
        wrong,
        id=0,
        text=text,
        confidence=1.0,
        observed_at=clock.now(),
        stated_by=StatedBy.PERSON,
        evidence="",
        superseded_by=None,
    )
