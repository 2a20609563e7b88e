"""F1: a process dies or freezes at every point of an answer, and the person sees exactly one whole answer."""

import asyncio
import signal

import pytest

from tests.faults.points import POINTS
from tests.faults.town import Town

pytestmark = pytest.mark.slow


async def test_an_answer_survives_the_death_of_its_process_at_any_point(town: Town):
    for point in POINTS:
        town.order(point, "KILL")
        question = await town.ask()
        dead = await town.until_taken(point, "KILL")
        await dead.until_ended()
        dead.start()
        await town.until_answered(question)
        await town.until_done()
        assert await town.violations() == [], point
        await dead.until_ready()


async def test_an_answer_survives_a_frozen_process_at_any_point(town: Town):
    for point in POINTS:
        town.order(point, "STOP")
        question = await town.ask()
        frozen = await town.until_taken(point, "STOP")
        # The other one takes over while this one sleeps, and this one wakes up in the belief that nothing happened.
        await town.until_answered(question)
        frozen.signal(signal.SIGCONT)
        await town.until_done()
        await asyncio.sleep(1.0)  # what a zombie does, it does now
        assert await town.violations() == [], point
