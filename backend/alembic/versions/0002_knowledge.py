"""knowledge

Effect on a running system: none; it only adds tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "knowledge_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False, comment="stable name; importing the same slug again edits the entry"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="Markdown"),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("language", sa.Text(), nullable=False, comment="ja, en or zh"),
        sa.Column(
            "scope", sa.Text(), server_default="everyone", nullable=False, comment="everyone, managers, channel:C… or person:U…"
        ),
        sa.Column("trust", sa.SmallInteger(), server_default="2", nullable=False, comment="1 unchecked, 2 checked, 3 official"),
        sa.Column("status", sa.Text(), server_default="proposed", nullable=False, comment="proposed, published or archived"),
        sa.Column("source", sa.Text(), server_default="", nullable=False, comment="where it comes from, as shown to people"),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Text(), nullable=True, comment="Slack user who wrote this version; null: imported"),
        sa.Column("owner_id", sa.Text(), nullable=True, comment="Slack user who is asked for reviews"),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="of everything a person can edit"),
        sa.Column("boost", sa.Float(), server_default="0", nullable=False, comment="what feedback adds to the ranking, bounded"),
        sa.Column("updated_on", sa.Date(), nullable=False, comment="as cited: when the content was last checked or changed"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_entries")),
        sa.UniqueConstraint("team_id", "slug", name=op.f("uq_knowledge_entries_team_id_slug")),
    )
    op.create_index("ix_knowledge_entries_browse", "knowledge_entries", ["team_id", "status", "category", "id"], unique=False)
    op.create_table(
        "knowledge_postings",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False, comment="chunk id / 4096"),
        sa.Column(
            "packed",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="one number per chunk: id << 24 | times it occurs << 16 | length of the chunk in terms",
        ),
        sa.PrimaryKeyConstraint("team_id", "term", "slot", name=op.f("pk_knowledge_postings")),
    )
    op.create_table(
        "knowledge_state",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column(
            "version", sa.BigInteger(), server_default="0", nullable=False, comment="grows with every change; in cache keys"
        ),
        sa.Column("chunks", sa.BigInteger(), server_default="0", nullable=False, comment="how many chunks are indexed"),
        sa.Column("terms", sa.BigInteger(), server_default="0", nullable=False, comment="sum of their lengths, in terms"),
        sa.Column("embedding_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_knowledge_state")),
        comment="one row per workspace; locked by writers, so that index statistics are exact",
    )
    op.create_table(
        "knowledge_terms",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False, comment="how many chunks contain it"),
        sa.PrimaryKeyConstraint("team_id", "term", name=op.f("pk_knowledge_terms")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "knowledge_chunks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="0… in reading order"),
        sa.Column("heading", sa.Text(), server_default="", nullable=False, comment="path of headings, ' › ' between them"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "terms", postgresql.ARRAY(sa.Text()), nullable=False, comment="what is in the index for this chunk; removed by it"
        ),
        sa.Column("counts", postgresql.ARRAY(sa.SmallInteger()), nullable=False, comment="how often each of the terms occurs"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_chunks_entry_id_knowledge_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_chunks")),
        sa.UniqueConstraint("entry_id", "position", name=op.f("uq_knowledge_chunks_entry_id_position")),
        comment="the parts of published entries that are searched, shown and cited",
    )
    op.create_index("ix_knowledge_chunks_team", "knowledge_chunks", ["team_id", "entry_id"], unique=False)
    op.create_table(
        "knowledge_feedback",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False, comment="helpful, unhelpful or hidden; the last click wins"),
        sa.Column("given_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_feedback_entry_id_knowledge_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "entry_id", "user_id", name=op.f("pk_knowledge_feedback")),
    )
    op.create_table(
        "knowledge_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="keyed hash of the question: asking again counts"),
        sa.Column("question", sa.LargeBinary(), nullable=False, comment="encrypted, without names"),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("times_asked", sa.Integer(), server_default="1", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=True, comment="who pressed the button; null: nobody yet"),
        sa.Column("entry_id", sa.BigInteger(), nullable=True, comment="the answer"),
        sa.Column("first_asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_requests_entry_id_knowledge_entries"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_requests")),
        sa.UniqueConstraint("team_id", "fingerprint", name=op.f("uq_knowledge_requests_team_id_fingerprint")),
    )
    op.create_index(
        "ix_knowledge_requests_open",
        "knowledge_requests",
        ["team_id", "last_asked_at"],
        unique=False,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "knowledge_vectors",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column(
            "model", sa.Text(), nullable=False, comment="name and dimensions; two stand side by side while one is replaced"
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="of the chunk; -1 is the title by itself"),
        sa.Column("entry_version", sa.Integer(), nullable=False, comment="older than the entry's: to be embedded again"),
        sa.Column("embedding", sa.LargeBinary(), nullable=False, comment="unit vector as little-endian 16-bit floats"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_vectors_entry_id_knowledge_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "model", "entry_id", "position", name=op.f("pk_knowledge_vectors")),
    )
    op.create_index("ix_knowledge_vectors_entry", "knowledge_vectors", ["entry_id"], unique=False)
    op.create_table(
        "knowledge_versions",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("trust", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("updated_on", sa.Date(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["knowledge_entries.id"],
            name=op.f("fk_knowledge_versions_entry_id_knowledge_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "version", name=op.f("pk_knowledge_versions")),
    )
    op.create_index("ix_knowledge_versions_team", "knowledge_versions", ["team_id", "entry_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_knowledge_versions_team", table_name="knowledge_versions")
    op.drop_table("knowledge_versions")
    op.drop_index("ix_knowledge_vectors_entry", table_name="knowledge_vectors")
    op.drop_table("knowledge_vectors")
    op.drop_index("ix_knowledge_requests_open", table_name="knowledge_requests", postgresql_where=sa.text("closed_at is null"))
    op.drop_table("knowledge_requests")
    op.drop_table("knowledge_feedback")
    op.drop_index("ix_knowledge_chunks_team", table_name="knowledge_chunks")
    op.drop_table("knowledge_chunks")
    op.drop_table("knowledge_terms")
    op.drop_table("knowledge_state")
    op.drop_table("knowledge_postings")
    op.drop_index("ix_knowledge_entries_browse", table_name="knowledge_entries")
    op.drop_table("knowledge_entries")
