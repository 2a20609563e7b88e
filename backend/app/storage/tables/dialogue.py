"""Conversations with the coach: sessions, turns, and what was learnt from them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.storage.tables.base import identity, metadata, moment, team_id

dialogue_sessions = sa.Table(
    "dialogue_sessions",
    metadata,
    sa.Column("id", UUID, primary_key=True, server_default=sa.text("gen_random_uuid()")),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False, comment="who began it"),
    sa.Column("conversation", sa.Text, nullable=False, comment="team:channel:thread"),
    sa.Column("channel_id", sa.Text, nullable=False),
    sa.Column("thread_ts", sa.Text),
    sa.Column("is_direct", sa.Boolean, nullable=False, comment="a DM: private to its one person"),
    sa.Column("language", sa.Text, comment="the language of the thread, once known"),
    sa.Column("title", sa.LargeBinary, comment="encrypted"),
    sa.Column("summary", sa.LargeBinary, comment="rolling summary, encrypted"),
    sa.Column("state", JSONB, nullable=False, server_default="{}", comment="structured state without texts"),
    moment("started_at", default_now=True),
    moment("last_turn_at", default_now=True),
    moment("closed_at"),
    sa.UniqueConstraint("team_id", "conversation"),
    sa.Index("idx_dialogue_sessions_user_id", "user_id"),
    sa.Index("ix_dialogue_sessions_recent", "team_id", "user_id", "last_turn_at"),
)

dialogue_messages = sa.Table(
    "dialogue_messages",
    metadata,
    identity(),
    team_id(),
    sa.Column("session_id", UUID, sa.ForeignKey("dialogue_sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("inbox_id", sa.BigInteger, comment="the event this turn belongs to"),
    sa.Column("user_id", sa.Text, nullable=False, comment="the person who spoke, or who was answered"),
    sa.Column("role", sa.Text, nullable=False, comment="speaker or coach"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("language", sa.Text),
    sa.Column("skill", sa.Text, comment="coaching skill that answered"),
    sa.Column("sources", JSONB, nullable=False, server_default="[]", comment="ids of knowledge entries cited"),
    moment("said_at", default_now=True),
    sa.UniqueConstraint("inbox_id", "role"),
    sa.Index("idx_dialogue_messages_session_id", "session_id", "id"),
    sa.Index("ix_dialogue_messages_person", "team_id", "user_id", "said_at"),
)

conversation_insights = sa.Table(
    "conversation_insights",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("session_id", UUID, sa.ForeignKey("dialogue_sessions.id", ondelete="SET NULL")),
    sa.Column("message_id", sa.BigInteger, comment="the turn that shows it"),
    sa.Column("kind", sa.Text, nullable=False, comment="challenge, strength, preference, progress, goal or fact"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("skill", sa.Text),
    sa.Column("evidence", sa.LargeBinary, comment="the person's own words that show it, encrypted"),
    sa.Column("fingerprint", sa.LargeBinary, comment="MinHash of the normalised text, to find near-duplicates"),
    sa.Column("embedding", sa.LargeBinary, comment="float32 vector of the text; null until computed"),
    sa.Column("stated_by", sa.Text, nullable=False, server_default="coach", comment="coach (extracted) or person (corrected)"),
    moment("observed_at", default_now=True),
    moment("superseded_at"),
    sa.Index("idx_conversation_insights_user_id", "user_id"),
    sa.Index("ix_conversation_insights_recent", "team_id", "user_id", "observed_at"),
)
