"""What a database is: its version, its schema, and what it could do."""

from dataclasses import dataclass

from app.storage.database import Database

USEFUL_EXTENSIONS = ("vector", "pg_trgm", "unaccent", "btree_gin")


@dataclass(frozen=True)
class DatabaseState:
    """``revision`` is ``None`` for a database that was never migrated."""

    version: str
    major: int
    revision: str | None
    available_extensions: frozenset[str]


async def database_state(database: Database) -> DatabaseState:
    """Asks the server; no right beyond connecting is needed."""
    async with database.reading() as session:
        number = int(await session.fetch_value("select current_setting('server_version_num')"))
        names = await session.fetch("select name from pg_available_extensions where name = any($1::text[])", USEFUL_EXTENSIONS)
        is_migrated = await session.fetch_value("select to_regclass('alembic_version') is not null")
        revision = await session.fetch_value("select version_num from alembic_version") if is_migrated else None
    available = frozenset(row["name"] for row in names)
    return DatabaseState(f"{number // 10000}.{number % 10000}", number // 10000, revision, available)
