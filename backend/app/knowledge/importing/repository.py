"""What importing asks of the entries that stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.knowledge.entry import Draft, Status
from app.storage.database import Session

MOST_OF_A_FILE = 5_000


@dataclass(frozen=True)
class Standing:
    """An entry as far as it matters whether a file says something new."""

    content_hash: bytes
    updated_on: date
    status: Status = Status.PUBLISHED

    def is_published_as(self, draft: Draft) -> bool:
        return self.status is Status.PUBLISHED and self.content_hash == draft.content_hash


@dataclass(frozen=True)
class Written:
    """An entry whose present text was written by one import."""

    entry_id: int
    title: str
    version: int


class ImportRepository:
    """All questions of imports about one workspace."""

    def __init__(self, session: Session, team_id: str) -> None:
        self._session = session
        self._team_id = team_id

    async def standing(self, slugs: Sequence[str]) -> dict[str, Standing]:
        rows = await self._session.fetch(
            "select slug, content_hash, updated_on, status from knowledge_entries where team_id = $1 and slug = any ($2)",
            self._team_id, list(slugs),
        )  # fmt: skip
        return {row["slug"]: Standing(bytes(row["content_hash"]), row["updated_on"], Status(row["status"])) for row in rows}

    async def written_by(self, author_id: str | None, *, slug: str, since: datetime, until: datetime) -> list[Written]:
        """Published entries of one file whose newest version this person's import wrote in that time; changed since: left out."""
        rows = await self._session.fetch(_WRITTEN, self._team_id, slug, author_id, since, until, Status.PUBLISHED, MOST_OF_A_FILE)
        return [Written(row["id"], row["title"], row["version"]) for row in rows]


_WRITTEN = """
select e.id, e.title, e.version
from knowledge_entries e join knowledge_versions v on v.team_id = e.team_id and v.entry_id = e.id and v.version = e.version
where e.team_id = $1 and (e.slug = $2 or starts_with(e.slug, $2 || '/')) and v.author_id is not distinct from $3
  and v.written_at between $4 and $5
  and e.status = $6
order by e.id limit $7
"""
