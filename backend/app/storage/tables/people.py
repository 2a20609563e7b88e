"""Workspaces and the people in them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.storage.tables.base import metadata, moment, team_id

workspaces = sa.Table(
    "workspaces",
    metadata,
    sa.Column("team_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("language", sa.Text, comment="ja, en or zh; null: not set"),
    sa.Column("bot_user_id", sa.Text),
    sa.Column("thread_replies", sa.Text, nullable=False, server_default="never", comment="never, ask or auto"),
    moment("created_at", default_now=True),
)

people = sa.Table(
    "people",
    metadata,
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False, comment="Slack's user id"),
    sa.Column("display_name", sa.LargeBinary, comment="encrypted"),
    sa.Column("locale", sa.Text, comment="Slack's locale, such as ja-JP"),
    sa.Column("language", sa.Text, comment="chosen by the person; wins over the locale"),
    sa.Column("time_zone", sa.Text, comment="IANA name"),
    sa.Column("role", sa.Text, nullable=False, server_default="member", comment="member, manager, owner or admin"),
    sa.Column("is_external", sa.Boolean, nullable=False, server_default=sa.false(), comment="guest or from another workspace"),
    sa.Column("preferences", JSONB, nullable=False, server_default="{}"),
    moment("looked_up_at"),
    moment("created_at", default_now=True),
    sa.PrimaryKeyConstraint("team_id", "user_id"),
)
