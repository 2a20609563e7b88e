"""What language models were asked and what it cost."""

import sqlalchemy as sa

from app.storage.tables.base import identity, metadata, moment, team_id

model_usage = sa.Table(
    "model_usage",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text),
    sa.Column("inbox_id", sa.BigInteger),
    sa.Column("purpose", sa.Text, nullable=False, comment="answer, plan, insights …"),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt_version", sa.Text),
    sa.Column("input_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cached_input_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("output_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cost_micro_usd", sa.BigInteger, comment="millionths of a US dollar; null when the price is unknown"),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="ok, stopped, or the class of the error"),
    moment("called_at", default_now=True),
    sa.Index("ix_model_usage_day", "team_id", "called_at"),
)
