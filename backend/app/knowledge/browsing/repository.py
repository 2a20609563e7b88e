"""Lists of entries for those who manage them. Personal entries are nobody's business but their owner's and never in it."""

from dataclasses import dataclass
from datetime import date, datetime

from app.i18n.language import Language
from app.knowledge.entry import Category, Status, Trust
from app.storage.database import Record, Session

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to. ``text`` is looked for in title, body, tags and source, as it stands."""

    status: Status = Status.PUBLISHED
    category: Category | None = None
    language: Language | None = None
    text: str = ""
    review_until: date | None = None


@dataclass(frozen=True)
class Listed:
    """An entry in a list."""

    entry_id: int
    title: str
    category: Category
    language: Language
    trust: Trust
    status: Status
    source: str
    owner_id: str | None
    version: int
    updated_on: date
    review_on: date | None
    changed_at: datetime
    helpful: int
    unhelpful: int


@dataclass(frozen=True)
class EntryPage:
    """Some of ``total`` entries, the last changed first."""

    entries: tuple[Listed, ...]
    total: int


class BrowseRepository:
    """The entries of one workspace."""

    def __init__(self, session: Session, team_id: str) -> None:
        self._session = session
        self._team_id = team_id

    async def page(self, wanted: Wanted, *, number: int, size: int = PAGE) -> EntryPage:
        """Page ``number``, counted from 1."""
        rows = await self._session.fetch(
            _PAGE, self._team_id, wanted.status, wanted.category, wanted.language, _pattern(wanted.text), wanted.review_until,
            size, (number - 1) * size,
        )  # fmt: skip
        total = rows[0]["total"] if rows else await self._session.fetch_value(
            _COUNT, self._team_id, wanted.status, wanted.category, wanted.language, _pattern(wanted.text), wanted.review_until
        )  # fmt: skip
        return EntryPage(tuple(_listed(row) for row in rows), total)

    async def status_counts(self) -> dict[Status, int]:
        """How many entries there are of each status."""
        rows = await self._session.fetch(
            """
            select status, count(*) as entries from knowledge_entries
            where team_id = $1 and not starts_with(scope, 'person:') group by status
            """,
            self._team_id,
        )
        return {Status(row["status"]): row["entries"] for row in rows}


def is_personal(scope: str) -> bool:
    return scope.startswith("person:")


def _pattern(text: str) -> str | None:
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%" if text else None


def _listed(row: Record) -> Listed:
    return Listed(
        entry_id=row["id"], title=row["title"], category=Category(row["category"]), language=Language(row["language"]),
        trust=Trust(row["trust"]), status=Status(row["status"]), source=row["source"], owner_id=row["owner_id"],
        version=row["version"], updated_on=row["updated_on"], review_on=row["review_on"], changed_at=row["changed_at"],
        helpful=row["helpful"], unhelpful=row["unhelpful"],
    )  # fmt: skip


_WANTED = r"""
from knowledge_entries e
where e.team_id = $1 and e.status = $2 and not starts_with(e.scope, 'person:')
  and ($3::text is null or e.category = $3) and ($4::text is null or e.language = $4)
  and ($5::text is null or e.title ilike $5 or e.body ilike $5 or e.source ilike $5 or array_to_string(e.tags, ' ') ilike $5)
  and ($6::date is null or e.review_on <= $6)
"""

_COUNT = "select count(*) " + _WANTED

_PAGE = (
    """
select p.*, count(f.*) filter (where f.verdict = 'helpful') as helpful,
       count(f.*) filter (where f.verdict = 'unhelpful') as unhelpful
from (
    select e.id, e.team_id, e.title, e.category, e.language, e.trust, e.status, e.source, e.owner_id, e.version, e.updated_on,
           e.review_on, e.changed_at, count(*) over () as total
"""
    + _WANTED
    + """
    order by e.changed_at desc, e.id desc limit $7 offset $8
) p left join knowledge_feedback f on f.team_id = p.team_id and f.entry_id = p.id
group by p.id, p.team_id, p.title, p.category, p.language, p.trust, p.status, p.source, p.owner_id, p.version, p.updated_on,
         p.review_on, p.changed_at, p.total
order by p.changed_at desc, p.id desc
"""
)
