"""Runs migrations against ``DATABASE_URL`` (or the address ``storage.migrations`` hands over)."""

import asyncio

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.config import database_url_from_environment
from app.storage.tables.everything import metadata

# Two processes that start at once must not migrate at once: one holds this lock, the other waits and finds nothing to do.
MIGRATION_LOCK = 4_812_773


def include_object(_object: object, name: str | None, *_more: object) -> bool:
    """The job engine's tables belong to the job engine; everything else is ours."""
    return not (name or "").startswith(("procrastinate_", "idx_procrastinate_"))


def configure(**kwargs: object) -> None:
    context.configure(
        target_metadata=metadata, include_object=include_object, compare_type=True, transaction_per_migration=True, **kwargs
    )


def migrate(connection: sa.Connection) -> None:
    connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.commit()
    try:
        configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


async def migrate_online(url: str) -> None:
    engine = create_async_engine(url, poolclass=sa.pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    # "named": other styles of parameters double every percent sign, also in the functions of the job engine.
    configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(migrate_online(context.config.attributes.get("database_url") or database_url_from_environment()))
