"""Knowledge that people propose, judge and ask for, and the messages that tell of it.

Effect on a running system: new tables lock nothing; the new column of ``knowledge_state`` needs its lock for an instant, the
index on ``knowledge_feedback`` holds its writers back while it is built, which for verdicts is milliseconds.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "knowledge_state",
        sa.Column(
            "judgements", sa.BigInteger(), server_default="0", nullable=False, comment="grows with every verdict; in cache keys"
        ),
    )
    op.create_index(
        "ix_knowledge_feedback_hidden",
        "knowledge_feedback",
        ["team_id", "user_id"],
        unique=False,
        postgresql_where=sa.text("verdict = 'hidden'"),
    )
    op.create_table(
        "knowledge_askers",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="told when the request is answered, and to nobody shown"),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["knowledge_requests.id"],
            name=op.f("fk_knowledge_askers_request_id_knowledge_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "user_id", name=op.f("pk_knowledge_askers")),
    )
    op.create_index("ix_knowledge_askers_person", "knowledge_askers", ["team_id", "user_id"], unique=False)
    op.create_table(
        "knowledge_proposals",
        sa.Column("id", sa.UUID(), nullable=False, comment="made by the product: the text is bound to it"),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column(
            "fingerprint", sa.LargeBinary(), nullable=False, comment="of the content: proposing the same again is the same"
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="the draft as JSON, encrypted"),
        sa.Column("status", sa.Text(), server_default="open", nullable=False, comment="open, approved or refused"),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="the entry it changes, or has become"),
        sa.Column(
            "base_version", sa.Integer(), nullable=True, comment="of the entry when the change was written; null: a new entry"
        ),
        sa.Column("entry_version", sa.Integer(), nullable=True, comment="the version it has become"),
        sa.Column("request_id", sa.BigInteger(), nullable=True, comment="the question it answers"),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="why it was refused, encrypted"),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_proposals_entry_id_knowledge_entries"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["knowledge_requests.id"],
            name=op.f("fk_knowledge_proposals_request_id_knowledge_requests"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_proposals")),
    )
    op.create_index(
        "uq_knowledge_proposals_open",
        "knowledge_proposals",
        ["team_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_knowledge_proposals_list", "knowledge_proposals", ["team_id", "status", "proposed_at"], unique=False)
    op.create_index("ix_knowledge_proposals_entry", "knowledge_proposals", ["entry_id"], unique=False)
    op.create_table(
        "knowledge_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="whom it is for; empty: all who decide about knowledge"),
        sa.Column("kind", sa.Text(), nullable=False, comment="proposal, decided, request, answered, gaps or stale"),
        sa.Column("subject", sa.Text(), nullable=False, comment="what it is about: an id, or a week"),
        sa.Column(
            "details", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False, comment="ids of what it lists"
        ),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False, comment="grows with every worker that takes it up"),
        sa.Column(
            "outcome", sa.Text(), nullable=True, comment="sent, needless or refused; null: to be sent, or to be shown anew"
        ),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True, comment="Slack's ts of the message that stands for it"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_notices")),
        sa.UniqueConstraint(
            "team_id", "kind", "subject", "user_id", name=op.f("uq_knowledge_notices_team_id_kind_subject_user_id")
        ),
    )
    op.create_index(
        "ix_knowledge_notices_undone",
        "knowledge_notices",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("done_at is null"),
    )
    op.create_index("ix_knowledge_notices_person", "knowledge_notices", ["team_id", "user_id"], unique=False)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("knowledge_notices")
    op.drop_table("knowledge_proposals")
    op.drop_table("knowledge_askers")
    op.drop_index("ix_knowledge_feedback_hidden", table_name="knowledge_feedback")
    op.drop_column("knowledge_state", "judgements")
