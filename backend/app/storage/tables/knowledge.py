"""What the company knows: entries with their versions, and the two indexes they are found by.

``knowledge_terms`` and ``knowledge_postings`` are a BM25 index in plain tables. They are written in the transaction that writes
the entry, so that words are found the moment an entry is published. ``knowledge_vectors`` follows in the background.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from app.storage.tables.base import identity, metadata, moment, team_id

knowledge_state = sa.Table(
    "knowledge_state",
    metadata,
    sa.Column("team_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0", comment="grows with every change; in cache keys"),
    sa.Column("chunks", sa.BigInteger, nullable=False, server_default="0", comment="how many chunks are indexed"),
    sa.Column("terms", sa.BigInteger, nullable=False, server_default="0", comment="sum of their lengths, in terms"),
    moment("embedding_until"),
    sa.Column("judgements", sa.BigInteger, nullable=False, server_default="0", comment="grows with every verdict; in cache keys"),
    comment="one row per workspace; locked by writers, so that index statistics are exact",
)

knowledge_entries = sa.Table(
    "knowledge_entries",
    metadata,
    identity(),
    team_id(),
    sa.Column("slug", sa.Text, nullable=False, comment="stable name; importing the same slug again edits the entry"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False, comment="Markdown"),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("language", sa.Text, nullable=False, comment="ja, en or zh"),
    sa.Column("scope", sa.Text, nullable=False, server_default="everyone",
              comment="everyone, managers, channel:C… or person:U…"),
    sa.Column("trust", sa.SmallInteger, nullable=False, server_default="2", comment="1 unchecked, 2 checked, 3 official"),
    sa.Column("status", sa.Text, nullable=False, server_default="proposed", comment="proposed, published or archived"),
    sa.Column("source", sa.Text, nullable=False, server_default="", comment="where it comes from, as shown to people"),
    sa.Column("url", sa.Text),
    sa.Column("author_id", sa.Text, comment="Slack user who wrote this version; null: imported"),
    sa.Column("owner_id", sa.Text, comment="Slack user who is asked for reviews"),
    sa.Column("review_on", sa.Date),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("content_hash", sa.LargeBinary, nullable=False, comment="of everything a person can edit"),
    sa.Column("boost", sa.Float, nullable=False, server_default="0", comment="what feedback adds to the ranking, bounded"),
    sa.Column("updated_on", sa.Date, nullable=False, comment="as cited: when the content was last checked or changed"),
    moment("created_at", default_now=True),
    moment("changed_at", default_now=True),
    sa.UniqueConstraint("team_id", "slug"),
    sa.Index("ix_knowledge_entries_browse", "team_id", "status", "category", "id"),
)  # fmt: skip

knowledge_versions = sa.Table(
    "knowledge_versions",
    metadata,
    team_id(),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("tags", ARRAY(sa.Text), nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("trust", sa.SmallInteger, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("updated_on", sa.Date, nullable=False),
    sa.Column("author_id", sa.Text),
    moment("written_at", default_now=True),
    sa.PrimaryKeyConstraint("entry_id", "version"),
    sa.Index("ix_knowledge_versions_team", "team_id", "entry_id"),
)

knowledge_chunks = sa.Table(
    "knowledge_chunks",
    metadata,
    identity(),
    team_id(),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.SmallInteger, nullable=False, comment="0… in reading order"),
    sa.Column("heading", sa.Text, nullable=False, server_default="", comment="path of headings, ' › ' between them"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("terms", ARRAY(sa.Text), nullable=False, comment="what is in the index for this chunk; removed by it"),
    sa.Column("counts", ARRAY(sa.SmallInteger), nullable=False, comment="how often each of the terms occurs"),
    sa.UniqueConstraint("entry_id", "position"),
    sa.Index("ix_knowledge_chunks_team", "team_id", "entry_id"),
    comment="the parts of published entries that are searched, shown and cited",
)

knowledge_terms = sa.Table(
    "knowledge_terms",
    metadata,
    team_id(),
    sa.Column("term", sa.Text, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False, comment="how many chunks contain it"),
    sa.PrimaryKeyConstraint("team_id", "term"),
    postgresql_with={"fillfactor": 70},
)

knowledge_postings = sa.Table(
    "knowledge_postings",
    metadata,
    team_id(),
    sa.Column("term", sa.Text, nullable=False),
    sa.Column("slot", sa.Integer, nullable=False, comment="chunk id / 4096"),
    sa.Column("packed", ARRAY(sa.BigInteger), nullable=False,
              comment="one number per chunk: id << 24 | times it occurs << 16 | length of the chunk in terms"),
    sa.PrimaryKeyConstraint("team_id", "term", "slot"),
)  # fmt: skip

knowledge_vectors = sa.Table(
    "knowledge_vectors",
    metadata,
    team_id(),
    sa.Column("model", sa.Text, nullable=False, comment="name and dimensions; two stand side by side while one is replaced"),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.SmallInteger, nullable=False, comment="of the chunk; -1 is the title by itself"),
    sa.Column("entry_version", sa.Integer, nullable=False, comment="older than the entry's: to be embedded again"),
    sa.Column("embedding", sa.LargeBinary, nullable=False, comment="unit vector as little-endian 16-bit floats"),
    sa.PrimaryKeyConstraint("team_id", "model", "entry_id", "position"),
    sa.Index("ix_knowledge_vectors_entry", "entry_id"),
)

knowledge_feedback = sa.Table(
    "knowledge_feedback",
    metadata,
    team_id(),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False, comment="helpful, unhelpful or hidden; the last click wins"),
    moment("given_at", default_now=True),
    sa.PrimaryKeyConstraint("team_id", "entry_id", "user_id"),
    sa.Index("ix_knowledge_feedback_hidden", "team_id", "user_id", postgresql_where=sa.text("verdict = 'hidden'")),
)

knowledge_requests = sa.Table(
    "knowledge_requests",
    metadata,
    identity(),
    team_id(),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False, comment="keyed hash of the question: asking again counts"),
    sa.Column("question", sa.LargeBinary, nullable=False, comment="encrypted, without names"),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("times_asked", sa.Integer, nullable=False, server_default="1"),
    sa.Column("requested_by", sa.Text, comment="who pressed the button; null: nobody yet"),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="SET NULL"), comment="the answer"),
    moment("first_asked_at", default_now=True),
    moment("last_asked_at", default_now=True),
    moment("closed_at"),
    sa.UniqueConstraint("team_id", "fingerprint"),
    sa.Index("ix_knowledge_requests_open", "team_id", "last_asked_at", postgresql_where=sa.text("closed_at is null")),
)

knowledge_askers = sa.Table(
    "knowledge_askers",
    metadata,
    team_id(),
    sa.Column("request_id", sa.BigInteger, sa.ForeignKey("knowledge_requests.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", sa.Text, nullable=False, comment="told when the request is answered, and to nobody shown"),
    moment("asked_at", default_now=True),
    sa.PrimaryKeyConstraint("request_id", "user_id"),
    sa.Index("ix_knowledge_askers_person", "team_id", "user_id"),
)

knowledge_proposals = sa.Table(
    "knowledge_proposals",
    metadata,
    sa.Column("id", UUID, primary_key=True, comment="made by the product: the text is bound to it"),
    team_id(),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False, comment="of the content: proposing the same again is the same"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="the draft as JSON, encrypted"),
    sa.Column("status", sa.Text, nullable=False, server_default="open", comment="open, approved or refused"),
    sa.Column("proposed_by", sa.Text),
    sa.Column("entry_id", sa.BigInteger, sa.ForeignKey("knowledge_entries.id", ondelete="SET NULL"),
              comment="the entry it changes, or has become"),
    sa.Column("base_version", sa.Integer, comment="of the entry when the change was written; null: a new entry"),
    sa.Column("entry_version", sa.Integer, comment="the version it has become"),
    sa.Column("request_id", sa.BigInteger, sa.ForeignKey("knowledge_requests.id", ondelete="SET NULL"),
              comment="the question it answers"),
    sa.Column("reason", sa.LargeBinary, comment="why it was refused, encrypted"),
    sa.Column("decided_by", sa.Text),
    moment("proposed_at", default_now=True),
    moment("decided_at"),
    sa.Index("uq_knowledge_proposals_open", "team_id", "fingerprint", unique=True, postgresql_where=sa.text("status = 'open'")),
    sa.Index("ix_knowledge_proposals_list", "team_id", "status", "proposed_at"),
    sa.Index("ix_knowledge_proposals_entry", "entry_id"),
)  # fmt: skip

knowledge_notices = sa.Table(
    "knowledge_notices",
    metadata,
    identity(),
    team_id(),
    sa.Column("user_id", sa.Text, nullable=False, comment="whom it is for; empty: all who decide about knowledge"),
    sa.Column("kind", sa.Text, nullable=False, comment="proposal, decided, request, answered, gaps or stale"),
    sa.Column("subject", sa.Text, nullable=False, comment="what it is about: an id, or a week"),
    sa.Column("details", ARRAY(sa.BigInteger), nullable=False, server_default="{}", comment="ids of what it lists"),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0", comment="grows with every worker that takes it up"),
    sa.Column("outcome", sa.Text, comment="sent, needless or refused; null: to be sent, or to be shown anew"),
    sa.Column("channel_id", sa.Text),
    sa.Column("ts", sa.Text, comment="Slack's ts of the message that stands for it"),
    moment("created_at", default_now=True),
    moment("taken_at"),
    moment("done_at"),
    sa.UniqueConstraint("team_id", "kind", "subject", "user_id"),
    sa.Index("ix_knowledge_notices_undone", "created_at", postgresql_where=sa.text("done_at is null")),
    sa.Index("ix_knowledge_notices_person", "team_id", "user_id"),
)
