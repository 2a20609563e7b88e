"""The SQL of the inbox. Every writing query carries the claim's epoch: whoever was overtaken touches nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.inbox.claim import Claim
from app.inbox.envelope import DeadLetter, DoubtfulPart, Queue, ReplyPart, StoredEvent, UnfinishedPart
from app.storage.database import Record, Session


def enqueue(events: str) -> str:
    """SQL that gives each row of ``events`` (id, kind, conversation) its job."""
    return f"""
    insert into procrastinate_jobs (queue_name, task_name, lock, args)
    select case when kind in ('message', 'retry') then 'answer' else 'quick' end, 'handle_event',
        case when kind = 'stop' then null else conversation end, jsonb_build_object('inbox_id', id)
    from {events} order by id
    """  # noqa: S608  (constants)


# One statement: an event is never stored without its job, and a duplicate enqueues nothing. The rows are inserted in the order of
# the arrays, which is the same in every process: two processes with overlapping batches cannot wait for each other in a circle.
STORE = f"""
with arrived as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
        with ordinality as a(team_id, event_id, kind, conversation, channel_id, message_ts, user_id, envelope, position)
), stored as (
    insert into inbox (team_id, event_id, kind, conversation, channel_id, message_ts, user_id, envelope)
    select team_id, event_id, kind, conversation, channel_id, message_ts, user_id, envelope from arrived order by position
    on conflict do nothing
    returning id, team_id, event_id, kind, conversation
), enqueued as (
    {enqueue("stored")}
)
select team_id, event_id from stored
"""  # noqa: S608  (a constant)

_CLAIM = """
update inbox set epoch = epoch + 1, attempts = attempts + 1, claimed_at = coalesce(claimed_at, now())
where id = $1 and done_at is null
returning team_id, event_id, kind, conversation, channel_id, message_ts, user_id, envelope, epoch, attempts, draft, received_at,
          claimed_at, reference, outcome
"""

_PARTS = """
select part, channel_id, thread_ts, ts, intended_at, finished_at is not null as is_finished
from reply_parts where team_id = $1 and inbox_id = $2 order by part
"""

_STILL_MINE = "select 1 from inbox where id = $1 and team_id = $2 and epoch = $3 and done_at is null"

# The inbox row is locked: a claim that comes later sees this intent, one that came earlier stops it.
_MINE = f"with mine as ({_STILL_MINE} for no key update)"

_INTEND_PART = (
    _MINE
    + """
insert into reply_parts (team_id, inbox_id, part, channel_id, thread_ts, intended_at)
select $2, $1, $4, $5, $6, now() from mine
on conflict (inbox_id, part) do update set part = excluded.part
returning part, channel_id, thread_ts, ts, intended_at, finished_at is not null as is_finished
"""
)

_RECORD_PART = (
    _MINE
    + """
update reply_parts set ts = $5 from mine where team_id = $2 and inbox_id = $1 and part = $4 and ts is null
returning ts
"""
)

_TS_OF_PART = "select ts from reply_parts where team_id = $1 and inbox_id = $2 and part = $3"

_FORGET_PART = (
    _MINE
    + """
update reply_parts set ts = nullif(ts, $5), intended_at = case when ts = $5 then now() else intended_at end
from mine where team_id = $2 and inbox_id = $1 and part = $4
"""
)

_FINISH_PART = (
    _MINE
    + """
update reply_parts set finished_at = coalesce(finished_at, now()) from mine where team_id = $2 and inbox_id = $1 and part = $4
"""
)

_KEEP_DRAFT = """
update inbox set draft = coalesce(draft, $4) where id = $1 and team_id = $2 and epoch = $3 and done_at is null
"""

_FINISH = """
with done as (
    update inbox set done_at = now(), outcome = $4, reference = coalesce($5, reference)
    where id = $1 and team_id = $2 and epoch = $3 and done_at is null
    returning id
), shown as (
    update reply_parts set finished_at = coalesce(finished_at, now()) from done
    where team_id = $2 and inbox_id = done.id and part = $6
)
select 1 from done
"""

_FINISH_NAMELESS = """
update inbox set done_at = now(), outcome = $4, envelope = '', draft = null, user_id = null, event_id = 'forgotten:' || id,
    conversation = case when conversation like team_id || ':' || user_id || ':%' then team_id || ':forgotten:' || id
                        else conversation end
where id = $1 and team_id = $2 and epoch = $3 and done_at is null
"""

_GIVE_UP = """
update inbox set outcome = $4, reference = $5 where id = $1 and team_id = $2 and epoch = $3 and done_at is null
"""

# Whoever waits long although nobody is before them waits for a restart or for PostgreSQL: there is no place to tell.
_WAITING_LONG = """
with late as (
    select id, team_id, conversation from inbox
    where done_at is null and epoch = 0 and told_at is null and kind in ('message', 'retry')
      and received_at < now() - $1::interval
    order by id limit 20
), placed as (
    select late.id, case when count(b.id) filter (where b.team_id = late.team_id and b.conversation = late.conversation) > 0
        then count(b.id) filter (where b.team_id = late.team_id and b.conversation = late.conversation)
        else count(b.id) end as place
    from late join inbox b on b.done_at is null and b.kind in ('message', 'retry') and b.id < late.id
    group by late.id
)
update inbox i set told_at = now() from placed
where i.id = placed.id and i.told_at is null and i.epoch = 0
returning i.team_id, i.event_id, i.kind, i.conversation, i.channel_id, i.message_ts, i.user_id, i.envelope, placed.place
"""

_PURGE = """
update inbox set envelope = '', draft = null
where id in (select id from inbox where done_at < now() - $1::interval and envelope <> '' order by done_at limit 1000)
"""

_DEAD_LETTERS = """
select id, event_id, kind, reference, attempts, received_at, done_at from inbox
where team_id = $1 and outcome = 'dead' and done_at is not null order by done_at desc limit $2
"""

_QUEUE = """
select count(*) as undone, coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as oldest_seconds,
       (select count(*) from procrastinate_workers where last_heartbeat > now() - interval '20 seconds') as workers
from inbox where done_at is null
"""

_WAITING_MESSAGE = """
select id, event_id, envelope from inbox
where team_id = $1 and channel_id = $2 and message_ts = $3 and kind = 'message' and epoch = 0 and done_at is null
for update
"""

_REPLACE_ENVELOPE = "update inbox set envelope = $3 where id = $1 and team_id = $2"

_WITHDRAW = """
update inbox set done_at = now(), outcome = 'withdrawn'
where team_id = $1 and channel_id = $2 and message_ts = $3 and kind = 'message' and epoch = 0 and done_at is null
"""

_FINISHED_EVENT = """
select event_id, kind, conversation, channel_id, user_id, envelope from inbox
where id = $1 and team_id = $2 and done_at is not null and envelope <> ''
"""

_EVENT_OF_MESSAGE = """
select i.id, i.team_id, i.event_id, i.conversation, i.user_id, i.done_at is not null as is_done
from reply_parts p join inbox i on i.id = p.inbox_id
where p.team_id = $1 and p.channel_id = $2 and p.ts = $3
"""

_EVENT_BY_ID = """
select id, team_id, event_id, conversation, user_id, done_at is not null as is_done
from inbox where team_id = $1 and event_id = $2
"""

_UNFINISHED_PARTS = """
select p.team_id, p.inbox_id, i.event_id, i.done_at is not null as is_done,
       p.part, p.channel_id, p.thread_ts, p.ts, p.intended_at, false as is_finished
from reply_parts p join inbox i on i.id = p.inbox_id
where p.finished_at is null and p.intended_at < now() - $1::interval
order by p.intended_at limit $2
"""

_DOUBTFUL_PARTS = """
select p.team_id, p.inbox_id, p.part, p.channel_id, p.thread_ts, p.ts, p.intended_at, p.finished_at is not null as is_finished
from inbox i join reply_parts p on p.inbox_id = i.id
where i.done_at between now() - $1::interval and now() - $2::interval and i.envelope <> ''
  and (i.epoch > 1 or p.finished_at is null)
order by i.done_at, p.part limit $3
"""

_REQUEST_STOP = """
update inbox set stop_requested_at = now()
where id = (
    select id from inbox
    where team_id = $1 and conversation = $2 and kind in ('message', 'retry') and done_at is null
    order by id limit 1
)
returning id
"""

_NOTIFY = "select pg_notify($1, $2)"

_IS_STOP_REQUESTED = """
select exists(
    select from inbox where team_id = $1 and conversation = $2 and done_at is null and stop_requested_at is not null
)
"""


class InboxRepository:
    """Inbox rows and reply parts, through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def claim(self, inbox_id: int) -> Record | None:
        return await self._session.fetch_row(_CLAIM, inbox_id)

    async def parts(self, team_id: str, inbox_id: int) -> tuple[ReplyPart, ...]:
        return tuple(_part(row) for row in await self._session.fetch(_PARTS, team_id, inbox_id))

    async def still_mine(self, claim: Claim) -> bool:
        return await self._session.fetch_value(_STILL_MINE, *_key(claim)) is not None

    async def intend_part(self, claim: Claim, *, part: int, channel_id: str, thread_ts: str | None) -> ReplyPart | None:
        row = await self._session.fetch_row(_INTEND_PART, *_key(claim), part, channel_id, thread_ts)
        return _part(row) if row else None

    async def record_part(self, claim: Claim, *, part: int, ts: str) -> str | None:
        """The ts when it was ours to record; ``None`` when there is one already or the claim is lost."""
        recorded: str | None = await self._session.fetch_value(_RECORD_PART, *_key(claim), part, ts)
        return recorded

    async def ts_of_part(self, claim: Claim, part: int) -> str | None:
        ts: str | None = await self._session.fetch_value(_TS_OF_PART, claim.team_id, claim.inbox_id, part)
        return ts

    async def forget_part(self, claim: Claim, *, part: int, ts: str) -> bool:
        return bool(await self._session.execute(_FORGET_PART, *_key(claim), part, ts))

    async def finish_part(self, claim: Claim, part: int) -> bool:
        return bool(await self._session.execute(_FINISH_PART, *_key(claim), part))

    async def keep_draft(self, claim: Claim, draft: bytes) -> bool:
        return bool(await self._session.execute(_KEEP_DRAFT, *_key(claim), draft))

    async def finish(self, claim: Claim, outcome: str, reference: str | None, part: int | None = None) -> bool:
        return await self._session.fetch_value(_FINISH, *_key(claim), outcome, reference, part) is not None

    async def finish_nameless(self, claim: Claim, outcome: str) -> bool:
        return bool(await self._session.execute(_FINISH_NAMELESS, *_key(claim), outcome))

    async def give_up(self, claim: Claim, outcome: str, reference: str) -> bool:
        return bool(await self._session.execute(_GIVE_UP, *_key(claim), outcome, reference))

    async def waiting_long(self, longer_than: timedelta) -> list[Record]:
        return await self._session.fetch(_WAITING_LONG, longer_than)

    async def purge(self, older_than: timedelta) -> int:
        return await self._session.execute(_PURGE, older_than)

    async def dead_letters(self, team_id: str, limit: int) -> list[DeadLetter]:
        return [DeadLetter(*row) for row in await self._session.fetch(_DEAD_LETTERS, team_id, limit)]

    async def queue(self) -> Queue:
        row = await self._session.fetch_row(_QUEUE)
        assert row is not None
        return Queue(**dict(row))

    async def waiting_message(self, team_id: str, channel_id: str, message_ts: str) -> Record | None:
        """The row of a message nobody has begun to answer, locked until the transaction ends."""
        return await self._session.fetch_row(_WAITING_MESSAGE, team_id, channel_id, message_ts)

    async def replace_envelope(self, inbox_id: int, team_id: str, envelope: bytes) -> None:
        await self._session.execute(_REPLACE_ENVELOPE, inbox_id, team_id, envelope)

    async def withdraw(self, team_id: str, channel_id: str, message_ts: str) -> bool:
        return bool(await self._session.execute(_WITHDRAW, team_id, channel_id, message_ts))

    async def finished_event(self, inbox_id: int, team_id: str) -> Record | None:
        return await self._session.fetch_row(_FINISHED_EVENT, inbox_id, team_id)

    async def event_of_message(self, team_id: str, channel_id: str, ts: str) -> StoredEvent | None:
        row = await self._session.fetch_row(_EVENT_OF_MESSAGE, team_id, channel_id, ts)
        return _stored_event(row) if row else None

    async def event_by_id(self, team_id: str, event_id: str) -> StoredEvent | None:
        row = await self._session.fetch_row(_EVENT_BY_ID, team_id, event_id)
        return _stored_event(row) if row else None

    async def unfinished_parts(self, older_than: timedelta, limit: int) -> list[UnfinishedPart]:
        rows = await self._session.fetch(_UNFINISHED_PARTS, older_than, limit)
        return [
            UnfinishedPart(row["team_id"], row["inbox_id"], row["event_id"], is_done=row["is_done"], part=_part(row))
            for row in rows
        ]

    async def doubtful_parts(self, done_within: timedelta, settled_for: timedelta, limit: int) -> list[DoubtfulPart]:
        rows = await self._session.fetch(_DOUBTFUL_PARTS, done_within, settled_for, limit)
        return [DoubtfulPart(row["team_id"], row["inbox_id"], _part(row)) for row in rows]

    async def request_stop(self, team_id: str, conversation: str) -> bool:
        return await self._session.fetch_value(_REQUEST_STOP, team_id, conversation) is not None

    async def notify(self, channel: str, payload: str) -> None:
        await self._session.execute(_NOTIFY, channel, payload)

    async def is_stop_requested(self, team_id: str, conversation: str) -> bool:
        return bool(await self._session.fetch_value(_IS_STOP_REQUESTED, team_id, conversation))


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows as the arrays of :data:`STORE`."""
    return [list(column) for column in zip(*rows, strict=True)]


def _key(claim: Claim) -> tuple[int, str, int]:
    return claim.inbox_id, claim.team_id, claim.epoch


def _part(row: Record) -> ReplyPart:
    intended_at: datetime = row["intended_at"]
    return ReplyPart(row["part"], row["channel_id"], row["thread_ts"], row["ts"], intended_at, is_finished=row["is_finished"])


def _stored_event(row: Record) -> StoredEvent:
    return StoredEvent(row["id"], row["team_id"], row["event_id"], row["conversation"], row["user_id"], is_done=row["is_done"])
