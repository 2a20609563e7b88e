"""What shows how a person grows, in PostgreSQL. Numbers and ids only: no texts, so nothing here is encrypted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.storage.database import Record, Session

MOST_EVIDENCE = 2000


class EvidenceKind(StrEnum):
    """Where evidence comes from.

    "Helpful" and "not helpful" under an answer are none: they rate the coach. What the person says of advice they tried (the
    outcome of a finished plan item) is, and weighs within that item's evidence.
    """

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


class Outcome(StrEnum):
    """How a finished item went against its own success metric."""

    REACHED = "reached"
    PARTLY = "partly"
    MISSED = "missed"


@dataclass(frozen=True)
class Tally:
    """How a person's plan items stand. ``overdue`` ones are among the ``open``."""

    done: int = 0
    dropped: int = 0
    open: int = 0
    overdue: int = 0
    reached: int = 0
    partly: int = 0
    missed: int = 0

    @property
    def due(self) -> int:
        """Items that have come to an end or to their date."""
        return self.done + self.dropped + self.overdue

    @property
    def completion_rate(self) -> float | None:
        """Of the items that have come to an end or to their date, the part that was done. What is not due yet is left out."""
        return self.done / self.due if self.due else None

    @property
    def told(self) -> int:
        """Finished items of which the person said how they went."""
        return self.reached + self.partly + self.missed

    @property
    def success_rate(self) -> float | None:
        """Of the finished items the person judged, the part that reached its success metric; "partly" counts half."""
        return (self.reached + self.partly / 2) / self.told if self.told else None


@dataclass(frozen=True)
class DoneItem:
    """A finished item; its texts are the plan's business."""

    id: int
    done_at: datetime
    outcome: Outcome | None


@dataclass(frozen=True)
class Exercised:
    """What a finished item was about."""

    topic: str
    category: str
    done_at: datetime


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
        self, team_id: str, user_id: str, item_id: int, *, skills: Iterable[str], category: str, done_at: datetime,
        outcome: Outcome | None = None,
    ) -> None:  # fmt: skip
        """A plan item was done: the behaviour it asks for was shown, for each skill its topic exercises.

        Items count by what they are (see :data:`ITEM_WEIGHTS`) and how they went, once the person has said so. A dropped item
        is no evidence: plans change for good reasons.
        """
        for skill in skills:
            await self.record(
                team_id, user_id, skill, kind=EvidenceKind.PLAN_ITEM, source=item_source(item_id),
                value=VALUE_OF_OUTCOME[outcome], weight=ITEM_WEIGHTS.get(category, _OTHER_WEIGHT), observed_at=done_at,
            )  # fmt: skip


class ProgressRepository:
    """What became of a person's plan items, without their texts; always by their owner."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def topics_under_way(self, team_id: str, user_id: str) -> list[str]:
        """Topics with open items, the one due next first."""
        rows = await self._session.fetch(
            """
            select p.topic from plan_items i join action_plans p on p.id = i.plan_id
            where i.team_id = $1 and i.user_id = $2 and i.status = 'open'
            group by p.topic order by min(i.due_on), p.topic limit 20
            """,
            team_id, user_id,
        )  # fmt: skip
        return [row["topic"] for row in rows]

    async def tally(self, team_id: str, user_id: str, *, since: datetime, today: date) -> Tally:
        """What was settled since a moment, and what is open today."""
        row = await self._session.fetch_row(
            """
            select count(*) filter (where status = 'done' and settled_at >= $3) as done,
                   count(*) filter (where status = 'dropped' and settled_at >= $3) as dropped,
                   count(*) filter (where status = 'open') as open,
                   count(*) filter (where status = 'open' and due_on < $4) as overdue,
                   count(*) filter (where status = 'done' and settled_at >= $3 and outcome = 'reached') as reached,
                   count(*) filter (where status = 'done' and settled_at >= $3 and outcome = 'partly') as partly,
                   count(*) filter (where status = 'done' and settled_at >= $3 and outcome = 'missed') as missed
            from plan_items where team_id = $1 and user_id = $2
            """,
            team_id, user_id, since, today,
        )  # fmt: skip
        return Tally(**dict(row)) if row else Tally()

    async def done_since(self, team_id: str, user_id: str, since: datetime, *, limit: int) -> list[DoneItem]:
        """Items done since a moment, the latest first."""
        rows = await self._session.fetch(
            """
            select id, settled_at, outcome from plan_items
            where team_id = $1 and user_id = $2 and status = 'done' and settled_at >= $3
            order by settled_at desc, id desc limit $4
            """,
            team_id, user_id, since, limit,
        )  # fmt: skip
        return [DoneItem(row["id"], row["settled_at"], Outcome(row["outcome"]) if row["outcome"] else None) for row in rows]

    async def note_outcome(self, team_id: str, user_id: str, item_id: int, outcome: Outcome) -> Exercised | None:
        """How a done item went; said again, the last word holds. ``None`` when it is not this person's or not done."""
        row = await self._session.fetch_row(
            """
            update plan_items i set outcome = $4 from action_plans p
            where i.team_id = $1 and i.user_id = $2 and i.id = $3 and i.status = 'done' and p.id = i.plan_id
            returning p.topic, i.category, i.settled_at
            """,
            team_id, user_id, item_id, outcome.value,
        )  # fmt: skip
        return Exercised(row["topic"], row["category"], row["settled_at"]) if row else None


# What was done in front of a customer says more about a behaviour than what was read about it.
ITEM_WEIGHTS = {"customer": 1.0, "practice": 0.8, "review": 0.6, "preparation": 0.5, "learning": 0.4}
_OTHER_WEIGHT = 0.5

VALUE_OF_OUTCOME: dict[Outcome | None, float] = {None: 0.8, Outcome.REACHED: 1.0, Outcome.PARTLY: 0.6, Outcome.MISSED: 0.3}
"""Doing is the better part of it; whether the mark was reached is not in one person's hands alone. ``None``: not said."""


def item_source(item_id: int) -> str:
    """The name under which a plan item's evidence is kept, for :meth:`EvidenceRepository.withdraw`."""
    return f"plan_item:{item_id}"


def _evidence(row: Record) -> Evidence:
    return Evidence(row["skill"], row["kind"], row["source"], row["value"], row["weight"], row["observed_at"])
