"""What is kept about a person: every class of data, whose it is, how long it stays, and what becomes of it when they leave.

This is the one list. Export, erasure and the nightly purge go by it, and a test compares it with the schema: a table that names
a person and does not stand here fails the build.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What "forget me" does to the rows of a class."""

    DELETE = "delete"
    ANONYMISE = "anonymise"  # the row stays for others' sake and names nobody any more
    BY_HAND = "by hand"  # has a statement of its own in people/erasure/repository.py, since others share the row


@dataclass(frozen=True)
class PersonalData:
    """One class of data: the rows of ``table`` whose ``owner`` column names the person.

    ``texts`` are the encrypted columns with the place they are bound to, its gaps filled from the row's own columns. ``age`` is
    the column by which ``retention`` (a setting, in days) counts; without one the class lives as long as what it belongs to.
    ``hidden`` columns are left out of an export: numbers that only the product can read.
    """

    name: str
    table: str
    fate: Fate
    owner: str = "user_id"
    order: str = "id"
    texts: Mapping[str, str] = field(default_factory=dict)
    age: str | None = None
    retention: str | None = None
    hidden: tuple[str, ...] = ()


_SESSION = "{team_id}|dialogue_sessions"
_PLAN = "{team_id}|plan|{user_id}"
_INSIGHT = "{team_id}|conversation_insights|{user_id}"

# In the order in which they are erased: what refers comes before what is referred to.
PERSONAL_DATA: tuple[PersonalData, ...] = (
    PersonalData(
        "messages", "dialogue_messages", Fate.DELETE, age="said_at", retention="retention_conversations_days",
        texts={"content": "{team_id}|dialogue_messages|{inbox_id}:{role}"}, hidden=("inbox_id",),
    ),
    PersonalData(
        "sessions", "dialogue_sessions", Fate.BY_HAND, order="started_at", age="last_turn_at",
        retention="retention_conversations_days", hidden=("state", "digested_at", "digested_until"),
        texts={"title": f"{_SESSION}|{{conversation}}", "summary": f"{_SESSION}|{{conversation}}:summary"},
    ),
    PersonalData(
        "memories", "conversation_insights", Fate.DELETE, age="observed_at", retention="retention_memories_days",
        texts={"content": f"{_INSIGHT}:content", "evidence": f"{_INSIGHT}:evidence", "subject": f"{_INSIGHT}:subject"},
        hidden=("fingerprint", "embedding", "embedding_model"),
    ),
    PersonalData("reminders", "plan_reminders", Fate.DELETE),
    PersonalData("plan items", "plan_items", Fate.DELETE, texts={
        name: f"{_PLAN}:{name}" for name in ("title", "description", "success_metric", "drop_reason")
    }),
    PersonalData(
        "plans", "action_plans", Fate.DELETE, texts={"summary": f"{_PLAN}:summary"},
        age="made_at", retention="retention_coaching_days",
    ),
    PersonalData(
        "talk points", "talk_points", Fate.DELETE, texts={"content": "{team_id}|talk_points|{turn}:{point}"}, hidden=("turn",),
    ),
    PersonalData("guided talks", "coaching_talks", Fate.DELETE, age="opened_at", retention="retention_coaching_days"),
    PersonalData("skill evidence", "skill_evidence", Fate.DELETE, age="observed_at", retention="retention_coaching_days"),
    PersonalData(
        "feedback", "feedback", Fate.DELETE, order="given_at", age="given_at", retention="retention_feedback_days",
        texts={"reason": "{team_id}|feedback|{channel_id}:{message_ts}:{user_id}"},
    ),
    PersonalData("judgements of knowledge", "knowledge_feedback", Fate.DELETE, order="given_at",
                 age="given_at", retention="retention_feedback_days"),
    PersonalData(
        "received messages", "inbox", Fate.BY_HAND, age="done_at", retention="retention_conversations_days",
        texts={"envelope": "{team_id}|inbox|{event_id}", "draft": "{team_id}|inbox draft|{id}"}, hidden=("epoch", "attempts"),
    ),
    PersonalData("model usage", "model_usage", Fate.ANONYMISE, age="called_at", retention="retention_usage_days",
                 hidden=("inbox_id",)),
    PersonalData(
        "knowledge asked for", "knowledge_requests", Fate.ANONYMISE, owner="requested_by", hidden=("fingerprint", "question"),
    ),
    PersonalData("questions followed", "knowledge_askers", Fate.DELETE, order="asked_at", age="asked_at",
                 retention="retention_feedback_days"),
    PersonalData(
        "knowledge proposed", "knowledge_proposals", Fate.DELETE, owner="proposed_by", order="proposed_at",
        texts={"content": "{team_id}|knowledge_proposals|{id}", "reason": "{team_id}|knowledge_proposals|{id}:reason"},
        hidden=("fingerprint",),
    ),
    PersonalData(
        "proposals decided", "knowledge_proposals", Fate.ANONYMISE, owner="decided_by", order="proposed_at",
        hidden=("fingerprint", "content", "reason", "proposed_by"),
    ),
    PersonalData("notices about knowledge", "knowledge_notices", Fate.DELETE, age="created_at",
                 retention="retention_feedback_days"),
    PersonalData("knowledge written", "knowledge_entries", Fate.ANONYMISE, owner="author_id", hidden=("content_hash",)),
    PersonalData("knowledge looked after", "knowledge_entries", Fate.ANONYMISE, owner="owner_id", hidden=("content_hash",)),
    PersonalData("versions of knowledge written", "knowledge_versions", Fate.ANONYMISE, owner="author_id", order="entry_id"),
    PersonalData("profile", "people", Fate.DELETE, order="created_at", texts={"display_name": "{team_id}|people|{user_id}"}),
)  # fmt: skip
