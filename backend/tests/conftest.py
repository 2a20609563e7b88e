"""What all tests share: real PostgreSQL and Valkey, started here, one empty database per test that asks for one."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import redis.asyncio as redis
from hypothesis import settings

from app.embedded.services import THROW_AWAY, EmbeddedServices
from app.storage.database import Database, driver_url
from app.storage.migrations import upgrade_to_newest

# The same examples on every run, and no clock: a slow machine is no bug.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")

# A developer's own environment must not reach the tests.
for name in list(os.environ):
    if name.startswith(("SLACK_", "OPENAI_", "ANTHROPIC_", "LLM_", "DATABASE_", "REDIS_")):
        del os.environ[name]

TEMPLATE = "migrated"


@dataclass(frozen=True)
class Servers:
    """Addresses of the servers of this test process."""

    embedded: EmbeddedServices
    admin_url: str
    redis_url: str

    def database_url(self, name: str) -> str:
        return self.admin_url.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="sa-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedServices(home, THROW_AWAY) as embedded:
            yield Servers(embedded, embedded.database_url, embedded.redis_url)


@pytest.fixture(scope="session")
async def migrated_template(servers: Servers) -> str:
    connection = await asyncpg.connect(driver_url(servers.admin_url))
    await connection.execute(f"create database {TEMPLATE}")
    await connection.close()
    upgrade_to_newest(servers.database_url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def database_url(servers: Servers, migrated_template: str) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(driver_url(servers.admin_url))
    await connection.execute(f"create database {name} template {migrated_template}")
    yield servers.database_url(name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, max_connections=10)
    yield opened
    await opened.close()


@pytest.fixture
async def redis_url(servers: Servers) -> str:
    """An emptied Redis database; tests of one process run one after the other."""
    client = redis.Redis.from_url(servers.redis_url)
    await client.flushall()
    await client.aclose()
    return servers.redis_url
