"""Reads and removes what is kept about one person, class by class. Names of tables and columns come from the list only."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.core.encryption import Cipher
from app.people.personal_data import PERSONAL_DATA, Fate, PersonalData
from app.storage.database import Record, Session

MOST_ROWS = 50_000
NO_WISH = 2**63 - 1
PURGED_AT_ONCE = 1_000

# A thread that others spoke in stays theirs: its title and summary may repeat this person's words, so they go, and whoever spoke
# first after them is its owner from now on. Run before the messages go, and before the sessions of their own are deleted.
_FORGET_IN_SHARED_SESSIONS = """
update dialogue_sessions s set summary = null, digested_until = greatest(s.digested_until, m.last),
    title = case when s.user_id = $2 then null else s.title end,
    user_id = case when s.user_id = $2 then m.heir else s.user_id end
from (
    select session_id, max(id) as last, (array_agg(user_id order by id) filter (where user_id <> $2))[1] as heir
    from dialogue_messages
    where team_id = $1 and session_id in (
        select session_id from dialogue_messages where team_id = $1 and user_id = $2
        union select id from dialogue_sessions where team_id = $1 and user_id = $2)
    group by session_id
) m
where s.team_id = $1 and s.id = m.session_id and m.heir is not null
"""

_DELETE_OWN_SESSIONS = "delete from dialogue_sessions where team_id = $1 and user_id = $2"

# The rows stay without a word and without a name, since they tell redeliveries apart and say what stands in Slack. What waits is
# withdrawn; a command that is being worked on may be the very wish to forget, and ends in the ordinary way. What arrived after
# the wish ($3) is a new beginning: it waits for its answer also when the wish has to be worked on again.
_EMPTY_INBOX = """
update inbox set envelope = '', draft = null, user_id = null,
    conversation = case when conversation like $1 || ':' || $2 || ':%' then $1 || ':forgotten:' || id else conversation end,
    event_id = case when kind in ('message', 'retry') then event_id else 'forgotten:' || id end,
    outcome = case when done_at is null then 'withdrawn' else outcome end, done_at = coalesce(done_at, now())
where team_id = $1 and user_id = $2 and not (done_at is null and (id > $3 or (kind = 'command' and epoch > 0)))
"""

_DELETE_JOBS = """
delete from procrastinate_jobs where status <> 'doing' and coalesce((args->>'inbox_id')::bigint, 0) <= $3
  and ((args->>'team_id' = $1 and args->>'user_id' = $2) or lock like $1 || ':' || $2 || ':%'
       or (args->>'inbox_id')::bigint in (select id from inbox where team_id = $1 and user_id = $2))
"""

# A question that only this person has asked goes with its words; one that others wait for stays without their name. Run before
# the askers are deleted.
_DELETE_OWN_REQUESTS = """
delete from knowledge_requests r where r.team_id = $1
  and (r.requested_by = $2 or exists(select from knowledge_askers a where a.request_id = r.id and a.user_id = $2))
  and not exists(select from knowledge_askers a where a.request_id = r.id and a.user_id <> $2)
"""

_DELETE_OWN_KNOWLEDGE = "delete from knowledge_entries where team_id = $1 and scope = 'person:' || $2"

_CONVERSATIONS = """
select conversation from dialogue_sessions where team_id = $1 and id in (
    select session_id from dialogue_messages where team_id = $1 and user_id = $2
    union select id from dialogue_sessions where team_id = $1 and user_id = $2)
"""


class ErasureRepository:
    """Everything of one person, through one session."""

    def __init__(self, session: Session, cipher: Cipher, team_id: str, user_id: str) -> None:
        self._session = session
        self._cipher = cipher
        self._team_id = team_id
        self._user_id = user_id

    async def rows_of(self, data: PersonalData) -> list[dict[str, Any]]:
        """The person's rows of a class, oldest first, decrypted, without what only the product can read."""
        rows = await self._session.fetch(
            f"select * from {data.table} where team_id = $1 and {data.owner} = $2 order by {data.order} limit {MOST_ROWS}",  # noqa: S608
            self._team_id, self._user_id,
        )  # fmt: skip
        return [self._readable(data, row) for row in rows]

    async def conversations(self) -> list[str]:
        """Keys of the talks the person took part in: they stand in the cache."""
        return [row["conversation"] for row in await self._session.fetch(_CONVERSATIONS, self._team_id, self._user_id)]

    async def forget(self, *, wish: int = NO_WISH) -> dict[str, int]:
        """Removes or anonymises everything; how many rows of each class. A second time finds nothing.

        ``wish``: the stored event that asks for it. What was stored after it and waits is left to be answered.
        """
        key = self._team_id, self._user_id
        await self._session.execute(_DELETE_JOBS, *key, wish)
        counts = {"sessions": await self._session.execute(_FORGET_IN_SHARED_SESSIONS, *key)}
        await self._session.execute(_DELETE_OWN_KNOWLEDGE, *key)
        await self._session.execute(_DELETE_OWN_REQUESTS, *key)
        for data in PERSONAL_DATA:
            if data.fate is not Fate.BY_HAND:
                counts[data.name] = await self._session.execute(_STATEMENTS[data.fate].format(data=data), *key)
        counts["sessions"] += await self._session.execute(_DELETE_OWN_SESSIONS, *key)
        counts["received messages"] = await self._session.execute(_EMPTY_INBOX, *key, wish)
        return counts

    def _readable(self, data: PersonalData, row: Record) -> dict[str, Any]:
        values = {name: value for name, value in row.items() if name not in data.hidden}
        for name, place in data.texts.items():
            values[name] = self._cipher.decrypt(row[name], place=place.format(**dict(row))) if row[name] else None
        return values


_STATEMENTS = {
    Fate.DELETE: "delete from {data.table} where team_id = $1 and {data.owner} = $2",
    Fate.ANONYMISE: "update {data.table} set {data.owner} = null where team_id = $1 and {data.owner} = $2",
}


async def purge(session: Session, data: PersonalData, *, before: datetime) -> int:
    """Deletes up to :data:`PURGED_AT_ONCE` rows of a class that are too old, of all workspaces; how many."""
    return await session.execute(
        f"delete from {data.table} where ctid = any (array(select ctid from {data.table} where {data.age} < $1"  # noqa: S608
        f" order by {data.age} limit {PURGED_AT_ONCE}))",
        before,
    )


def classes_that_age() -> Iterator[PersonalData]:
    """What the nightly purge looks at."""
    return (data for data in PERSONAL_DATA if data.age is not None and data.retention is not None)
