"""Memory: what an answer was made with, how far sessions are digested, which insight replaced which.

Effect on a running system: added columns need their table's lock for an instant; nothing is rewritten. The new indexes are
built on tables that are small today.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FINGERPRINT = "MinHash of the normalised text, to find near-duplicates"
_SKETCH = "hashed shingles of the text: what it is about, comparable without decrypting it"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "dialogue_messages",
        sa.Column(
            "made_with",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="of an answer: model, prompt version, memories (ids), citations; no texts of people",
        ),
    )
    op.add_column(
        "dialogue_sessions",
        sa.Column("digested_at", sa.DateTime(timezone=True), nullable=True, comment="null: there is something to learn from it"),
    )
    op.add_column(
        "dialogue_sessions",
        sa.Column("digested_until", sa.BigInteger(), server_default="0", nullable=False, comment="the last turn learnt from"),
    )
    op.create_index(
        "ix_dialogue_sessions_undigested",
        "dialogue_sessions",
        ["last_turn_at"],
        unique=False,
        postgresql_where=sa.text("digested_at is null"),
    )
    op.add_column(
        "conversation_insights",
        sa.Column("subject", sa.LargeBinary(), nullable=True, comment="what it is about, in a word or two, encrypted"),
    )
    op.add_column(
        "conversation_insights",
        sa.Column("superseded_by", sa.BigInteger(), nullable=True, comment="the insight that says it now; erased with it"),
    )
    op.add_column("conversation_insights", sa.Column("embedding_model", sa.Text(), nullable=True, comment="name and dimensions"))
    op.create_foreign_key(
        op.f("fk_conversation_insights_superseded_by_conversation_insights"),
        "conversation_insights",
        "conversation_insights",
        ["superseded_by"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index("ix_conversation_insights_superseded_by", "conversation_insights", ["superseded_by"], unique=False)
    op.alter_column(
        "conversation_insights", "fingerprint", existing_type=postgresql.BYTEA(), existing_nullable=True,
        comment=_SKETCH, existing_comment=_FINGERPRINT,
    )  # fmt: skip


def downgrade() -> None:
    op.alter_column(
        "conversation_insights", "fingerprint", existing_type=postgresql.BYTEA(), existing_nullable=True,
        comment=_FINGERPRINT, existing_comment=_SKETCH,
    )  # fmt: skip
    op.drop_index("ix_conversation_insights_superseded_by", table_name="conversation_insights")
    op.drop_constraint(
        op.f("fk_conversation_insights_superseded_by_conversation_insights"), "conversation_insights", type_="foreignkey"
    )
    op.drop_column("conversation_insights", "embedding_model")
    op.drop_column("conversation_insights", "superseded_by")
    op.drop_column("conversation_insights", "subject")
    op.drop_index(
        "ix_dialogue_sessions_undigested", table_name="dialogue_sessions", postgresql_where=sa.text("digested_at is null")
    )
    op.drop_column("dialogue_sessions", "digested_until")
    op.drop_column("dialogue_sessions", "digested_at")
    op.drop_column("dialogue_messages", "made_with")
