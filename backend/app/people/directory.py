"""Who somebody is: from this process' memory, the cache, PostgreSQL, and only then from Slack.

Every message needs its speaker, so the usual way costs no query. What is older than a day is used and looked up again behind
it; what is older than a week, or was never looked up, is waited for. Somebody Slack does not know counts as external; when
Slack does not answer about somebody new, its error goes on to the caller: nobody is taken for a member on trust.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from app.cache.cache import Cache
from app.cache.keys import person_key, workspace_key
from app.core.clock import Clock, SystemClock
from app.core.encryption import Cipher
from app.i18n.language import Language
from app.people.lookup import LookedUpPerson, PersonLookup
from app.people.person import Dose, Person, Persona, Standing, Visibility
from app.people.repository import PeopleRepository
from app.people.workspace import Workspace
from app.storage.database import Database

logger = logging.getLogger(__name__)

T = TypeVar("T")

IN_MEMORY_SECONDS = 60
IN_CACHE_SECONDS = 3600
LOOKED_UP_AGAIN_AFTER = timedelta(days=1)
NOT_BELIEVED_AFTER = timedelta(days=7)
MOST_IN_MEMORY = 10_000

_UNKNOWN_TO_SLACK = LookedUpPerson("", None, None, Standing.MEMBER, is_external=True)


@dataclass(frozen=True)
class _Known:
    person: Person
    looked_up_at: datetime | None


class PeopleDirectory:
    """Opened by ``composition``; ``close`` waits for look-ups that are under way."""

    def __init__(
        self, database: Database, cipher: Cipher, cache: Cache, lookup: PersonLookup, *, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._cache = cache
        self._lookup = lookup
        self._clock = clock or SystemClock()
        self._people = _Memory[_Known](self._clock)
        self._workspaces = _Memory[Workspace](self._clock)
        self._looking_up: dict[tuple[str, str], asyncio.Task[Person]] = {}

    async def close(self) -> None:
        await asyncio.gather(*self._looking_up.values(), return_exceptions=True)

    async def find(self, team_id: str, user_id: str) -> Person:
        """The person. ``SlackError`` when they are new here and Slack does not answer."""
        key = (team_id, user_id)
        # Asked again afterwards: while the stores were read, another message's look-up may have come to its end.
        known = self._people.get(key) or await self._from_stores(team_id, user_id) or self._people.get(key)
        age = self._clock.now() - known.looked_up_at if known and known.looked_up_at else None
        if known is None or age is None or age > NOT_BELIEVED_AFTER:
            # Several messages of one new person wait for one look-up; the interruption of one does not end it for the others.
            return await asyncio.shield(self._look_up(key))
        if age > LOOKED_UP_AGAIN_AFTER:
            self._look_up(key)
        return known.person

    async def workspace(self, team_id: str) -> Workspace:
        """The workspace's settings; the defaults when nothing was set."""
        if found := self._workspaces.get(team_id):
            return found
        cached = await self._cache.get(workspace_key(team_id))
        found = _read(_workspace_from_json, cached) if cached else None
        if found is None:
            async with self._database.reading() as session:
                found = await PeopleRepository(session, self._cipher).workspace(team_id) or Workspace(team_id)
            await self._cache.set(workspace_key(team_id), _workspace_to_json(found), IN_CACHE_SECONDS)
        self._workspaces.keep(team_id, found)
        return found

    async def save_workspace(self, workspace: Workspace) -> None:
        async with self._database.transaction() as session:
            await PeopleRepository(session, self._cipher).save_workspace(workspace)
        self._workspaces.drop(workspace.team_id)
        await self._cache.delete(workspace_key(workspace.team_id))

    async def choose_language(self, team_id: str, user_id: str, language: Language | None) -> None:
        """The language this person wants from now on; ``None``: whatever their Slack says. Other processes follow in a minute."""
        async with self._database.transaction() as session:
            await PeopleRepository(session, self._cipher).choose_language(team_id, user_id, language)
        await self.drop_cached(team_id, user_id)

    async def choose_dose(self, team_id: str, user_id: str, dose: Dose | None) -> None:
        """``None``: the beginners' rule decides."""
        await self._choose(team_id, user_id, "dose", dose)

    async def choose_persona(self, team_id: str, user_id: str, persona: Persona) -> None:
        await self._choose(team_id, user_id, "persona", persona)

    async def choose_visibility(self, team_id: str, user_id: str, visibility: Visibility) -> None:
        await self._choose(team_id, user_id, "visibility", visibility)

    async def switch_reminders(self, team_id: str, user_id: str, *, is_on: bool) -> None:
        await self._choose(team_id, user_id, "reminders", None if is_on else "off")

    async def _choose(self, team_id: str, user_id: str, name: str, value: str | None) -> None:
        async with self._database.transaction() as session:
            await PeopleRepository(session, self._cipher).change_preferences(team_id, user_id, {name: value})
        await self.drop_cached(team_id, user_id)

    async def drop_cached(self, team_id: str, user_id: str) -> None:
        """After a change in PostgreSQL: nothing older is remembered here or in the cache."""
        self._people.drop((team_id, user_id))
        await self._cache.delete(person_key(team_id, user_id))

    async def _from_stores(self, team_id: str, user_id: str) -> _Known | None:
        cached = await self._cache.get(person_key(team_id, user_id))
        known = _read(_known_from_json, cached) if cached else None
        if known is None:
            async with self._database.reading() as session:
                row = await PeopleRepository(session, self._cipher).person(team_id, user_id)
            if row is None:
                return None
            known = _Known(*row)
            await self._cache.set(person_key(team_id, user_id), _known_to_json(known), IN_CACHE_SECONDS)
        self._people.keep((team_id, user_id), known)
        return known

    def _look_up(self, key: tuple[str, str]) -> asyncio.Task[Person]:
        task = self._looking_up.get(key)
        if task is None:
            task = asyncio.create_task(self._ask_slack(*key), name="look_up_person")
            self._looking_up[key] = task
            task.add_done_callback(lambda done: self._looked_up(key, done))
        return task

    def _looked_up(self, key: tuple[str, str], task: asyncio.Task[Person]) -> None:
        self._looking_up.pop(key, None)
        if not task.cancelled() and (error := task.exception()):  # whoever waits for it gets it as well
            logger.warning("person_not_looked_up", extra={"user_id": key[1], "error": type(error).__name__})

    async def _ask_slack(self, team_id: str, user_id: str) -> Person:
        found = await self._lookup(team_id, user_id) or _UNKNOWN_TO_SLACK
        now = self._clock.now()
        async with self._database.transaction() as session:
            person = await PeopleRepository(session, self._cipher).save_looked_up(team_id, user_id, found, now)
        known = _Known(person, now)
        self._people.keep((team_id, user_id), known)
        await self._cache.set(person_key(team_id, user_id), _known_to_json(known), IN_CACHE_SECONDS)
        return person


class _Memory(Generic[T]):
    """A minute's memory of this process, the oldest thrown out first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable) -> T | None:
        kept = self._kept.get(key)
        return kept[1] if kept and self._clock.monotonic() < kept[0] else None

    def keep(self, key: Hashable, value: T) -> None:
        self._kept.pop(key, None)
        self._kept[key] = (self._clock.monotonic() + IN_MEMORY_SECONDS, value)
        while len(self._kept) > MOST_IN_MEMORY:
            del self._kept[next(iter(self._kept))]

    def drop(self, key: Hashable) -> None:
        self._kept.pop(key, None)


def _read(parse: Callable[[dict[str, Any]], T], value: bytes) -> T | None:
    """A cached value written by another version of this program counts as not cached."""
    try:
        return parse(json.loads(value))
    except (ValueError, KeyError, TypeError):
        return None


def _known_to_json(known: _Known) -> bytes:
    person = known.person
    looked_up_at = known.looked_up_at.isoformat() if known.looked_up_at else None
    return json.dumps({
        "team_id": person.team_id, "user_id": person.user_id, "language": person.language, "time_zone": person.time_zone,
        "standing": person.standing, "is_external": person.is_external, "looked_up_at": looked_up_at,
        "language_is_chosen": person.language_is_chosen,
        "dose": person.dose, "dose_is_chosen": person.dose_is_chosen, "persona": person.persona,
        "reminders_on": person.reminders_on, "visibility": person.visibility,
    }).encode()  # fmt: skip


def _known_from_json(value: dict[str, Any]) -> _Known:
    looked_up_at = value.pop("looked_up_at")
    language = value.pop("language")
    kinds: dict[str, type[StrEnum]] = {"standing": Standing, "dose": Dose, "persona": Persona, "visibility": Visibility}
    choices: dict[str, Any] = {name: kind(value.pop(name)) for name, kind in kinds.items()}
    person = Person(**value, **choices, language=Language(language) if language else None)
    return _Known(person, datetime.fromisoformat(looked_up_at) if looked_up_at else None)


def _workspace_to_json(workspace: Workspace) -> bytes:
    return json.dumps(vars(workspace)).encode()


def _workspace_from_json(value: dict[str, Any]) -> Workspace:
    workspace = Workspace(**value)
    return replace(workspace, language=Language(workspace.language)) if workspace.language else workspace
