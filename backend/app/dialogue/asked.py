"""Questions that people asked, as far as the company's knowledge shall learn from them."""

from dataclasses import dataclass
from datetime import datetime

from app.core.encryption import Cipher
from app.dialogue.turn import TurnRole
from app.i18n.language import Language
from app.people.person import Actor
from app.storage.database import Record, Session

# Private questions are found for the person alone.
_BEHIND = """
select m.team_id, m.inbox_id, m.user_id, m.content, coalesce(m.language, s.language) as language, s.is_direct
from reply_parts p
join dialogue_messages m on m.inbox_id = p.inbox_id and m.team_id = p.team_id and m.role = 'speaker'
join dialogue_sessions s on s.id = m.session_id and s.team_id = m.team_id
where p.team_id = $1 and p.channel_id = $2 and p.ts = $3 and (not s.is_direct or m.user_id = $4)
limit 1
"""

# Without a source, or judged unhelpful by anybody.
_UNANSWERED = """
select m.team_id, m.inbox_id, m.user_id, m.content, coalesce(m.language, s.language) as language, s.is_direct
from dialogue_messages a
join dialogue_messages m on m.inbox_id = a.inbox_id and m.team_id = a.team_id and m.role = 'speaker'
join dialogue_sessions s on s.id = m.session_id and s.team_id = m.team_id
where a.team_id = $1 and a.role = 'coach' and a.said_at >= $2 and a.said_at < $3
  and (a.sources = '[]'::jsonb or exists (
      select 1 from reply_parts p
      join feedback f on f.team_id = p.team_id and f.channel_id = p.channel_id and f.message_ts = p.ts
      where p.team_id = a.team_id and p.inbox_id = a.inbox_id and f.verdict = 'unhelpful'))
order by m.id desc limit $4
"""


@dataclass(frozen=True)
class AskedQuestion:
    """One question. ``is_private``: asked where nobody else could read it."""

    text: str
    language: Language
    user_id: str
    is_private: bool


class AskedQuestions:
    """Reads questions behind answers, through one session."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def behind(self, actor: Actor, *, channel_id: str, message_ts: str) -> AskedQuestion | None:
        """What an answer answered, if ``actor`` could read it: their own, or one asked in a channel."""
        row = await self._session.fetch_row(_BEHIND, actor.team_id, channel_id, message_ts, actor.user_id)
        return self._question(row) if row else None

    async def unanswered(self, team_id: str, *, since: datetime, until: datetime, limit: int) -> list[AskedQuestion]:
        """Those whose answers rest on no source, or were of no use to somebody; the latest first."""
        rows = await self._session.fetch(_UNANSWERED, team_id, since, until, limit)
        return [self._question(row) for row in rows]

    async def workspaces(self, *, since: datetime) -> list[str]:
        """Where anything was asked."""
        rows = await self._session.fetch("select distinct team_id from dialogue_messages where said_at >= $1 limit 1000", since)
        return [row["team_id"] for row in rows]

    def _question(self, row: Record) -> AskedQuestion:
        place = f"{row['team_id']}|dialogue_messages|{row['inbox_id']}:{TurnRole.SPEAKER}"
        text = self._cipher.decrypt(row["content"], place=place)
        language = Language(row["language"]) if row["language"] else Language.JAPANESE
        return AskedQuestion(text, language, row["user_id"], row["is_direct"])
