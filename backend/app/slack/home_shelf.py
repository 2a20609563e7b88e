"""The last Home tab of each person, encrypted, so that something is there at once while the new one is being read."""

import json

from app.cache.cache import Cache
from app.cache.keys import home_key
from app.core.encryption import Cipher
from app.core.errors import ConfigurationError
from app.slack.blocks.parts import Block

KEPT_SECONDS = 24 * 3600
_FORM = 1  # grows when buttons of older tabs would not work any more


class HomeShelf:
    """Forgets whenever something that Home shows is changed, and for good when the person is forgotten."""

    def __init__(self, cache: Cache, cipher: Cipher) -> None:
        self._cache = cache
        self._cipher = cipher

    async def take(self, team_id: str, user_id: str) -> Block | None:
        """What was shown last; gone from here afterwards, so that an interruption leaves nothing old behind."""
        sealed = await self._cache.take(home_key(team_id, user_id))
        if sealed is None:
            return None
        try:
            form, view = json.loads(self._cipher.decrypt(sealed, place=_place(team_id, user_id)))
        except (ConfigurationError, ValueError, TypeError, IndexError):  # of another version, or of another key
            return None
        return dict(view) if form == _FORM else None

    async def keep(self, team_id: str, user_id: str, view: Block) -> None:
        sealed = self._cipher.encrypt(json.dumps([_FORM, view], ensure_ascii=False), place=_place(team_id, user_id))
        await self._cache.add(home_key(team_id, user_id), sealed, KEPT_SECONDS)

    async def drop(self, team_id: str, user_id: str) -> None:
        """Something has changed that Home shows."""
        await self._cache.delete(home_key(team_id, user_id))


def _place(team_id: str, user_id: str) -> str:
    return f"{team_id}|home|{user_id}"
