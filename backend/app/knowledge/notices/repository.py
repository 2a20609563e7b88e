"""The SQL of notices: written in the transaction of what they tell of, delivered afterwards, once per person and subject."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.knowledge.notices.notice import DECIDERS, Notice, NoticeKind
from app.storage.database import Record, Session

LEFT_ALONE_FOR = timedelta(minutes=5)  # longer than any delivery takes

_ADD = """
insert into knowledge_notices (team_id, user_id, kind, subject, details, created_at)
select $1, person, $3, $4, $5, $6 from unnest($2::text[]) as person
on conflict (team_id, kind, subject, user_id) do nothing
"""

# The epoch tells a first attempt from one that may find its message posted already.
_TAKE = """
update knowledge_notices set taken_at = $1, epoch = epoch + 1
where id in (
    select id from knowledge_notices
    where done_at is null and created_at <= $1 and (taken_at is null or taken_at < $2)
    order by created_at, id limit $3 for update skip locked
)
returning *
"""

_DONE = """
update knowledge_notices set outcome = $4, channel_id = coalesce($5, channel_id), ts = coalesce($6, ts), done_at = $7
where team_id = $1 and id = $2 and epoch = $3
"""

_SHOW_ANEW = """
update knowledge_notices set done_at = null, outcome = null, taken_at = null, epoch = 0
where team_id = $1 and kind = $2 and subject = $3 and user_id <> $4 and ts is not null
"""


class NoticeRepository:
    """The notices of all workspaces, for whoever delivers; of one, for whoever writes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(
        self, team_id: str, kind: NoticeKind, subject: str, *, to: Sequence[str], at: datetime, details: Sequence[int] = ()
    ) -> int:
        """How many are new: nobody is told the same twice."""
        return await self._session.execute(_ADD, team_id, list(dict.fromkeys(to)), kind, subject, list(details), at)

    async def take(self, now: datetime, *, limit: int) -> list[Notice]:
        """Those to be delivered, for this worker; left behind by a dead one, they are taken again after a while."""
        rows = await self._session.fetch(_TAKE, now, now - LEFT_ALONE_FOR, limit)
        return [_notice(row) for row in sorted(rows, key=lambda row: row["id"])]

    async def done(
        self, notice: Notice, *, outcome: str, at: datetime, channel_id: str | None = None, ts: str | None = None
    ) -> bool:
        """False when another worker has taken it up meanwhile."""
        return bool(
            await self._session.execute(_DONE, notice.team_id, notice.notice_id, notice.epoch, outcome, channel_id, ts, at)
        )

    async def is_told(self, team_id: str, kind: NoticeKind, subject: str) -> bool:
        """Whether anybody has been, or is about to be, told of it."""
        told = await self._session.fetch_value(
            "select true from knowledge_notices where team_id = $1 and kind = $2 and subject = $3 limit 1",
            team_id, kind, subject,
        )  # fmt: skip
        return bool(told)

    async def show_anew(self, team_id: str, kind: NoticeKind, subject: str) -> None:
        """What was said about the subject is out of date: the messages that stand shall say how it stands now."""
        await self._session.execute(_SHOW_ANEW, team_id, kind, subject, DECIDERS)


def _notice(row: Record) -> Notice:
    return Notice(
        row["id"], row["team_id"], row["user_id"], NoticeKind(row["kind"]), row["subject"], tuple(row["details"]), row["epoch"],
        row["channel_id"], row["ts"],
    )  # fmt: skip
