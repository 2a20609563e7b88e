"""Passages by the places an answer has named, as they stand today."""

from collections.abc import Sequence

from app.i18n.language import Language
from app.knowledge.entry import scopes_of
from app.knowledge.passage import Passage
from app.people.person import Actor
from app.storage.database import Session

# Whatever has become of the heading, the entry is what was cited.
_PASSAGES = """
select wanted.heading, e.id, e.title, e.source, e.url, e.category, e.updated_on, e.language
from unnest($2::bigint[], $3::text[]) with ordinality as wanted (entry_id, heading, place)
join knowledge_entries e on e.id = wanted.entry_id
where e.team_id = $1 and e.scope = any ($4::text[])
order by wanted.place
"""


class CitationRepository:
    """Cited places, through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def passages(self, places: Sequence[tuple[int, str]], *, actor: Actor) -> list[Passage]:
        """Those the actor may see, in the order given, without their text."""
        rows = await self._session.fetch(
            _PASSAGES, actor.team_id, [entry_id for entry_id, _ in places], [heading for _, heading in places], scopes_of(actor)
        )
        return [
            Passage(
                entry_id=row["id"], title=row["title"], heading=row["heading"], text="", source=row["source"], url=row["url"],
                category=row["category"], updated_on=row["updated_on"], language=Language(row["language"]), score=0.0,
            )
            for row in rows
        ]  # fmt: skip
