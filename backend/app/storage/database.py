"""The door to PostgreSQL: one pool, one kind of transaction.

Tables are declared with SQLAlchemy in ``storage/tables`` (migrations are generated from them and compared with them).
Queries run on asyncpg, either as SQL text or as a SQLAlchemy Core statement: a message passes a dozen queries, and driver-level
calls cost a third of the processor time of an ORM session.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from app.core.errors import StorageUnavailable
from app.core.transaction_guard import transaction_open

Record: TypeAlias = asyncpg.Record
Query: TypeAlias = str | sa.Executable

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]

UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when the server's farewell is read before its end of stream
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class Session:
    """One connection, lent for one transaction (or for single reads). Not for use by two tasks at once."""

    def __init__(self, connection: Any) -> None:
        self._connection: asyncpg.Connection = connection

    async def fetch(self, query: Query, *args: Any) -> list[Record]:
        """All rows."""
        sql, values = _as_sql(query, args)
        rows: list[Record] = await self._connection.fetch(sql, *values)
        return rows

    async def fetch_row(self, query: Query, *args: Any) -> Record | None:
        """The first row, or ``None``."""
        sql, values = _as_sql(query, args)
        return await self._connection.fetchrow(sql, *values)

    async def fetch_value(self, query: Query, *args: Any) -> Any:
        """The first column of the first row, or ``None``."""
        sql, values = _as_sql(query, args)
        return await self._connection.fetchval(sql, *values)

    async def execute(self, query: Query, *args: Any) -> int:
        """Runs a statement and returns how many rows it touched."""
        sql, values = _as_sql(query, args)
        status: str = await self._connection.execute(sql, *values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs one statement once per row, in one exchange with the server."""
        await self._connection.executemany(sql, rows)


class Database:
    """The pool. Opened by ``composition`` and closed in reverse order."""

    def __init__(self, pool: Any, url: str) -> None:
        self._pool: asyncpg.Pool = pool
        self.url = url

    @classmethod
    async def open(
        cls, url: str, *, max_connections: int = 20, command_timeout_seconds: float = 15.0, application_name: str = "sales-agent"
    ) -> "Database":
        """Connects; ``StorageUnavailable`` when the server cannot be reached."""
        try:
            pool = await asyncpg.create_pool(
                driver_url(url),
                init_size=1,
                min_size=0,  # asyncpg's upkeep of a floor cannot be cancelled while the server is away: no process could end
                max_size=max_connections,
                timeout=5,
                command_timeout=command_timeout_seconds,
                # A process that freezes in the middle of a transaction must not keep others from its rows.
                server_settings={
                    "application_name": application_name,
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "10s",
                },
                init=_prepare_connection,
                reset=_keep_session,
            )
        except UNREACHABLE as error:
            raise StorageUnavailable("PostgreSQL cannot be reached: check DATABASE_URL and that the server runs") from error
        return cls(pool, url)

    async def close(self) -> None:
        """Waits for borrowed connections for a moment, then closes all."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            logger.warning("connections_not_returned")
        finally:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Commits at the end of the block, rolls back when it raises. No model or Slack call belongs inside."""
        with _translated_errors():
            async with self._pool.acquire(timeout=5) as connection, connection.transaction():
                with transaction_open():
                    yield Session(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """A connection without a transaction: every statement stands alone. For single reads and single writes."""
        with _translated_errors():
            async with self._pool.acquire(timeout=5) as connection:
                with transaction_open():
                    yield Session(connection)

    @property
    def pool_in_use(self) -> int:
        """Connections lent out at the moment."""
        return int(self._pool.get_size() - self._pool.get_idle_size())

    @property
    def pool_size(self) -> int:
        """Connections open at the moment."""
        return int(self._pool.get_size())


def driver_url(url: str) -> str:
    """``DATABASE_URL`` as asyncpg reads it: without SQLAlchemy's driver name."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.split('+')[0]}{separator}{rest}"


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Turns the driver's connection errors into :class:`StorageUnavailable`; everything else passes through."""
    try:
        yield
    except UNREACHABLE as error:
        raise StorageUnavailable("PostgreSQL did not answer") from error


def _as_sql(query: Query, args: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    if isinstance(query, str):
        return query, args
    compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    values = compiled.construct_params()
    return str(compiled), [values[name] for name in compiled.positiontup or ()]


async def _keep_session(_: object) -> None:
    """Spares a query at each release: nothing here changes a session's settings, locks or listeners beyond its transaction.

    Open transactions are rolled back by the pool nevertheless.
    """


async def _prepare_connection(connection: Any) -> None:
    for type_name in ("json", "jsonb"):
        await connection.set_type_codec(type_name, encoder=_to_json, decoder=json.loads, schema="pg_catalog")


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
