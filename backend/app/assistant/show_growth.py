"""How a person's skills have come along: only their own, and only what there is evidence for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.coaching.growth.levels import Level, Step, Trend, course, trend
from app.coaching.growth.repository import Evidence, EvidenceRepository, ProgressRepository
from app.coaching.growth.taxonomy import Skill, Taxonomy
from app.core.clock import Clock
from app.people.person import Actor
from app.storage.database import Database, Session

DEFAULT_DAYS = 90
POINTS = 13  # of a curve
COMPARED_WITH = timedelta(days=28)  # four weeks ago: the same days of the week, and long enough for a change to mean something
MOST_STRENGTHS = 3


@dataclass(frozen=True)
class SkillGrowth:
    """One skill: now, compared with four weeks ago, and over the time asked for."""

    skill: Skill
    level: Level
    trend: Trend
    course: tuple[Level, ...]


@dataclass(frozen=True)
class Growth:
    """All skills in the taxonomy's order. ``focus``: what to work on next, ``None`` when nothing speaks for any skill."""

    moments: tuple[datetime, ...]
    skills: tuple[SkillGrowth, ...]
    under_way: tuple[Skill, ...]
    focus: Skill | None

    @property
    def known(self) -> tuple[SkillGrowth, ...]:
        """Skills of which enough is known to say something."""
        return tuple(one for one in self.skills if one.level.is_known)

    @property
    def unknown(self) -> tuple[SkillGrowth, ...]:
        return tuple(one for one in self.skills if not one.level.is_known)

    @property
    def strengths(self) -> tuple[SkillGrowth, ...]:
        """Skills the person is able in, the surest first."""
        able = [one for one in self.known if (one.level.step or Step.BEGINNING) >= Step.ABLE]
        return tuple(sorted(able, key=lambda one: -one.level.mean)[:MOST_STRENGTHS])


class ShowGrowth:
    """Two queries."""

    def __init__(self, *, database: Database, clock: Clock, taxonomy: Taxonomy) -> None:
        self._database = database
        self._clock = clock
        self.taxonomy = taxonomy

    async def __call__(self, actor: Actor, *, days: int = DEFAULT_DAYS) -> Growth:
        """The actor's own growth; ``days`` is how far back the curves begin."""
        async with self._database.reading() as session:
            return await self.within(session, actor, days=days)

    async def within(self, session: Session, actor: Actor, *, days: int = DEFAULT_DAYS) -> Growth:
        """The same through a session somebody has open already."""
        now = self._clock.now()
        evidence = await EvidenceRepository(session).of_person(actor.team_id, actor.user_id, until=now)
        topics = await ProgressRepository(session).topics_under_way(actor.team_id, actor.user_id)
        return growth_of(evidence, topics, self.taxonomy, now=now, days=days)


def growth_of(evidence: Sequence[Evidence], topics: Sequence[str], taxonomy: Taxonomy, *, now: datetime, days: int) -> Growth:
    """``topics``: those of open plan items, the one due next first."""
    moments = tuple(now - timedelta(days=days) * (POINTS - 1 - point) / (POINTS - 1) for point in range(POINTS))
    skills = tuple(_growth(skill, [one for one in evidence if one.skill == skill.id], moments) for skill in taxonomy.skills)
    ids = dict.fromkeys(skill_id for topic in topics for skill_id in taxonomy.of_topic(topic))
    under_way = tuple(skill for skill_id in ids if (skill := taxonomy.find(skill_id)))
    return Growth(moments, skills, under_way, _focus(skills, under_way))


def _growth(skill: Skill, evidence: Sequence[Evidence], moments: tuple[datetime, ...]) -> SkillGrowth:
    before, now = course(evidence, (moments[-1] - COMPARED_WITH, moments[-1]))
    return SkillGrowth(skill, now, trend(before, now), course(evidence, moments))


def _focus(skills: Sequence[SkillGrowth], under_way: Sequence[Skill]) -> Skill | None:
    """The skill whose plan item is due next, since a plan that is followed teaches most; without a plan the lowest known one."""
    if under_way:
        return under_way[0]
    known = [one for one in skills if one.level.is_known]
    return min(known, key=lambda one: one.level.mean).skill if known else None
