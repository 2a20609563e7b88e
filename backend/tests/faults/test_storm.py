"""F2: many questions while processes are killed and frozen, Slack loses answers and the model stumbles."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.model_server import Script, fails
from tests.faults.town import Town, answering

pytestmark = pytest.mark.slow

EVENTS = 240
SEED = 20260401
WITHOUT_MODEL = "社内ナレッジには見つかりませんでした"  # when the model failed too often, rules answer


class StumblingModel:
    """Now and then refuses, breaks off or hangs; the seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._answer = answering(pieces=4, piece_seconds=0.03)

    def __call__(self, body: dict[str, Any]) -> Script:
        whole = self._answer(body)
        luck = self._random.random()
        if luck < 0.05:
            return fails(429, retry_after=1)
        if luck < 0.10:
            return fails(500)
        if luck < 0.12:
            return Script(pieces=whole.pieces, hang_after=2)
        if luck < 0.16:
            return Script(pieces=whole.pieces, cut_after=2)
        return whole


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    settings = {"LLM_REQUEST_TIMEOUT": "3"}
    async with Town(
        database_url, redis_url, tmp_path, processes_wanted=3, settings=settings, respond=StumblingModel(SEED)
    ) as opened:
        yield opened


def slack_stumbles(town: Town) -> None:
    town.slack.faults.seed(SEED)
    for kind, probability in (("lost_response", 0.05), ("rate_limit", 0.04), ("server_error", 0.03)):
        town.slack.faults.add("*", kind, times=10**6, probability=probability, seconds=1)


async def trouble(town: Town, dice: random.Random, until: asyncio.Event) -> None:
    """Kills or freezes one process at a time, so that one of three is always well."""
    while not until.is_set():
        await asyncio.sleep(dice.uniform(1.5, 4.0))
        victim = dice.choice(town.processes)
        if dice.random() < 0.7:
            victim.signal(signal.SIGKILL)
            await victim.until_ended()
            victim.start()
            await victim.until_ready()
        else:
            victim.signal(signal.SIGSTOP)
            await asyncio.sleep(dice.uniform(5.0, 8.0))
            victim.signal(signal.SIGCONT)


async def test_a_storm_loses_and_doubles_nothing(town: Town):
    dice = random.Random(SEED)
    slack_stumbles(town)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(trouble(town, dice, over))
        for _ in range(EVENTS):
            question = await town.ask()
            if dice.random() < 0.2:
                group.create_task(deliver_again(town, question.sent.event_id))
            await asyncio.sleep(dice.uniform(0.0, 0.4))
        over.set()
    town.slack.faults.clear()
    await town.until_done(seconds=120)
    await asyncio.sleep(1)
    assert await town.violations(other_ends=(WITHOUT_MODEL,)) == [], f"seed {SEED}"
    assert len(town.model.requests) <= EVENTS * 2.0


async def deliver_again(town: Town, event_id: str) -> None:
    await asyncio.sleep(0.1)
    await town.slack.deliveries.again(event_id, retry=1)
