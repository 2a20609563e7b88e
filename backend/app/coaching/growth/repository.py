"""What shows how a person grows, in PostgreSQL. Numbers and ids only: no texts, so nothing here is encrypted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.storage.database import Record, Session

MOST_EVIDENCE = 2000


class EvidenceKind(StrEnum):
    """Where evidence comes from. Judgements of the coach's answers are none: they rate the coach, not the person."""

    PLAN_ITEM = "plan_item"
    PRACTICE = "practice"
    CALL = "call"


@dataclass(frozen=True)
class Evidence:
    """One observation. ``value``: 0 (the behaviour was not shown) to 1 (shown); ``weight``: how much it says."""

    skill: str
    kind: str
    source: str
    value: float
    weight: float
    observed_at: datetime


class EvidenceRepository:
    """Evidence of one workspace's people, always by its owner."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def record(
        self, team_id: str, user_id: str, skill: str, *, kind: str, source: str, value: float, weight: float = 1.0,
        observed_at: datetime,
    ) -> None:  # fmt: skip
        """One piece of evidence per skill and source: said again, it replaces what was said before."""
        if not (0 <= value <= 1 and 0 < weight <= 1):
            raise ValueError("value must be within 0 and 1, weight above 0 and at most 1")
        await self._session.execute(
            """
            insert into skill_evidence (team_id, user_id, skill, kind, source, value, weight, observed_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (team_id, user_id, skill, source) do update
            set kind = excluded.kind, value = excluded.value, weight = excluded.weight, observed_at = excluded.observed_at
            """,
            team_id, user_id, skill, kind, source, value, weight, observed_at,
        )  # fmt: skip

    async def withdraw(self, team_id: str, user_id: str, source: str) -> int:
        """Takes back what a source showed, for all skills: a ticked item was opened again. Returns how many pieces."""
        return await self._session.execute(
            "delete from skill_evidence where team_id = $1 and user_id = $2 and source = $3", team_id, user_id, source
        )

    async def of_person(self, team_id: str, user_id: str, *, until: datetime | None = None) -> list[Evidence]:
        """The person's own evidence, oldest first; at most the newest :data:`MOST_EVIDENCE` pieces."""
        rows = await self._session.fetch(
            """
            select * from (
                select skill, kind, source, value, weight, observed_at, id from skill_evidence
                where team_id = $1 and user_id = $2 and ($3::timestamptz is null or observed_at <= $3)
                order by observed_at desc, id desc limit $4
            ) newest order by observed_at, id
            """,
            team_id, user_id, until, MOST_EVIDENCE,
        )  # fmt: skip
        return [_evidence(row) for row in rows]

    async def note_item_done(
        self, team_id: str, user_id: str, item_id: int, *, skills: Iterable[str], category: str, done_at: datetime
    ) -> None:
        """A plan item was done: the behaviour it asks for was shown, for each skill its topic exercises.

        Items count by what they are (see :data:`ITEM_WEIGHTS`). A dropped item is no evidence: plans change for good reasons.
        """
        for skill in skills:
            await self.record(
                team_id, user_id, skill, kind=EvidenceKind.PLAN_ITEM, source=item_source(item_id), value=1.0,
                weight=ITEM_WEIGHTS.get(category, _OTHER_WEIGHT), observed_at=done_at,
            )  # fmt: skip


# What was done in front of a customer says more about a behaviour than what was read about it.
ITEM_WEIGHTS = {"customer": 1.0, "practice": 0.8, "review": 0.6, "preparation": 0.5, "learning": 0.4}
_OTHER_WEIGHT = 0.5


def item_source(item_id: int) -> str:
    """The name under which a plan item's evidence is kept, for :meth:`EvidenceRepository.withdraw`."""
    return f"plan_item:{item_id}"


def _evidence(row: Record) -> Evidence:
    return Evidence(row["skill"], row["kind"], row["source"], row["value"], row["weight"], row["observed_at"])
