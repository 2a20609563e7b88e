"""How long Home takes for somebody with 500 sessions, 10,000 turns, 2,000 memories and 300 plan items, and how many queries.

    python backend/benchmarks/home_speed.py [--times 100]

Own time is everything between the wish to see Home and the finished view, PostgreSQL included and Slack not; processor time of
this process stands beside it. The promise: at most 300 ms and 8 queries.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from heavy_person import TEAM, USER, counted_queries, furnish
from marks import Row

from app.assistant.memories import Memories
from app.assistant.past_talks import PastTalks
from app.assistant.show_growth import ShowGrowth
from app.assistant.show_home import ShowHome
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.growth.taxonomy import own_taxonomy
from app.coaching.memory.recollection import Recollection
from app.core.clock import SystemClock
from app.core.encryption import Cipher
from app.embedded.services import THROW_AWAY, EmbeddedServices
from app.i18n.language import Language
from app.people.repository import PeopleRepository
from app.slack.blocks.help import About
from app.slack.blocks.home import home_view
from app.storage.database import Database
from app.storage.migrations import upgrade_to_newest


async def measure(url: str, redis_url: str, times: int) -> None:
    upgrade_to_newest(url)
    database, clock, cipher = await Database.open(url, max_connections=8), SystemClock(), Cipher({"k": bytes(32)})
    redis = RedisConnection.open(RedisOptions(redis_url), clock=clock)
    began = time.perf_counter()
    await furnish(database, cipher, now=datetime.now(UTC))
    async with database.reading() as session:
        tables = ("dialogue_sessions", "dialogue_messages", "conversation_insights", "plan_items", "skill_evidence")
        counts = [f"{await session.fetch_value(f'select count(*) from {table}'):,} {table}" for table in tables]
    print(", ".join(counts), f"in {time.perf_counter() - began:.1f} s")
    recollection = Recollection(database, cipher, Cache(redis))
    show_home = ShowHome(
        database=database, cipher=cipher, clock=clock, talks=PastTalks(database, cipher, clock),
        growth=ShowGrowth(database=database, clock=clock, taxonomy=own_taxonomy()),
        memories=Memories(database=database, cipher=cipher, recollection=recollection, clock=clock),
    )  # fmt: skip

    async def home() -> str:
        async with database.reading() as session:
            known = await PeopleRepository(session, cipher).person(TEAM, USER)
        assert known is not None
        view = home_view(await show_home(known[0]), language=Language.JAPANESE, about=About("AI営業支援", "1", is_offline=True))
        return json.dumps(view, ensure_ascii=False)

    with counted_queries() as sent:
        size = len(await home())
    print(f"{size:,} characters")
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        await home()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    for name, values in (("own time", walls), ("processor", cpus)):
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"{name:10} p50 {statistics.median(values):6.1f} ms   p95 {p95:6.1f} ms   worst {max(values):6.1f} ms")
    print(f"  {Row('Home, own time, p95', statistics.quantiles(walls, n=20)[-1], 300, 300, 'ms')}")
    print(f"  {Row('queries for Home', len(sent), 8, 8)}")
    await redis.close()
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="sa-bench-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedServices(Path(folder), THROW_AWAY) as embedded:
            asyncio.run(measure(embedded.database_url, embedded.redis_url, times))


if __name__ == "__main__":
    main()
