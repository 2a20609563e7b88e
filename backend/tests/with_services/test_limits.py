"""T16: a limit holds over all processes, and a smaller one holds without Redis."""

import asyncio
import sys
from pathlib import Path

from app.cache.connection import RedisConnection, RedisOptions
from app.cache.keys import limit_key
from app.cache.limits import Limits, Taken
from tests.with_services.redis_faults import SteppingClock, black_hole

BACKEND = Path(__file__).parents[2]
KEY = limit_key("T1", "questions", "U1")

# One more process with a connection of its own, which takes as often as it can.
TAKER = """
import asyncio, sys
from app.cache.connection import RedisConnection, RedisOptions
from app.cache.limits import Limits

async def main():
    connection = RedisConnection.open(RedisOptions(sys.argv[1]))
    limits = Limits(connection, processes=4)
    allowed = 0
    for _ in range(100):
        allowed += (await limits.take(sys.argv[2], limit=40, seconds=600)).is_allowed
    assert limits.local_count == 0, "Redis was not reached"
    await connection.close()
    print(allowed)

asyncio.run(main())
"""


async def test_four_processes_together_keep_to_the_limit_of_one_person(redis_url: str) -> None:
    takers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", TAKER, redis_url, KEY, cwd=BACKEND, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    allowed = [int((await taker.communicate())[0]) for taker in takers]
    assert sum(allowed) == 40


async def test_each_person_has_a_limit_of_their_own(redis_url: str) -> None:
    connection = RedisConnection.open(RedisOptions(redis_url))
    limits = Limits(connection)
    assert [(await limits.take(KEY, limit=1, seconds=60)).is_allowed for _ in range(2)] == [True, False]
    assert (await limits.take(limit_key("T1", "questions", "U2"), limit=1, seconds=60)).is_allowed
    assert (await limits.take(limit_key("T2", "questions", "U1"), limit=1, seconds=60)).is_allowed
    await connection.close()


async def test_a_refusal_says_when_to_come_back_and_costs_nothing(redis_url: str) -> None:
    connection = RedisConnection.open(RedisOptions(redis_url))
    limits = Limits(connection)
    assert (await limits.take(KEY, limit=10, seconds=60, cost=8)).is_allowed
    refused = await limits.take(KEY, limit=10, seconds=60, cost=3)
    assert not refused.is_allowed
    assert 50 < refused.retry_after_seconds <= 60
    assert (await limits.take(KEY, limit=10, seconds=60, cost=2)).is_allowed
    assert not (await limits.take(KEY, limit=10, seconds=60, cost=11)).is_allowed
    assert 0 < await connection.run(lambda client: client.ttl(KEY)) <= 60
    await connection.close()


async def test_the_window_slides(redis_url: str) -> None:
    connection = RedisConnection.open(RedisOptions(redis_url))
    limits = Limits(connection)
    assert (await limits.take(KEY, limit=2, seconds=1, cost=2)).is_allowed
    refused = await limits.take(KEY, limit=2, seconds=1)
    await asyncio.sleep(refused.retry_after_seconds + 0.01)
    assert (await limits.take(KEY, limit=2, seconds=1, cost=2)).is_allowed
    await connection.close()


async def test_without_redis_each_process_allows_its_share() -> None:
    clock = SteppingClock()
    async with black_hole() as url:
        connection = RedisConnection.open(RedisOptions(url), clock=clock)
        limits = Limits(connection, processes=4, clock=clock)
        taken = [await limits.take(KEY, limit=20, seconds=60) for _ in range(8)]
        assert [one.is_allowed for one in taken] == [True] * 5 + [False] * 3
        assert taken[-1] == Taken(False, 60)
        clock.step(61)
        assert (await limits.take(KEY, limit=20, seconds=60)).is_allowed
        assert (await limits.take(limit_key("T1", "q", "U9"), limit=1, seconds=60)).is_allowed, "at least one"
        assert not (await limits.take(KEY, limit=1, seconds=60, cost=2)).is_allowed, "never more than the limit"
        await connection.close()
