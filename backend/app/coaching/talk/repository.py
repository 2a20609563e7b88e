"""Guided talks in PostgreSQL. What the person said is encrypted; the state is rebuilt from the statements, never stored."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.coaching.talk.state import Known, Point, Talk
from app.core.encryption import Cipher
from app.core.errors import StorageUnavailable
from app.storage.database import Record, Session

# A person's earlier statements count as known in a new talk about the same topic for this long.
REMEMBERED_DAYS = 180
MOST_STATEMENTS = 200


@dataclass(frozen=True)
class OpenTalk:
    """A talk under way in one session, or one that has been: see ``is_open``."""

    id: int
    team_id: str
    user_id: str
    talk: Talk
    is_open: bool = True
    last_turn_at: datetime | None = None


class TalkMovedOn(StorageUnavailable):
    """Another message of the same talk was written since it was read: this one is to be taken in anew."""


class TalkRepository:
    """Talks of one workspace's people, always by their owner."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def open_talk(self, team_id: str, user_id: str, conversation: str) -> OpenTalk | None:
        """The open talk of a conversation, for its owner; ``None`` for anybody else."""
        last = await self.last_talk(team_id, user_id, conversation)
        return last if last is not None and last.is_open else None

    async def last_talk(self, team_id: str, user_id: str, conversation: str) -> OpenTalk | None:
        """The person's newest talk in a conversation, open or closed. One that was only left idle is still open to them."""
        row = await self._session.fetch_row(
            """
            select t.id, t.topic, t.asked, t.last_asked, t.plan_requested, t.last_turn_at, s.is_direct,
                   s.channel_id,
                   t.closed_at is null or (t.outcome = 'idle' and not exists (
                       select 1 from coaching_talks o where o.session_id = t.session_id and o.closed_at is null)) as is_open
            from coaching_talks t join dialogue_sessions s on s.id = t.session_id
            where t.team_id = $1 and t.user_id = $2 and s.team_id = $1 and s.conversation = $3
            order by t.id desc limit 1
            """,
            team_id, user_id, conversation,
        )  # fmt: skip
        if row is None:
            return None
        channel_id = None if row["is_direct"] else row["channel_id"]
        earlier = await self._earlier(team_id, user_id, row["topic"], channel_id=channel_id, before=row["id"])
        known = await self._statements(team_id, user_id, [row["id"], *(talk["id"] for talk in earlier)])
        return OpenTalk(row["id"], team_id, user_id, _talk(row, known), row["is_open"], row["last_turn_at"])

    async def thread_of_direct_talk(self, team_id: str, user_id: str, *, since: datetime) -> str | None:
        """Where in the person's DM the guided talk is that they spoke in last, not longer ago than ``since``: its thread's ts."""
        thread: str | None = await self._session.fetch_value(
            """
            select s.thread_ts from coaching_talks t join dialogue_sessions s on s.id = t.session_id
            where t.team_id = $1 and t.user_id = $2 and s.team_id = $1 and s.is_direct and t.last_turn_at >= $3
            order by t.last_turn_at desc, t.id desc limit 1
            """,
            team_id, user_id, since,
        )  # fmt: skip
        return thread

    async def is_taken(self, team_id: str, user_id: str, conversation: str) -> bool:
        """Whether somebody else works something out in this conversation: there is one open talk in each."""
        found = await self._session.fetch_value(
            """
            select 1 from coaching_talks t join dialogue_sessions s on s.id = t.session_id
            where t.team_id = $1 and s.team_id = $1 and s.conversation = $3 and t.user_id <> $2 and t.closed_at is null
            """,
            team_id, user_id, conversation,
        )  # fmt: skip
        return found is not None

    async def remembered(self, team_id: str, user_id: str, *, topic: str, channel_id: str | None) -> Talk:
        """What a new talk starts from: what the person said about the topic before, so nothing is asked twice.

        ``channel_id``: where others read along, only what was said in that channel counts; ``None``: everything.
        """
        earlier = await self._earlier(team_id, user_id, topic, channel_id=channel_id)
        asked = tuple(dict.fromkeys(question for row in earlier for question in row["asked"]))
        return Talk(topic, await self._statements(team_id, user_id, [row["id"] for row in earlier]), asked)

    async def begin(
        self, team_id: str, user_id: str, session_id: str, *, topic: str, language: str, channel_id: str | None = None
    ) -> OpenTalk:
        """A new talk with what is remembered (see :meth:`remembered`)."""
        talk = await self.remembered(team_id, user_id, topic=topic, channel_id=channel_id)
        talk_id = await self._session.fetch_value(
            """
            insert into coaching_talks (team_id, user_id, session_id, topic, language, asked)
            values ($1, $2, $3, $4, $5, $6) returning id
            """,
            team_id, user_id, session_id, topic, language, list(talk.asked),
        )  # fmt: skip
        return OpenTalk(talk_id, team_id, user_id, talk)

    async def save(self, before: OpenTalk, talk: Talk) -> OpenTalk:
        """Writes what changed: new statements, questions put, a plan asked for. ``TalkMovedOn`` when it is not as it was read."""
        fresh = [known for known in talk.known if known not in before.talk.known]
        is_written = await self._session.execute(
            """
            update coaching_talks set topic = $3, asked = $4, last_asked = $5, plan_requested = $6, last_turn_at = now(),
                   closed_at = null, outcome = null
            where team_id = $1 and id = $2 and ($7::timestamptz is null or last_turn_at = $7)
            """,
            before.team_id, before.id, talk.topic, list(talk.asked), list(talk.last_asked), talk.plan_requested,
            before.last_turn_at,
        )  # fmt: skip
        if not is_written:
            raise TalkMovedOn(f"talk {before.id}")
        await self._session.execute_many(
            """
            insert into talk_points (team_id, user_id, talk_id, point, content, turn, is_correction, stated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                (before.team_id, before.user_id, before.id, known.point.value, self._seal(before, known), known.turn,
                 known.is_correction, known.stated_at)
                for known in fresh
            ],
        )  # fmt: skip
        return replace(before, talk=talk)

    async def close(self, team_id: str, talk_id: int, *, outcome: str) -> None:
        """Ends a talk: ``planned``, ``answered`` or ``idle``."""
        await self._session.execute(
            "update coaching_talks set closed_at = now(), outcome = $3 where team_id = $1 and id = $2 and closed_at is null",
            team_id, talk_id, outcome,
        )  # fmt: skip

    async def _earlier(
        self, team_id: str, user_id: str, topic: str, *, channel_id: str | None, before: int | None = None
    ) -> list[Record]:
        return await self._session.fetch(
            """
            select t.id, t.asked from coaching_talks t join dialogue_sessions s on s.id = t.session_id
            where t.team_id = $1 and t.user_id = $2 and t.topic = $3 and t.opened_at > now() - make_interval(days => $4)
              and ($5::text is null or (not s.is_direct and s.channel_id = $5)) and ($6::bigint is null or t.id < $6)
            order by t.opened_at desc limit 10
            """,
            team_id, user_id, topic, REMEMBERED_DAYS, channel_id, before,
        )  # fmt: skip

    async def _statements(self, team_id: str, user_id: str, talk_ids: list[int]) -> tuple[Known, ...]:
        rows = await self._session.fetch(
            """
            select point, content, turn, is_correction, stated_at from talk_points
            where team_id = $1 and user_id = $2 and talk_id = any($3) order by stated_at desc, id desc limit $4
            """,
            team_id, user_id, talk_ids, MOST_STATEMENTS,
        )  # fmt: skip
        return tuple(self._known(team_id, row) for row in reversed(rows))

    def _known(self, team_id: str, row: Record) -> Known:
        text = self._cipher.decrypt(row["content"], place=_place(team_id, row["turn"], row["point"]))
        return Known(Point(row["point"]), text, row["turn"], row["stated_at"], row["is_correction"])

    def _seal(self, talk: OpenTalk, known: Known) -> bytes:
        return self._cipher.encrypt(known.text, place=_place(talk.team_id, known.turn, known.point))


def _place(team_id: str, turn: int, point: str) -> str:
    return f"{team_id}|talk_points|{turn}:{point}"


def _talk(row: Record, known: Iterable[Known]) -> Talk:
    return Talk(row["topic"], tuple(known), tuple(row["asked"]), tuple(row["last_asked"]), row["plan_requested"])
