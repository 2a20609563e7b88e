"""Guided talks, action plans and what a person's skills are judged by. Private to the person: every text is encrypted."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from app.storage.tables.base import identity, metadata, moment, team_id

coaching_talks = sa.Table(
    "coaching_talks",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("session_id", UUID, sa.ForeignKey("dialogue_sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("asked", ARRAY(sa.Text), nullable=False, server_default="{}", comment="ids of questions put so far"),
    sa.Column("last_asked", ARRAY(sa.Text), nullable=False, server_default="{}", comment="ids of the questions put last"),
    sa.Column("plan_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("outcome", sa.Text, comment="planned, answered (switched to a plain answer) or idle; null: open"),
    moment("opened_at", default_now=True),
    moment("last_turn_at", default_now=True),
    moment("closed_at"),
    sa.Index("uq_coaching_talks_open", "session_id", unique=True, postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_coaching_talks_person", "team_id", "user_id", "opened_at"),
)

talk_points = sa.Table(
    "talk_points",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("talk_id", sa.BigInteger, sa.ForeignKey("coaching_talks.id", ondelete="CASCADE"), nullable=False),
    sa.Column("point", sa.Text, nullable=False, comment="problem, situation, goal, skill or resources"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="what was said, encrypted"),
    sa.Column("turn", sa.BigInteger, nullable=False, comment="inbox id of the message that says it"),
    sa.Column("is_correction", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("stated_at", nullable=False),
    sa.Index("ix_talk_points_talk", "talk_id", "id"),
    sa.Index("ix_talk_points_person", "team_id", "user_id", "stated_at"),
)

action_plans = sa.Table(
    "action_plans",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("talk_id", sa.BigInteger, sa.ForeignKey("coaching_talks.id", ondelete="SET NULL")),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("summary", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("rhythm", sa.Text, nullable=False, comment="weekly, biweekly or monthly"),
    sa.Column("entries", ARRAY(sa.BigInteger), nullable=False, server_default="{}", comment="knowledge entries it rests on"),
    sa.Column("made_by", sa.Text, nullable=False, comment="model name, or 'rules'"),
    moment("made_at", default_now=True),
    moment("closed_at"),
    sa.UniqueConstraint("talk_id"),
    sa.Index("ix_action_plans_person", "team_id", "user_id", "made_at"),
)

plan_items = sa.Table(
    "plan_items",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("action_plans.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.SmallInteger, nullable=False),
    sa.Column("title", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("description", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("success_metric", sa.LargeBinary, nullable=False, comment="encrypted"),
    sa.Column("priority", sa.Text, nullable=False, comment="high, medium or low"),
    sa.Column("category", sa.Text, nullable=False, comment="preparation, customer, practice, learning or review"),
    sa.Column("status", sa.Text, nullable=False, server_default="open", comment="open, done or dropped"),
    sa.Column("postponed", sa.SmallInteger, nullable=False, server_default="0", comment="how often the due date was moved"),
    sa.Column("due_on", sa.Date, nullable=False, comment="in the person's own calendar"),
    moment("remind_at"),
    moment("reminded_at"),
    moment("settled_at"),
    sa.Column("outcome", sa.Text, comment="how a done item went, by the person's word: reached, partly or missed"),
    sa.Column("drop_reason", sa.LargeBinary, comment="why it was dropped, if the person says so; encrypted"),
    sa.UniqueConstraint("plan_id", "position"),
    sa.Index("ix_plan_items_person", "team_id", "user_id", "status", "due_on"),
    sa.Index("ix_plan_items_reminders", "remind_at", postgresql_where=sa.text("status = 'open' and remind_at is not null")),
)

plan_reminders = sa.Table(
    "plan_reminders",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("item_id", sa.BigInteger, sa.ForeignKey("plan_items.id", ondelete="CASCADE"), nullable=False),
    sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False, comment="the moment it was for: one reminder per moment"),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="1", comment="grows with every worker that takes it up"),
    moment("taken_at", nullable=False),
    sa.Column("channel_id", sa.Text),
    sa.Column("ts", sa.Text, comment="Slack's ts of the message that stands for it"),
    sa.Column("outcome", sa.Text, comment="sent, off, settled, moved, stranger, refused or given_up"),
    moment("done_at"),
    sa.UniqueConstraint("item_id", "remind_at"),
    sa.Index("ix_plan_reminders_undone", "taken_at", postgresql_where=sa.text("done_at is null")),
    sa.Index("ix_plan_reminders_person", "team_id", "user_id"),
)

skill_evidence = sa.Table(
    "skill_evidence",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("skill", sa.Text, nullable=False, comment="name in the skill taxonomy"),
    sa.Column("kind", sa.Text, nullable=False, comment="plan_item, feedback, practice, call …"),
    sa.Column("source", sa.Text, nullable=False, comment="what shows it, such as plan_item:12; one piece of evidence per source"),
    sa.Column("value", sa.Float, nullable=False, comment="0 (not shown) to 1 (shown)"),
    sa.Column("weight", sa.Float, nullable=False, server_default="1"),
    moment("observed_at", default_now=True),
    sa.UniqueConstraint("team_id", "user_id", "skill", "source"),
    sa.Index("ix_skill_evidence_person", "team_id", "user_id", "observed_at"),
)
