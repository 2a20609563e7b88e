"""The latest turns of a conversation, from the cache if possible and always as PostgreSQL has them.

One question at a time is answered in a conversation, so a talk is *taken* out of the cache, and put back with the new turns after
they are committed. If anything happens in between, nothing stale is left to be found.
"""

import json
import logging

from app.cache.cache import Cache
from app.cache.keys import session_key
from app.core.encryption import Cipher
from app.core.errors import ConfigurationError
from app.dialogue.conversation import Conversation
from app.dialogue.repository import DialogueRepository
from app.dialogue.turn import Exchange, Recorded, Talk, Turn, TurnRole
from app.i18n.language import Language
from app.storage.database import Database

logger = logging.getLogger(__name__)

MOST_TURNS = 20
_FORM = 2  # of the cached value: grows when its layout changes


class RecentTurns:
    """Reads with no query when the cache knows the talk, with one when it does not."""

    def __init__(self, database: Database, cipher: Cipher, cache: Cache, *, cache_hours: int = 24) -> None:
        self._database = database
        self._cipher = cipher
        self._cache = cache
        self._ttl_seconds = cache_hours * 3600

    async def recall(self, conversation: Conversation, *, is_first: bool = False) -> Talk:
        """The talk so far. Whoever answers calls :meth:`remember` afterwards; otherwise the next one reads PostgreSQL.

        ``is_first``: what is answered begins the conversation, so that there is nothing to look for.
        """
        if is_first:
            return Talk()
        cached = await self._cache.take(session_key(conversation.key))
        if cached and (talk := self._opened(cached, conversation)):
            return talk
        return await self._from_database(conversation)

    async def peek(self, conversation: Conversation) -> Talk:
        """The talk so far, for whoever is not going to answer: it stays in the cache."""
        cached = await self._cache.get(session_key(conversation.key))
        return (self._opened(cached, conversation) if cached else None) or await self._from_database(conversation)

    async def remember(self, talk: Talk, exchange: Exchange, recorded: Recorded) -> None:
        """After the commit. Keeps nothing when ``talk`` turns out not to have been the whole of it."""
        key = session_key(exchange.conversation.key)
        if recorded.last_turn_before != talk.last_turn_id:
            logger.warning("cached_talk_was_stale", extra={"session_id": recorded.session_id})
            await self._cache.delete(key)
            return
        turns = (*talk.turns, *exchange.turns)[-MOST_TURNS:]
        value = self._sealed(Talk(recorded.language, turns, recorded.last_turn_id, talk.summary), exchange.conversation)
        await self._cache.set(key, value, self._ttl_seconds)

    async def drop(self, conversation: Conversation) -> None:
        """After turns were changed or erased in PostgreSQL."""
        await self._cache.delete(session_key(conversation.key))

    async def _from_database(self, conversation: Conversation) -> Talk:
        async with self._database.reading() as session:
            return await DialogueRepository(session, self._cipher).talk(conversation, turns=MOST_TURNS)

    def _sealed(self, talk: Talk, conversation: Conversation) -> bytes:
        turns = [(turn.role, turn.text, turn.user_id, turn.skill) for turn in talk.turns]
        text = json.dumps([_FORM, talk.language, talk.last_turn_id, turns, talk.summary], ensure_ascii=False)
        return self._cipher.encrypt(text, place=_place(conversation))

    def _opened(self, value: bytes, conversation: Conversation) -> Talk | None:
        """``None`` for what another version, another key or somebody else has written."""
        try:
            form, language, last_turn_id, turns, summary = json.loads(self._cipher.decrypt(value, place=_place(conversation)))
            if form != _FORM:
                return None
            return Talk(
                Language(language) if language else None,
                tuple(Turn(TurnRole(role), text, user_id, skill) for role, text, user_id, skill in turns),
                last_turn_id,
                summary,
            )
        except (ConfigurationError, ValueError, TypeError, IndexError):
            return None


def _place(conversation: Conversation) -> str:
    return f"{conversation.team_id}|cache|{conversation.key}"
