"""What Home reads: little, whoever it is, and only what is theirs."""

from dataclasses import replace
from datetime import UTC, datetime

from app.assistant.memories import Memories
from app.assistant.past_talks import PastTalks
from app.assistant.show_growth import ShowGrowth
from app.assistant.show_home import MOST_ITEMS, MOST_MEMORIES, MOST_TALKS, ShowHome
from app.cache.cache import Cache
from app.cache.connection import RedisConnection, RedisOptions
from app.coaching.growth.taxonomy import own_taxonomy
from app.coaching.memory.recollection import Recollection
from app.core.clock import SystemClock
from app.core.encryption import Cipher
from app.people.person import Person
from app.people.repository import PeopleRepository
from app.slack.home_shelf import HomeShelf
from app.storage.database import Database
from benchmarks.heavy_person import TEAM, USER, counted_queries, furnish

CIPHER = Cipher({"k": bytes(32)})
MOST_QUERIES = 8


def show_home(database: Database, cache: Cache) -> ShowHome:
    clock = SystemClock()
    return ShowHome(
        database=database, cipher=CIPHER, clock=clock, talks=PastTalks(database, CIPHER, clock),
        growth=ShowGrowth(database=database, clock=clock, taxonomy=own_taxonomy()),
        memories=Memories(database=database, cipher=CIPHER, recollection=Recollection(database, CIPHER, cache), clock=clock),
    )  # fmt: skip


async def test_home_takes_at_most_eight_queries_and_shows_only_ones_own(database: Database, redis_url: str) -> None:
    redis = RedisConnection.open(RedisOptions(redis_url))
    home = show_home(database, Cache(redis))
    await furnish(database, CIPHER, now=datetime.now(UTC), sessions=200, turns=200, memories=40, plans=6)
    with counted_queries() as sent:
        async with database.reading() as session:
            known = await PeopleRepository(session, CIPHER).person(TEAM, USER)
        assert known is not None
        page = await home(known[0])
    assert len(sent) <= MOST_QUERIES
    assert (len(page.items), len(page.memories), len(page.talks)) == (MOST_ITEMS, MOST_MEMORIES, MOST_TALKS)
    assert page.growth.known and page.focus.skill and page.focus.next_item
    assert known[0].dose == "few", "not a beginner any more"
    for stranger in (replace(known[0], user_id="UOTHER"), Person("TOTHER", USER)):
        empty = await home(stranger)
        assert not (empty.items or empty.memories or empty.talks or empty.growth.known or empty.tally.open or empty.open_count)
    await redis.close()


async def test_what_home_showed_is_kept_encrypted_for_one_person_and_taken_once(redis_url: str) -> None:
    redis = RedisConnection.open(RedisOptions(redis_url))
    cache, view = Cache(redis), {"type": "home", "blocks": [{"text": "秘密の計画"}]}
    shelf = HomeShelf(cache, CIPHER)
    await shelf.keep("T1", "U1", view)
    sealed = await cache.get("sales-agent:T1:home:U1")
    assert sealed and "秘密".encode() not in sealed
    assert await shelf.take("T1", "U2") is None
    assert await shelf.take("T1", "U1") == view
    assert await shelf.take("T1", "U1") is None
    await cache.set("sales-agent:T1:home:U2", sealed, 60)
    assert await shelf.take("T1", "U2") is None, "bound to its person"
    await shelf.keep("T1", "U1", view)
    assert await HomeShelf(cache, Cipher({"other": b"o" * 32})).take("T1", "U1") is None
    await shelf.keep("T1", "U1", view)
    await shelf.drop("T1", "U1")
    assert await shelf.take("T1", "U1") is None
    await redis.close()
