"""Brings a database to the newest schema.

Alembic is imported when it is needed: processes that serve do without its 10 MB.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

ALEMBIC_INI = Path(__file__).parents[2] / "alembic.ini"
SCRIPTS = ALEMBIC_INI.parent / "alembic" / "versions"


def upgrade_to_newest(database_url: str, *, revision: str = "head") -> None:
    """Runs all missing migrations. Safe to call from several processes at once and from inside a running loop."""
    from alembic import command  # noqa: PLC0415

    failures: list[BaseException] = []

    def run() -> None:
        try:
            command.upgrade(alembic_config(database_url), revision)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            failures.append(error)

    # Alembic's environment starts an event loop of its own, which a thread with a running loop does not allow.
    thread = threading.Thread(target=run, name="migrations")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def newest_revision() -> str:
    """The revision the code expects: the number that the newest script's name begins with."""
    return max(script.name for script in SCRIPTS.glob("[0-9]*.py")).partition("_")[0]


def alembic_config(database_url: str) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config(str(ALEMBIC_INI))
    config.attributes["database_url"] = sqlalchemy_url(database_url) if database_url else None
    return config


def sqlalchemy_url(url: str) -> str:
    """``DATABASE_URL`` as SQLAlchemy reads it: always with asyncpg named, since 2.1 would otherwise look for psycopg."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg{separator}{rest}" if scheme.startswith("postgres") else url
