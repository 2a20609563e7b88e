"""Reminders of plan items: what was taken up and which message stands for it; why an item was dropped.

Effect on a running system: the new table locks nothing; the new column of ``plan_items`` needs its lock for an instant.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "plan_items",
        sa.Column("drop_reason", sa.LargeBinary(), comment="why it was dropped, if the person says so; encrypted"),
    )
    op.create_table(
        "plan_reminders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "remind_at", sa.DateTime(timezone=True), nullable=False, comment="the moment it was for: one reminder per moment"
        ),
        sa.Column("epoch", sa.Integer(), server_default="1", nullable=False, comment="grows with every worker that takes it up"),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel_id", sa.Text()),
        sa.Column("ts", sa.Text(), comment="Slack's ts of the message that stands for it"),
        sa.Column("outcome", sa.Text(), comment="sent, off, settled, moved, stranger, refused or given_up"),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["item_id"], ["plan_items.id"], name=op.f("fk_plan_reminders_item_id_plan_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_reminders")),
        sa.UniqueConstraint("item_id", "remind_at", name=op.f("uq_plan_reminders_item_id_remind_at")),
    )
    op.create_index(
        "ix_plan_reminders_undone", "plan_reminders", ["taken_at"], unique=False, postgresql_where=sa.text("done_at is null")
    )
    op.create_index("ix_plan_reminders_person", "plan_reminders", ["team_id", "user_id"], unique=False)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("plan_reminders")
    op.drop_column("plan_items", "drop_reason")
