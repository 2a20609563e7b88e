"""The SQL around the job engine's tables: ending, rescuing, re-creating and cleaning up."""

from datetime import timedelta

from app.inbox.repository import enqueue
from app.storage.database import Record, Session

LOCK_CLASS = 0x5A1E5  # first half of the advisory locks that workers hold as a sign of life

# Ending a job is fenced by worker and attempt; no row comes back when somebody else has it. Otherwise the row tells whether
# another job of the same conversation has been waiting for this end.
FINISH_JOB = """
with mine as (
    select id, lock from procrastinate_jobs
    where id = $1 and status = 'doing' and worker_id is not distinct from $2 and attempts is not distinct from $3
    for update
), ended as materialized (
    select procrastinate_finish_job_v1(id, $4::procrastinate_job_status, $5) as nothing from mine
)
select exists(
    select from procrastinate_jobs other join mine on other.lock = mine.lock where other.status = 'todo'
) as has_successor
from ended
"""

RETRY_JOB = """
with mine as (
    select id, lock from procrastinate_jobs
    where id = $1 and status = 'doing' and worker_id is not distinct from $2 and attempts is not distinct from $3
    for update
), ended as materialized (
    select procrastinate_retry_job_v2(id, coalesce($4, now()), null, null, null) as nothing from mine
)
select false as has_successor from ended
"""

# One statement, so that it cannot stall half-way; run beside the worker, not as a job, since a job can itself be left behind.
_RESCUE = """
with lost as (
    select j.id from procrastinate_jobs j left join procrastinate_workers w on w.id = j.worker_id
    where j.status = 'doing'
      and (w.id is null or w.last_heartbeat < now() - $1::interval or w.id = any($2::bigint[]) or j.id = any($3::bigint[]))
    for update of j skip locked
)
select id, procrastinate_retry_job_v2(id, now(), null, null, null) as nothing from lost
"""

_WORKERS_WITHOUT_LOCK = """
select w.id from procrastinate_workers w
where exists(select from procrastinate_jobs j where j.worker_id = w.id and j.status = 'doing')
  and not exists(
    select from pg_locks l where l.locktype = 'advisory' and l.classid::bigint = $1 and l.objid::bigint = w.id and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
)
"""

_NOT_HELD = """
select id from procrastinate_jobs where status = 'doing' and worker_id = any($1::bigint[]) and id <> all($2::bigint[])
"""

_BEAT = "update procrastinate_workers set last_heartbeat = now() where id = any($1::bigint[])"

_FORGET_WORKERS = """
delete from procrastinate_workers w where last_heartbeat < now() - $1::interval
  and not exists(select from procrastinate_jobs j where j.worker_id = w.id and j.status = 'doing')
"""

# An event whose job has vanished (cancelled, failed, deleted by hand) gets a new one. One process at a time does this.
_RECREATE = f"""
with elected as materialized (
    select pg_try_advisory_xact_lock($2, 0) as is_elected
), forgotten as (
    select i.id, i.kind, i.conversation from inbox i, elected
    where elected.is_elected and i.done_at is null and i.received_at < now() - $1::interval
      and not exists(
        select from procrastinate_jobs j
        where j.status in ('todo', 'doing') and j.task_name = 'handle_event' and (j.args->>'inbox_id')::bigint = i.id
      )
    order by i.id limit 500
), enqueued as (
    {enqueue("forgotten")}
    returning id
)
select count(*) from enqueued
"""  # noqa: S608  (a constant)

_REMOVE_ENDED_JOBS = """
delete from procrastinate_jobs where id in (
    select j.id from procrastinate_jobs j
    where j.status in ('succeeded', 'failed', 'cancelled', 'aborted')
      and not exists(select from procrastinate_events e where e.job_id = j.id and e.at > now() - $1::interval)
    order by j.id limit 1000
)
"""


_COUNT_WAITING = "select count(*) from procrastinate_jobs where status = 'todo'"


class JobRepository:
    """Job rows, through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def rescue(self, stalled_after: timedelta, gone: list[int], dropped: list[int]) -> list[int]:
        """Gives jobs back that nobody runs; their ids.

        Those are the jobs of workers without a heartbeat, of workers known to be ``gone``, and the ``dropped`` ones.
        """
        rows: list[Record] = await self._session.fetch(_RESCUE, stalled_after, gone, dropped)
        return [row["id"] for row in rows]

    async def workers_without_lock(self) -> set[int]:
        """Workers with jobs whose process does not hold its sign of life."""
        return {row["id"] for row in await self._session.fetch(_WORKERS_WITHOUT_LOCK, LOCK_CLASS)}

    async def not_held(self, workers: list[int], held: list[int]) -> set[int]:
        """Jobs that these workers have taken and do not know of: the answer to their question for work was lost."""
        return {row["id"] for row in await self._session.fetch(_NOT_HELD, workers, held)}

    async def beat(self, worker_ids: list[int]) -> None:
        """Says that these workers live."""
        await self._session.execute(_BEAT, worker_ids)

    async def forget_workers(self, silent_for: timedelta) -> int:
        return await self._session.execute(_FORGET_WORKERS, silent_for)

    async def recreate(self, older_than: timedelta) -> int:
        """Gives events without a job a new one; how many."""
        return int(await self._session.fetch_value(_RECREATE, older_than, LOCK_CLASS))

    async def remove_ended(self, older_than: timedelta) -> int:
        return await self._session.execute(_REMOVE_ENDED_JOBS, older_than)

    async def count_waiting(self) -> int:
        return int(await self._session.fetch_value(_COUNT_WAITING))

    async def refresh_statistics(self) -> None:
        """Has the planner see how many jobs wait.

        With an old view, taking one job takes 100 ms when one conversation has 5,000 of them waiting; with a new one, 2 ms.
        """
        await self._session.execute("analyze procrastinate_jobs")
