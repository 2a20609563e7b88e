"""Guided talks, action plans, skill evidence; insights gain what finds their duplicates.

Effect on a running system: new tables lock nothing; the added columns of ``conversation_insights`` need its lock for an instant.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "skill_evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False, comment="name in the skill taxonomy"),
        sa.Column("kind", sa.Text(), nullable=False, comment="plan_item, feedback, practice, call …"),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="what shows it, such as plan_item:12; one piece of evidence per source"
        ),
        sa.Column("value", sa.Float(), nullable=False, comment="0 (not shown) to 1 (shown)"),
        sa.Column("weight", sa.Float(), server_default="1", nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_evidence")),
        sa.UniqueConstraint("team_id", "user_id", "skill", "source", name=op.f("uq_skill_evidence_team_id_user_id_skill_source")),
    )
    op.create_index("ix_skill_evidence_person", "skill_evidence", ["team_id", "user_id", "observed_at"], unique=False)
    op.create_table(
        "coaching_talks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "asked", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False, comment="ids of questions put so far"
        ),
        sa.Column(
            "last_asked",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="ids of the questions put last",
        ),
        sa.Column("plan_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "outcome", sa.Text(), nullable=True, comment="planned, answered (switched to a plain answer) or idle; null: open"
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_turn_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["dialogue_sessions.id"],
            name=op.f("fk_coaching_talks_session_id_dialogue_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coaching_talks")),
    )
    op.create_index("ix_coaching_talks_person", "coaching_talks", ["team_id", "user_id", "opened_at"], unique=False)
    op.create_index(
        "uq_coaching_talks_open", "coaching_talks", ["session_id"], unique=True, postgresql_where=sa.text("closed_at is null")
    )
    op.create_table(
        "action_plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("talk_id", sa.BigInteger(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("rhythm", sa.Text(), nullable=False, comment="weekly, biweekly or monthly"),
        sa.Column(
            "entries",
            postgresql.ARRAY(sa.BigInteger()),
            server_default="{}",
            nullable=False,
            comment="knowledge entries it rests on",
        ),
        sa.Column("made_by", sa.Text(), nullable=False, comment="model name, or 'rules'"),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["talk_id"], ["coaching_talks.id"], name=op.f("fk_action_plans_talk_id_coaching_talks"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_plans")),
        sa.UniqueConstraint("talk_id", name=op.f("uq_action_plans_talk_id")),
    )
    op.create_index("ix_action_plans_person", "action_plans", ["team_id", "user_id", "made_at"], unique=False)
    op.create_table(
        "talk_points",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("talk_id", sa.BigInteger(), nullable=False),
        sa.Column("point", sa.Text(), nullable=False, comment="problem, situation, goal, skill or resources"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="what was said, encrypted"),
        sa.Column("turn", sa.BigInteger(), nullable=False, comment="inbox id of the message that says it"),
        sa.Column("is_correction", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["talk_id"], ["coaching_talks.id"], name=op.f("fk_talk_points_talk_id_coaching_talks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk_points")),
    )
    op.create_index("ix_talk_points_person", "talk_points", ["team_id", "user_id", "stated_at"], unique=False)
    op.create_index("ix_talk_points_talk", "talk_points", ["talk_id", "id"], unique=False)
    op.create_table(
        "plan_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("description", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("success_metric", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("priority", sa.Text(), nullable=False, comment="high, medium or low"),
        sa.Column("category", sa.Text(), nullable=False, comment="preparation, customer, practice, learning or review"),
        sa.Column("status", sa.Text(), server_default="open", nullable=False, comment="open, done or dropped"),
        sa.Column("postponed", sa.SmallInteger(), server_default="0", nullable=False, comment="how often the due date was moved"),
        sa.Column("due_on", sa.Date(), nullable=False, comment="in the person's own calendar"),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["action_plans.id"], name=op.f("fk_plan_items_plan_id_action_plans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_items")),
        sa.UniqueConstraint("plan_id", "position", name=op.f("uq_plan_items_plan_id_position")),
    )
    op.create_index("ix_plan_items_person", "plan_items", ["team_id", "user_id", "status", "due_on"], unique=False)
    op.create_index(
        "ix_plan_items_reminders",
        "plan_items",
        ["remind_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and remind_at is not null"),
    )
    op.add_column(
        "conversation_insights",
        sa.Column("evidence", sa.LargeBinary(), nullable=True, comment="the person's own words that show it, encrypted"),
    )
    op.add_column(
        "conversation_insights",
        sa.Column(
            "fingerprint", sa.LargeBinary(), nullable=True, comment="MinHash of the normalised text, to find near-duplicates"
        ),
    )
    op.add_column(
        "conversation_insights",
        sa.Column("embedding", sa.LargeBinary(), nullable=True, comment="float32 vector of the text; null until computed"),
    )
    op.add_column(
        "conversation_insights",
        sa.Column(
            "stated_by", sa.Text(), server_default="coach", nullable=False, comment="coach (extracted) or person (corrected)"
        ),
    )
    op.alter_column(
        "conversation_insights",
        "kind",
        existing_type=sa.TEXT(),
        comment="challenge, strength, preference, progress, goal or fact",
        existing_comment="challenge, strength, preference, progress or goal",
        existing_nullable=False,
    )


def downgrade() -> None:
    op.alter_column(
        "conversation_insights",
        "kind",
        existing_type=sa.TEXT(),
        comment="challenge, strength, preference, progress or goal",
        existing_comment="challenge, strength, preference, progress, goal or fact",
        existing_nullable=False,
    )
    op.drop_column("conversation_insights", "stated_by")
    op.drop_column("conversation_insights", "embedding")
    op.drop_column("conversation_insights", "fingerprint")
    op.drop_column("conversation_insights", "evidence")
    op.drop_index(
        "ix_plan_items_reminders", table_name="plan_items", postgresql_where=sa.text("status = 'open' and remind_at is not null")
    )
    op.drop_index("ix_plan_items_person", table_name="plan_items")
    op.drop_table("plan_items")
    op.drop_index("ix_talk_points_talk", table_name="talk_points")
    op.drop_index("ix_talk_points_person", table_name="talk_points")
    op.drop_table("talk_points")
    op.drop_index("ix_action_plans_person", table_name="action_plans")
    op.drop_table("action_plans")
    op.drop_index("uq_coaching_talks_open", table_name="coaching_talks", postgresql_where=sa.text("closed_at is null"))
    op.drop_index("ix_coaching_talks_person", table_name="coaching_talks")
    op.drop_table("coaching_talks")
    op.drop_index("ix_skill_evidence_person", table_name="skill_evidence")
    op.drop_table("skill_evidence")
