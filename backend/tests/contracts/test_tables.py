"""Tables and migrations: every table knows its workspace, and the migrations make exactly the tables that the code declares."""

import asyncio
import contextlib
import io
import os
import sys

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from app.storage.database import driver_url
from app.storage.migrations import ALEMBIC_INI, alembic_config, newest_revision, sqlalchemy_url, upgrade_to_newest
from app.storage.tables.everything import metadata

OTHERS = ("procrastinate_", "alembic_version")  # the job engine's and alembic's own


def test_every_declared_table_has_its_workspace() -> None:
    for table in metadata.sorted_tables:
        assert "team_id" in table.columns, f"{table.name} has no team_id"
        assert not table.columns["team_id"].nullable, f"{table.name}.team_id may be null"


async def test_every_table_of_a_migrated_database_has_its_workspace(database_url: str) -> None:
    connection = await asyncpg.connect(driver_url(database_url))
    rows = await connection.fetch(
        """
        select tablename from pg_tables where schemaname = 'public' and tablename not in (
            select table_name from information_schema.columns where column_name = 'team_id' and is_nullable = 'NO')
        """
    )
    await connection.close()
    assert [row["tablename"] for row in rows if not row["tablename"].startswith(OTHERS)] == []


async def test_the_migrations_make_the_tables_that_the_code_declares(database_url: str) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        options = {
            "compare_type": True,
            "include_object": lambda _, name, *__: not (name or "").startswith(("procrastinate_", "idx_procrastinate_")),
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    engine = create_async_engine(sqlalchemy_url(database_url), poolclass=sa.pool.NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.fixture
async def empty_database_url(database_url: str) -> str:
    """A database without anything in it."""
    connection = await asyncpg.connect(driver_url(database_url))
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    return database_url


async def schema_of(database_url: str) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(driver_url(database_url))
    rows = await connection.fetch(
        """
        select 'column' as kind, table_name::text as what, column_name::text || ' ' || data_type as detail
        from information_schema.columns where table_schema = 'public'
        union all select 'index', tablename::text, indexdef from pg_indexes where schemaname = 'public'
        union all select 'function', proname::text, pg_get_function_identity_arguments(p.oid)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        order by 1, 2, 3
        """
    )
    await connection.close()
    return [tuple(row) for row in rows]


async def test_a_database_goes_from_empty_to_newest_back_and_forth(empty_database_url: str) -> None:
    upgrade_to_newest(empty_database_url)
    newest = await schema_of(empty_database_url)
    await asyncio.to_thread(command.downgrade, alembic_config(empty_database_url), "base")
    left = [row for row in await schema_of(empty_database_url) if row[1] != "alembic_version"]
    assert left == []
    upgrade_to_newest(empty_database_url)
    assert await schema_of(empty_database_url) == newest


async def test_each_revision_can_be_the_one_a_database_stands_at(empty_database_url: str) -> None:
    for revision in reversed(list(ScriptDirectory.from_config(alembic_config("")).walk_revisions())):
        upgrade_to_newest(empty_database_url, revision=revision.revision)
    connection = await asyncpg.connect(driver_url(empty_database_url))
    assert await connection.fetchval("select version_num from alembic_version") == newest_revision()
    await connection.close()


async def test_processes_that_start_together_may_all_migrate(empty_database_url: str) -> None:
    program = f"from app.storage.migrations import upgrade_to_newest; upgrade_to_newest({empty_database_url!r})"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ALEMBIC_INI.parent)}
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment) for _ in range(3)]
    assert [await process.wait() for process in started] == [0, 0, 0]
    assert any(row[1] == "inbox" for row in await schema_of(empty_database_url))


async def test_the_migrations_can_be_written_out_as_sql_and_that_sql_works(empty_database_url: str) -> None:
    written = io.StringIO()
    config = alembic_config("")
    config.output_buffer = written

    def write() -> None:
        with contextlib.redirect_stdout(written):
            command.upgrade(config, "head", sql=True)

    await asyncio.to_thread(write)
    connection = await asyncpg.connect(driver_url(empty_database_url))
    await connection.execute(written.getvalue())
    assert await connection.fetchval("select version_num from alembic_version") == newest_revision()
    await connection.close()


def test_there_is_one_newest_revision_and_the_files_follow_each_other() -> None:
    script = ScriptDirectory.from_config(alembic_config(""))
    assert len(script.get_heads()) == 1
    assert [revision.revision for revision in reversed(list(script.walk_revisions()))] == [
        f"{number:04}" for number in range(1, len(list(script.walk_revisions())) + 1)
    ]
