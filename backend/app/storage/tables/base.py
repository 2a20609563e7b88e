"""What all tables share: one metadata, names for constraints, and the columns that every table has."""

from datetime import datetime

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def team_id() -> sa.Column[str]:
    """The workspace a row belongs to. In every table: a query without it is a fault."""
    return sa.Column("team_id", sa.Text, nullable=False)


def identity() -> sa.Column[int]:
    """A generated number as primary key."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def moment(name: str, *, nullable: bool = True, default_now: bool = False) -> sa.Column[datetime]:
    """A point in time, with time zone."""
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable and not default_now,
        server_default=sa.func.now() if default_now else None,
    )
