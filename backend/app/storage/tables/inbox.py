"""What arrived from Slack, what was said in return, and what people thought of it."""

import sqlalchemy as sa

from app.storage.tables.base import identity, metadata, moment, team_id

inbox = sa.Table(
    "inbox",
    metadata,
    identity(),
    team_id(),
    sa.Column("event_id", sa.Text, nullable=False, comment="Slack's event id, or trigger id for commands and clicks"),
    sa.Column("kind", sa.Text, nullable=False, comment="message, home, command, action …"),
    sa.Column("conversation", sa.Text, nullable=False, comment="team:channel:thread, the unit of order"),
    sa.Column("channel_id", sa.Text),
    sa.Column("message_ts", sa.Text, comment="ts of the message; null for events that are no message"),
    sa.Column("user_id", sa.Text, comment="who spoke"),
    sa.Column("envelope", sa.LargeBinary, nullable=False, comment="the payload, encrypted; emptied by the purge"),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0", comment="grows with every claim; fences zombies off"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("draft", sa.LargeBinary, comment="the finished answer, encrypted, before Slack has shown it"),
    sa.Column("outcome", sa.Text, comment="answered, explained, ignored, stopped or dead"),
    sa.Column("reference", sa.Text, comment="what a person can quote about a failure"),
    moment("received_at", default_now=True),
    moment("claimed_at"),
    moment("told_at"),
    moment("stop_requested_at"),
    moment("done_at"),
    sa.UniqueConstraint("team_id", "event_id"),
    sa.Index("uq_inbox_message", "team_id", "channel_id", "message_ts", "kind", unique=True,
             postgresql_where=sa.text("message_ts is not null")),
    sa.Index("ix_inbox_undone", "received_at", postgresql_where=sa.text("done_at is null")),
    sa.Index("ix_inbox_conversation", "team_id", "conversation", "id"),
    sa.Index("ix_inbox_done", "done_at", postgresql_where=sa.text("done_at is not null and envelope <> ''")),
)  # fmt: skip

reply_parts = sa.Table(
    "reply_parts",
    metadata,
    team_id(),
    sa.Column("inbox_id", sa.BigInteger, sa.ForeignKey("inbox.id", ondelete="CASCADE"), nullable=False),
    sa.Column("part", sa.Integer, nullable=False, comment="0 is the message that streams; 1… carry what is too long for it"),
    sa.Column("channel_id", sa.Text, nullable=False),
    sa.Column("thread_ts", sa.Text),
    sa.Column("ts", sa.Text, comment="Slack's ts once the message is known to stand"),
    moment("intended_at", nullable=False),
    moment("finished_at"),
    sa.PrimaryKeyConstraint("inbox_id", "part"),
    sa.Index("ix_reply_parts_message", "team_id", "channel_id", "ts"),
    sa.Index("ix_reply_parts_unfinished", "intended_at", postgresql_where=sa.text("finished_at is null")),
)

feedback = sa.Table(
    "feedback",
    metadata,
    team_id(),
    sa.Column("channel_id", sa.Text, nullable=False),
    sa.Column("message_ts", sa.Text, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False, comment="helpful or unhelpful; the last click wins"),
    sa.Column("reason", sa.LargeBinary, comment="encrypted"),
    moment("given_at", default_now=True),
    sa.PrimaryKeyConstraint("team_id", "channel_id", "message_ts", "user_id"),
)
