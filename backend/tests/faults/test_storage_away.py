"""F4 and F5: PostgreSQL restarts, refuses or falls silent; Redis dies or falls silent."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import redis.asyncio

from app.embedded.services import EmbeddedServices, Tuning
from app.storage.database import driver_url
from app.storage.migrations import upgrade_to_newest
from tests.faults.proxy import Proxy, Upstream, Weather
from tests.faults.town import Town

pytestmark = pytest.mark.slow

ACK_SECONDS = 2.9
REDIS_AWAY_SECONDS = 30
# A commit is on its way to the disk when it is reported (that a machine loses its power is not tested here).
TUNING = Tuning(postgres=("fsync=off", "full_page_writes=off", "max_connections=200"), redis=("--save", ""))


class Ground:
    """Servers of this test's own, each behind a proxy."""

    def __init__(self, embedded: EmbeddedServices, postgres: Proxy, redis: Proxy, town: Town) -> None:
        self.embedded = embedded
        self.postgres = postgres
        self.redis = redis
        self.town = town

    def signal_postgres(self, number: signal.Signals) -> None:
        pid_file = next(self.embedded.home.glob("postgres/*/postmaster.pid"))
        os.kill(int(pid_file.read_text().split()[0]), number)

    async def fill_redis(self) -> None:
        """From now on each write is refused for want of memory; reads go on."""
        async with redis.asyncio.from_url(self.embedded.redis_url) as client:
            await client.config_set("maxmemory-policy", "noeviction")
            await client.config_set("maxmemory", "1")

    async def until_postgres_is_gone(self) -> None:
        async with asyncio.timeout(30):
            while list(self.embedded.home.glob("postgres/*/postmaster.pid")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    home = tmp_path / "services"
    home.mkdir()
    for folder in (home, *home.parents[:3]):
        with contextlib.suppress(PermissionError):
            folder.chmod(0o755)
    with EmbeddedServices(home, TUNING) as embedded:
        upgrade_to_newest(embedded.database_url)
        sockets = parse_qs(urlsplit(embedded.database_url).query)["host"][0]
        redis_socket = embedded.redis_url.removeprefix("unix://")
        async with (
            Proxy([Upstream(path=f"{sockets}/.s.PGSQL.5432")]) as postgres,
            Proxy([Upstream(path=redis_socket)]) as redis,
        ):
            through = embedded.database_url.replace("@/", f"@127.0.0.1:{postgres.port}/").partition("?")[0]
            folder = tmp_path / "town"
            folder.mkdir()
            options = {"retry_delays": (0.5,) * 60}
            async with Town(through, f"redis://127.0.0.1:{redis.port}/0", folder, options=options) as town:
                town.database_url = embedded.database_url  # the judge's own way in
                yield Ground(embedded, postgres, redis, town)


async def people_ask(town: Town, over: asyncio.Event) -> None:
    while not over.is_set():
        await town.ask()
        await asyncio.sleep(0.2)


async def all_is_well(town: Town) -> None:
    await town.until_done(seconds=90)
    await town.until_answered()
    assert await town.violations() == []
    slow = [entry for entry in town.slack.record.of("delivery") if entry["status"] != 200 and entry["seconds"] > ACK_SECONDS]
    assert slow == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_a_restart_of_postgresql_loses_no_accepted_event(ground: Ground, how: signal.Signals):
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(people_ask(ground.town, over))
        await asyncio.sleep(1.5)
        ground.signal_postgres(how)
        await ground.until_postgres_is_gone()
        await asyncio.sleep(2)
        await asyncio.to_thread(ground.embedded.start_postgres)
        await asyncio.sleep(2)
        over.set()
    await all_is_well(ground.town)


@pytest.mark.parametrize("weather", [Weather.REFUSING, Weather.BLACK_HOLE])
async def test_postgresql_out_of_reach_for_ten_seconds_loses_no_accepted_event(ground: Ground, weather: Weather):
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(people_ask(ground.town, over))
        await asyncio.sleep(1.5)
        await ground.postgres.turn(weather)
        await asyncio.sleep(10)
        await ground.postgres.turn(Weather.FAIR)
        back = time.time()
        await asyncio.sleep(3)
        over.set()
    await all_is_well(ground.town)
    connection = await asyncpg.connect(driver_url(ground.town.database_url))
    first = await connection.fetchval(
        "select min(extract(epoch from done_at))::float8 from inbox where done_at > to_timestamp($1::float8)", back
    )
    await connection.close()
    assert first - back <= 10


@pytest.mark.parametrize("trouble", [Weather.REFUSING, Weather.BLACK_HOLE, "full"])
async def test_without_redis_every_question_is_answered(ground: Ground, trouble: Weather | str):
    if isinstance(trouble, Weather):
        await ground.redis.turn(trouble)
    else:
        await ground.fill_redis()
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(people_ask(ground.town, over))
        await asyncio.sleep(REDIS_AWAY_SECONDS)
        over.set()
    await all_is_well(ground.town)
    acks = sorted(entry["seconds"] for entry in ground.town.slack.record.of("delivery"))
    assert acks[int(len(acks) * 0.99) - 1] <= 1.0
    await ground.redis.turn(Weather.FAIR)
    await ground.town.until_answered(await ground.town.ask())


async def test_a_process_that_is_asked_to_stop_ends_while_postgresql_is_away(ground: Ground):
    await ground.town.until_answered(await ground.town.ask())
    await ground.postgres.turn(Weather.REFUSING)
    await asyncio.sleep(3)  # long enough for everything that reconnects to be trying
    for process in ground.town.processes:
        process.signal(signal.SIGTERM)
    for process in ground.town.processes:
        await process.until_ended()
