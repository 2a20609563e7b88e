"""Thirty people, in three languages, come with a trouble and leave with a plan, whatever the model does."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest

from app.assistant.guide_talk import Guided
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.plan.due_dates import is_working_day, today_of
from app.coaching.talk.state import Point
from app.coaching.wording import find_faults
from app.core.config import Environment, Settings
from app.i18n.language import Language
from app.inbox.inbox import Inbox
from app.llm.service import open_llm
from app.people.person import Dose
from app.storage.database import Database
from tests.doubles.model_server import ModelServer
from tests.scenarios.coaching_person import (
    Respond,
    Story,
    asked_in,
    contradictory,
    faithful,
    late,
    malformed,
    percent_in,
    story,
    story_topics,
)
from tests.scenarios.coaching_scene import SOON, CoachingScene, Visitor, later
from tests.with_services.dialogue_builders import CIPHER

DOSES = {Language.JAPANESE: Dose.ONE, Language.ENGLISH: Dose.FEW, Language.CHINESE: Dose.FULL}
MOST_TURNS = 12
MODELS: dict[str, Callable[..., Respond] | None] = {
    "offline": None, "faithful": faithful, "late": late, "malformed": malformed, "contradictory": contradictory,
}  # fmt: skip


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[Cache]:
    connection = RedisConnection.open(RedisOptions(redis_url))
    yield Cache(connection)
    await connection.close()


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def make_scene(database: Database, cache: Cache, model: ModelServer) -> AsyncIterator[Callable[..., CoachingScene]]:
    services = []
    async with Inbox(database, CIPHER) as inbox:

        def make(*, is_offline: bool) -> CoachingScene:
            given: dict[str, Any] = {"environment": Environment.TEST, "llm_max_retries": 0}
            if not is_offline:
                given |= {"llm_base_url": model.openai_url, "llm_api_key": model.key, "llm_model": "double"}
            services.append(open_llm(Settings(_env_file=None, **given)))
            return CoachingScene(database, inbox, cache, services[-1], patience=SOON)

        yield make
        for service in services:
            await service.close()


@pytest.mark.parametrize("behaviour", MODELS)
@pytest.mark.parametrize("topic", story_topics())
async def test_every_story_ends_in_a_valid_plan(
    topic: str, behaviour: str, make_scene: Callable[..., CoachingScene], model: ModelServer
) -> None:
    respond = MODELS[behaviour]
    scene = make_scene(is_offline=respond is None)
    for number, language in enumerate(Language):
        one = story(topic, language)
        if respond is not None:
            model.respond = respond(one, due_on="2026-05-01")
        visitor = Visitor(scene, language, user_id=f"U{number}", dose=DOSES[language], channel_id=f"D{number}")
        first = await Telling(one, visitor).until_planned(one.opening)
        later(scene.clock, days=3)
        again = await Telling(one, visitor.in_thread("2.1"), first.asked).until_planned(one.again)
        assert again.questions <= first.questions * 0.6, (first.asked, again.asked)
    made_by = {row["made_by"] for row in await scene.rows("select made_by from action_plans")}
    assert made_by == {"offline": {"rules"}, "faithful": {"double"}, "late": {"rules"}, "malformed": {"rules"}}.get(
        behaviour, made_by
    )


class Telling:
    """A person goes on answering until there is a plan; every turn is looked at."""

    def __init__(self, story: Story, visitor: Visitor, asked_before: tuple[str, ...] = ()) -> None:
        self.story, self.visitor = story, visitor
        self.asked: tuple[str, ...] = ()
        self._asked_before = set(asked_before)
        self._answered: set[Point] = {Point.PROBLEM}
        self._progress = 0

    @property
    def questions(self) -> int:
        return len(self.asked)

    async def until_planned(self, opening: str) -> "Telling":
        facts = self.story.facts
        if self._asked_before:
            facts = {**facts, Point.SITUATION: self.story.since}
        guided = await self.visitor.say(opening)
        for _ in range(MOST_TURNS):
            if guided.is_plan:
                await self._look_at_plan(guided)
                return self
            await self._look_at_questions(guided)
            guided = await self.visitor.say(self.story.answer(guided.text, knows=facts))
        raise AssertionError(f"no plan after {MOST_TURNS} turns: {self.asked}")

    async def _look_at_questions(self, guided: Guided) -> None:
        asked = asked_in(guided.text, self.story.language)
        ids, points = [question_id for question_id, _ in asked], {point for _, point in asked}
        assert 1 <= len(asked) <= self.visitor.dose.most, guided.text
        assert not set(ids) & {*self.asked, *self._asked_before}, "a question was put twice"
        assert not points & self._answered, "what was answered is asked again"
        assert not find_faults(guided.text, self.story.language)
        talk = await self.visitor.talk()
        assert percent_in(guided.text) == talk.progress >= self._progress
        self._progress = talk.progress
        self.asked += tuple(ids)
        self._answered |= points

    async def _look_at_plan(self, guided: Guided) -> None:
        language, today = self.story.language, today_of(self.visitor.scene.clock.now(), "Asia/Tokyo")
        talk = await self.visitor.talk()
        assert talk.progress >= 80
        assert not any(asked_in(guided.text, language))
        assert 1 <= len(guided.items) <= 5
        for item in guided.items:
            texts = (item.action.title, item.action.description, item.action.success_metric)
            assert all(text.strip() for text in texts)
            assert not find_faults("\n".join(texts), language)
            assert today < item.action.due_on <= date(2026, 12, 31)
            assert is_working_day(item.action.due_on)
            assert item.remind_at is not None
        open_talks = await self.visitor.scene.rows("select 1 from coaching_talks where closed_at is null")
        assert not open_talks
