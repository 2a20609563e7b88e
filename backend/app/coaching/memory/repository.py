"""The SQL of memories and insights, always by their owner. Texts are encrypted; sketches and vectors go with their row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.coaching.memory.insight import Insight, Kind, StatedBy, Vector
from app.coaching.memory.shelf import EarlierTalk, Shelf, in_whole_numbers
from app.coaching.memory.shingles import SKETCH_BYTES, sketch_of
from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.people.person import Actor
from app.storage.database import Record, Session

MOST_REMEMBERED = 2_000
MOST_TALKS = 3

# One statement, since it is read between a question and its answer: memories, and what the latest talks were about.
_SHELF = """
select i.kind, i.id, i.content, i.confidence, i.observed_at, i.fingerprint, i.embedding, i.embedding_model, '' as conversation,
       coalesce(d.repeated, 0) as repeated
from (
    select * from conversation_insights where team_id = $1 and user_id = $2 and superseded_at is null
    order by observed_at desc, id desc limit $3
) i
left join (
    select superseded_by, count(*) as repeated from conversation_insights
    where team_id = $1 and user_id = $2 and superseded_by is not null group by superseded_by
) d on d.superseded_by = i.id
union all
select 'talk', 0, summary, 0, last_turn_at, null, null, null, conversation, 0
from (
    select * from dialogue_sessions where team_id = $1 and user_id = $2 and summary is not null
    order by last_turn_at desc limit $4
) s
"""

_ADD = """
insert into conversation_insights (team_id, user_id, session_id, message_id, kind, content, confidence, skill, evidence, subject,
                                   fingerprint, embedding, embedding_model, stated_by, observed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning id
"""

_ALL = """
select id, session_id, message_id, kind, content, confidence, skill, evidence, subject, embedding, embedding_model, stated_by,
       observed_at, superseded_by
from conversation_insights where team_id = $1 and user_id = $2 order by observed_at desc, id desc limit $3
"""

_SUPERSEDE = """
update conversation_insights i set superseded_by = s.winner,
    superseded_at = case when s.winner is null then null else $5::timestamptz end
from unnest($3::bigint[], $4::bigint[]) as s(id, winner)
where i.team_id = $1 and i.user_id = $2 and i.id = s.id and i.superseded_by is distinct from s.winner
"""

# What is shown to the person: with the place it was said in.
_SHOWN = """
select i.id, i.kind, i.content, i.confidence, i.stated_by, i.observed_at, s.channel_id, s.thread_ts, s.is_direct,
       count(*) over () as total
from conversation_insights i left join dialogue_sessions s on s.id = i.session_id and s.team_id = i.team_id
where i.team_id = $1 and i.user_id = $2 and i.superseded_at is null and ($5::bigint[] is null or i.id = any ($5))
order by i.observed_at desc, i.id desc limit $3 offset $4
"""

_ONE = """
select id, session_id, message_id, kind, content, confidence, skill, evidence, subject, stated_by, observed_at, superseded_by
from conversation_insights where team_id = $1 and user_id = $2 and id = $3 and superseded_at is null
"""

_REPLACE = """
update conversation_insights set superseded_by = $4, superseded_at = coalesce(superseded_at, $5)
where team_id = $1 and user_id = $2 and (id = $3 or superseded_by = $3)
"""

# By the session's time, which is the one that the product's clock tells.
_CLOSE_IDLE_TALKS = """
update coaching_talks t set closed_at = now(), outcome = 'idle'
from dialogue_sessions s
where t.closed_at is null and s.id = t.session_id and s.team_id = t.team_id and s.last_turn_at < $1
"""

_ERASE = "delete from conversation_insights where team_id = $1 and user_id = $2 and id = $3"


@dataclass(frozen=True)
class ShownMemory:
    """A memory as its owner sees it. ``said_in`` is the thread it comes from, as long as that is kept."""

    id: int
    kind: Kind
    text: str
    confidence: float
    stated_by: StatedBy
    observed_at: datetime
    said_in: Conversation | None


class MemoryRepository:
    """What is remembered of one workspace's people."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def shelf(self, team_id: str, user_id: str, *, most: int = MOST_REMEMBERED) -> Shelf:
        """Everything that may be remembered in a prompt; the newest :data:`MOST_REMEMBERED` where there is more."""
        rows = await self._session.fetch(_SHELF, team_id, user_id, most, MOST_TALKS)
        talks = tuple(self._talk(team_id, row) for row in rows if row["kind"] == "talk")
        return self._shelf(team_id, user_id, [row for row in rows if row["kind"] != "talk"], talks)

    async def add(self, team_id: str, user_id: str, insights: Sequence[Insight], vectors: Sequence[Vector | None]) -> list[int]:
        """Stores observations as they are; their ids."""
        return [
            int(await self._session.fetch_value(
                _ADD, team_id, user_id, insight.session_id, insight.message_id, insight.kind,
                self._seal(team_id, user_id, "content", insight.text), insight.confidence, insight.skill,
                self._seal(team_id, user_id, "evidence", insight.evidence) if insight.evidence else None,
                self._seal(team_id, user_id, "subject", insight.subject) if insight.subject else None,
                sketch_of(insight.text), vector.values.astype("<f2").tobytes() if vector else None,
                vector.model if vector else None, insight.stated_by, insight.observed_at,
            ))
            for insight, vector in zip(insights, vectors, strict=True)
        ]  # fmt: skip

    async def all_of(self, team_id: str, user_id: str) -> tuple[list[Insight], dict[int, Vector]]:
        """Current and superseded ones, with the vectors there are, by id."""
        rows = await self._session.fetch(_ALL, team_id, user_id, 2 * MOST_REMEMBERED)
        vectors = {
            row["id"]: Vector(row["embedding_model"], np.frombuffer(row["embedding"], "<f2").astype(np.float32))
            for row in rows
            if row["embedding"] and row["embedding_model"]
        }
        return [self._insight(team_id, user_id, row) for row in rows], vectors

    async def supersede(self, team_id: str, user_id: str, changes: Mapping[int, int | None], now: datetime) -> int:
        """``changes``: by id, what says it now; ``None`` makes an insight current again. How many changed."""
        return await self._session.execute(_SUPERSEDE, team_id, user_id, list(changes), list(changes.values()), now)

    async def shown(self, actor: Actor, *, limit: int, offset: int = 0) -> tuple[list[ShownMemory], int]:
        """What is current, newest first, and how many there are altogether (0 on a page behind the last)."""
        rows = await self._session.fetch(_SHOWN, actor.team_id, actor.user_id, limit, offset, None)
        return [self._shown(actor, row) for row in rows], rows[0]["total"] if rows else 0

    async def some(self, actor: Actor, ids: Sequence[int]) -> list[ShownMemory]:
        """Those of ``ids`` that are the actor's, and current."""
        rows = await self._session.fetch(_SHOWN, actor.team_id, actor.user_id, len(ids), 0, list(ids))
        return [self._shown(actor, row) for row in rows]

    async def current(self, actor: Actor, id: int) -> Insight | None:  # noqa: A002
        """One of the actor's own, unless something else says it now."""
        row = await self._session.fetch_row(_ONE, actor.team_id, actor.user_id, id)
        return self._insight(actor.team_id, actor.user_id, row) if row else None

    async def replace(self, actor: Actor, id: int, by: int, now: datetime) -> None:  # noqa: A002
        """``by`` says from now on what ``id`` said, and what ``id`` had superseded."""
        await self._session.execute(_REPLACE, actor.team_id, actor.user_id, id, by, now)

    async def erase(self, actor: Actor, id: int) -> bool:  # noqa: A002
        """The row, its vector, and everything it has superseded."""
        return bool(await self._session.execute(_ERASE, actor.team_id, actor.user_id, id))

    async def close_idle_talks(self, idle_since: datetime) -> int:
        """Ends guided talks of all workspaces in which nobody has said anything since; how many."""
        return await self._session.execute(_CLOSE_IDLE_TALKS, idle_since)

    async def lock(self, team_id: str, user_id: str) -> None:
        """Until the transaction ends, nobody else merges this person's insights."""
        await self._session.execute("select pg_advisory_xact_lock(hashtextextended($1, 4))", f"{team_id}:{user_id}")

    def _shelf(self, team_id: str, user_id: str, rows: Sequence[Record], talks: tuple[EarlierTalk, ...]) -> Shelf:
        model = next((row["embedding_model"] for row in rows if row["embedding_model"]), "")
        blank = bytes(SKETCH_BYTES)
        vectors, scale = in_whole_numbers(_vectors(rows, model)) if model else (None, 1.0)
        return Shelf(
            ids=[row["id"] for row in rows],
            kinds=[row["kind"] for row in rows],
            texts=[self._open(team_id, user_id, "content", row["content"]) for row in rows],
            observed=np.array([row["observed_at"].timestamp() for row in rows], np.float64),
            confidences=np.array([_strengthened(row["confidence"], row["repeated"]) for row in rows], np.float32),
            sketches=np.frombuffer(b"".join(row["fingerprint"] or blank for row in rows), np.uint8).reshape(-1, SKETCH_BYTES),
            vectors=vectors,
            scale=scale,
            model=model,
            talks=talks,
        )

    def _talk(self, team_id: str, row: Record) -> EarlierTalk:
        place = f"{team_id}|dialogue_sessions|{row['conversation']}:summary"
        return EarlierTalk(row["conversation"], row["observed_at"], self._cipher.decrypt(row["content"], place=place))

    def _insight(self, team_id: str, user_id: str, row: Record) -> Insight:
        return Insight(
            kind=Kind(row["kind"]), text=self._open(team_id, user_id, "content", row["content"]), confidence=row["confidence"],
            observed_at=row["observed_at"], skill=row["skill"], stated_by=StatedBy(row["stated_by"]),
            evidence=self._open(team_id, user_id, "evidence", row["evidence"]) if row["evidence"] else "",
            subject=self._open(team_id, user_id, "subject", row["subject"]) if row["subject"] else "",
            session_id=str(row["session_id"]) if row["session_id"] else None, message_id=row["message_id"], id=row["id"],
            superseded_by=row["superseded_by"],
        )  # fmt: skip

    def _shown(self, actor: Actor, row: Record) -> ShownMemory:
        place = Conversation(actor.team_id, row["channel_id"], row["thread_ts"], row["is_direct"]) if row["channel_id"] else None
        return ShownMemory(
            row["id"], Kind(row["kind"]), self._open(actor.team_id, actor.user_id, "content", row["content"]), row["confidence"],
            StatedBy(row["stated_by"]), row["observed_at"], place,
        )  # fmt: skip

    def _seal(self, team_id: str, user_id: str, field: str, text: str) -> bytes:
        return self._cipher.encrypt(text, place=_place(team_id, user_id, field))

    def _open(self, team_id: str, user_id: str, field: str, value: bytes) -> str:
        return self._cipher.decrypt(value, place=_place(team_id, user_id, field))


def _place(team_id: str, user_id: str, field: str) -> str:
    return f"{team_id}|conversation_insights|{user_id}:{field}"


def _strengthened(confidence: float, repeated: int) -> float:
    """What is said again is more certain, and never as certain as what the person has written down themselves."""
    return max(confidence, min(0.95, confidence + 0.05 * repeated))


def _vectors(rows: Sequence[Record], model: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    width = next(len(row["embedding"]) for row in rows if row["embedding_model"] == model)
    blank = bytes(width)
    packed = b"".join(row["embedding"] if row["embedding_model"] == model else blank for row in rows)
    return np.frombuffer(packed, "<f2").astype(np.float32).reshape(len(rows), -1)
