"""The door to PostgreSQL."""

import pytest
import sqlalchemy as sa

from app.core.transaction_guard import refuse_inside_transaction
from app.storage.database import Database
from app.storage.tables.people import workspaces


async def test_a_transaction_commits_at_its_end_and_rolls_back_when_it_raises(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute("insert into workspaces (team_id, name) values ($1, $2)", "T1", "営業部")
    with pytest.raises(RuntimeError):
        async with database.transaction() as session:
            await session.execute("insert into workspaces (team_id) values ('T2')")
            raise RuntimeError
    async with database.reading() as session:
        assert [row["team_id"] for row in await session.fetch("select team_id from workspaces")] == ["T1"]


async def test_sqlalchemy_statements_run_like_sql_text(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(sa.insert(workspaces).values(team_id="T1", name="営業部"))
        row = await session.fetch_row(sa.select(workspaces.c.name).where(workspaces.c.team_id.in_(["T1", "T9"])))
    assert row is not None and row["name"] == "営業部"


async def test_slow_calls_are_refused_while_a_transaction_is_open(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(RuntimeError, match="a model"):
            refuse_inside_transaction("a model")
    refuse_inside_transaction("a model")
