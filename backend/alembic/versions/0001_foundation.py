"""foundation

Effect on a running system: none; it runs on an empty database.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "dialogue_sessions",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="who began it"),
        sa.Column("conversation", sa.Text(), nullable=False, comment="team:channel:thread"),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("is_direct", sa.Boolean(), nullable=False, comment="a DM: private to its one person"),
        sa.Column("language", sa.Text(), nullable=True, comment="the language of the thread, once known"),
        sa.Column("title", sa.LargeBinary(), nullable=True, comment="encrypted"),
        sa.Column("summary", sa.LargeBinary(), nullable=True, comment="rolling summary, encrypted"),
        sa.Column(
            "state",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
            comment="structured state without texts",
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_turn_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogue_sessions")),
        sa.UniqueConstraint("team_id", "conversation", name=op.f("uq_dialogue_sessions_team_id_conversation")),
    )
    op.create_index("idx_dialogue_sessions_user_id", "dialogue_sessions", ["user_id"], unique=False)
    op.create_index("ix_dialogue_sessions_recent", "dialogue_sessions", ["team_id", "user_id", "last_turn_at"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("message_ts", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False, comment="helpful or unhelpful; the last click wins"),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="encrypted"),
        sa.Column("given_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "channel_id", "message_ts", "user_id", name=op.f("pk_feedback")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, comment="Slack's event id, or trigger id for commands and clicks"),
        sa.Column("kind", sa.Text(), nullable=False, comment="message, home, command, action …"),
        sa.Column("conversation", sa.Text(), nullable=False, comment="team:channel:thread, the unit of order"),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("message_ts", sa.Text(), nullable=True, comment="ts of the message; null for events that are no message"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="who spoke"),
        sa.Column("envelope", sa.LargeBinary(), nullable=False, comment="the payload, encrypted; emptied by the purge"),
        sa.Column(
            "epoch", sa.Integer(), server_default="0", nullable=False, comment="grows with every claim; fences zombies off"
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=True, comment="the finished answer, encrypted, before Slack has shown it"),
        sa.Column("outcome", sa.Text(), nullable=True, comment="answered, explained, ignored, stopped or dead"),
        sa.Column("reference", sa.Text(), nullable=True, comment="what a person can quote about a failure"),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("team_id", "event_id", name=op.f("uq_inbox_team_id_event_id")),
    )
    op.create_index("ix_inbox_conversation", "inbox", ["team_id", "conversation", "id"], unique=False)
    op.create_index(
        "ix_inbox_done", "inbox", ["done_at"], unique=False, postgresql_where=sa.text("done_at is not null and envelope <> ''")
    )
    op.create_index("ix_inbox_undone", "inbox", ["received_at"], unique=False, postgresql_where=sa.text("done_at is null"))
    op.create_index(
        "uq_inbox_message",
        "inbox",
        ["team_id", "channel_id", "message_ts", "kind"],
        unique=True,
        postgresql_where=sa.text("message_ts is not null"),
    )
    op.create_table(
        "model_usage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False, comment="answer, plan, insights …"),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cached_input_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "cost_micro_usd", sa.BigInteger(), nullable=True, comment="millionths of a US dollar; null when the price is unknown"
        ),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="ok, stopped, or the class of the error"),
        sa.Column("called_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_usage")),
    )
    op.create_index("ix_model_usage_day", "model_usage", ["team_id", "called_at"], unique=False)
    op.create_table(
        "people",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Slack's user id"),
        sa.Column("display_name", sa.LargeBinary(), nullable=True, comment="encrypted"),
        sa.Column("locale", sa.Text(), nullable=True, comment="Slack's locale, such as ja-JP"),
        sa.Column("language", sa.Text(), nullable=True, comment="chosen by the person; wins over the locale"),
        sa.Column("time_zone", sa.Text(), nullable=True, comment="IANA name"),
        sa.Column("role", sa.Text(), server_default="member", nullable=False, comment="member, manager, owner or admin"),
        sa.Column(
            "is_external",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="guest or from another workspace",
        ),
        sa.Column("preferences", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_people")),
    )
    op.create_table(
        "workspaces",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True, comment="ja, en or zh; null: not set"),
        sa.Column("bot_user_id", sa.Text(), nullable=True),
        sa.Column("thread_replies", sa.Text(), server_default="never", nullable=False, comment="never, ask or auto"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_workspaces")),
    )
    op.create_table(
        "conversation_insights",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True, comment="the turn that shows it"),
        sa.Column("kind", sa.Text(), nullable=False, comment="challenge, strength, preference, progress or goal"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["dialogue_sessions.id"],
            name=op.f("fk_conversation_insights_session_id_dialogue_sessions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_insights")),
    )
    op.create_index("idx_conversation_insights_user_id", "conversation_insights", ["user_id"], unique=False)
    op.create_index(
        "ix_conversation_insights_recent", "conversation_insights", ["team_id", "user_id", "observed_at"], unique=False
    )
    op.create_table(
        "dialogue_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=True, comment="the event this turn belongs to"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="the person who spoke, or who was answered"),
        sa.Column("role", sa.Text(), nullable=False, comment="speaker or coach"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("skill", sa.Text(), nullable=True, comment="coaching skill that answered"),
        sa.Column(
            "sources",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="ids of knowledge entries cited",
        ),
        sa.Column("said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["dialogue_sessions.id"],
            name=op.f("fk_dialogue_messages_session_id_dialogue_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogue_messages")),
        sa.UniqueConstraint("inbox_id", "role", name=op.f("uq_dialogue_messages_inbox_id_role")),
    )
    op.create_index("idx_dialogue_messages_session_id", "dialogue_messages", ["session_id", "id"], unique=False)
    op.create_index("ix_dialogue_messages_person", "dialogue_messages", ["team_id", "user_id", "said_at"], unique=False)
    op.create_table(
        "reply_parts",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "part", sa.Integer(), nullable=False, comment="0 is the message that streams; 1… carry what is too long for it"
        ),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("thread_ts", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True, comment="Slack's ts once the message is known to stand"),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_reply_parts_inbox_id_inbox"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("inbox_id", "part", name=op.f("pk_reply_parts")),
    )
    op.create_index("ix_reply_parts_message", "reply_parts", ["team_id", "channel_id", "ts"], unique=False)
    op.create_index(
        "ix_reply_parts_unfinished",
        "reply_parts",
        ["intended_at"],
        unique=False,
        postgresql_where=sa.text("finished_at is null"),
    )
    install_job_engine()


def downgrade() -> None:
    remove_job_engine()
    op.drop_index("ix_reply_parts_unfinished", table_name="reply_parts", postgresql_where=sa.text("finished_at is null"))
    op.drop_index("ix_reply_parts_message", table_name="reply_parts")
    op.drop_table("reply_parts")
    op.drop_index("ix_dialogue_messages_person", table_name="dialogue_messages")
    op.drop_index("idx_dialogue_messages_session_id", table_name="dialogue_messages")
    op.drop_table("dialogue_messages")
    op.drop_index("ix_conversation_insights_recent", table_name="conversation_insights")
    op.drop_index("idx_conversation_insights_user_id", table_name="conversation_insights")
    op.drop_table("conversation_insights")
    op.drop_table("workspaces")
    op.drop_table("people")
    op.drop_index("ix_model_usage_day", table_name="model_usage")
    op.drop_table("model_usage")
    op.drop_index("uq_inbox_message", table_name="inbox", postgresql_where=sa.text("message_ts is not null"))
    op.drop_index("ix_inbox_done", table_name="inbox", postgresql_where=sa.text("done_at is not null and envelope <> ''"))
    op.drop_index("ix_inbox_undone", table_name="inbox", postgresql_where=sa.text("done_at is null"))
    op.drop_index("ix_inbox_conversation", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("feedback")
    op.drop_index("ix_dialogue_sessions_recent", table_name="dialogue_sessions")
    op.drop_index("idx_dialogue_sessions_user_id", table_name="dialogue_sessions")
    op.drop_table("dialogue_sessions")


def install_job_engine() -> None:
    """The tables and functions of the job engine, as the pinned version ships them."""
    schema = SchemaManager.get_schema()
    if op.get_context().as_sql:
        op.execute(schema)
        return
    connection = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(schema))  # many statements: the driver must not prepare them


def remove_job_engine() -> None:
    op.execute(
        "drop table procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers cascade"
    )
    op.execute(
        """
        do $$
        declare name text;
        begin
            for name in select p.oid::regprocedure::text from pg_proc p where p.proname like 'procrastinate\\_%' loop
                execute 'drop function ' || name || ' cascade';
            end loop;
            drop type procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type cascade;
        end $$
        """
    )
