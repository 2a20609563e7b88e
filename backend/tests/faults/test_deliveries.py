"""F3 and F8: an event that comes many times is answered once; a deploy loses nothing and refuses nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.playground.options import MENTIONS_AND_DIRECT
from tests.faults.town import Town

pytestmark = pytest.mark.slow


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Slack sends the message beside each mention of it."""
    twins = {"subscriptions": MENTIONS_AND_DIRECT | {"message.channels"}}
    async with Town(database_url, redis_url, tmp_path, options=twins) as opened:
        yield opened


async def test_an_event_that_comes_many_times_is_answered_once(town: Town):
    questions = [await town.ask() for _ in range(5)]
    for question in questions:
        again = [
            town.slack.deliveries.again(delivery.event_id, retry=retry)
            for delivery in question.sent.deliveries
            for retry in (None, 1, 2, None)
        ]
        answers = await asyncio.gather(*again)
        assert [answer.status for answer in answers] == [200] * len(answers)
    assert all(len(question.sent.deliveries) == 2 for question in questions)
    await town.until_answered()
    await town.until_done()
    assert await town.violations() == []
    assert await town.query("select count(*) from inbox") == len(questions)
    assert len(town.model.requests) == len(questions)


async def test_a_rolling_deploy_loses_and_doubles_nothing(town: Town):
    over = asyncio.Event()

    async def people() -> None:
        while not over.is_set():
            await town.ask()
            await asyncio.sleep(0.15)

    async with asyncio.TaskGroup() as group:
        group.create_task(people())
        for process in town.processes:
            await asyncio.sleep(1)
            process.signal(signal.SIGTERM)
            await process.until_ended()
            process.start()
            await process.until_ready()
        await asyncio.sleep(1)
        over.set()
    await town.until_answered()
    await town.until_done()
    assert await town.violations() == []
    deliveries = town.slack.record.of("delivery")
    refused = [entry for entry in deliveries if not 200 <= entry["status"] < 300 and entry["error"] != "connection"]
    assert refused == []
