"""T16: a person's limit is one number however many processes serve; Slack's own traffic is never turned away for its address."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.playground.small_slack import visible_text
from tests.faults.town import Town

pytestmark = pytest.mark.slow

LIMIT = 10


@pytest.fixture
async def town(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    settings = {"QUESTIONS_PER_MINUTE": str(LIMIT), "API_RATE_LIMIT": "5/minute"}
    async with Town(database_url, redis_url, tmp_path, processes_wanted=4, settings=settings) as opened:
        yield opened


async def test_four_processes_let_one_persons_limit_through_and_no_more(town: Town) -> None:
    for _ in range(2 * LIMIT):
        await town.ask()
        await asyncio.sleep(0.02)
    await town.until_done()
    await town.until_answered()
    answers = [visible_text(message) for question in town.questions for message in town.slack.answers_to(question.sent)]
    assert len(answers) == 2 * LIMIT, "who is over the limit is told so, once"
    assert sum("始" in answer and "終" in answer for answer in answers) == LIMIT
    refused = [entry for entry in town.slack.record.of("delivery") if entry["status"] == 429]
    assert refused == [], "Slack would deliver again, and switch deliveries off in the end"
    assert len({question.sent.event_id for question in town.questions}) == 2 * LIMIT
