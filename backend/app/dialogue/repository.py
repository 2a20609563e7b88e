"""The SQL of conversations: one statement to read a talk, one to record an exchange."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.dialogue.turn import (
    Citation,
    Exchange,
    MadeWith,
    PastSession,
    Recorded,
    RecordedAnswer,
    StoredTurn,
    Talk,
    Turn,
    TurnRole,
    Undigested,
)
from app.i18n.language import Language
from app.llm.interface import ModelCall
from app.people.person import Actor
from app.storage.database import Record, Session

LONGEST_TITLE = 60

_TALK = """
select s.language, s.summary, m.id, m.inbox_id, m.role, m.user_id, m.content, m.skill
from dialogue_sessions s
left join lateral (
    select id, inbox_id, role, user_id, content, skill from dialogue_messages
    where session_id = s.id and team_id = $1 order by id desc limit $3
) m on true
where s.team_id = $1 and s.conversation = $2
order by m.id
"""

# One array per column, one element per call.
_PAID = """
insert into model_usage (team_id, user_id, inbox_id, purpose, profile, provider, model, prompt_version,
    input_tokens, cached_input_tokens, output_tokens, cost_micro_usd, milliseconds, outcome, called_at)
select $1, $2, $3, call.*, $4 from unnest(
    $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::int[], $11::int[], $12::int[], $13::bigint[], $14::int[], $15::text[]) as call
"""

# Session, turns and costs in one statement: a reply is recorded thousands of times a day, and each further round trip costs more
# processor time than the statement itself. ``before`` sees the table as it was, whatever the other parts insert.
_RECORD = """
with session as (
    insert into dialogue_sessions
        (team_id, user_id, conversation, channel_id, thread_ts, is_direct, language, title, started_at, last_turn_at,
         closed_at)
    values ($1, $2, $16, $17, $18, $19, $20, $21, $22, $4, case when $29::boolean then $4::timestamptz end)
    on conflict (team_id, conversation) do update set
        last_turn_at = greatest(dialogue_sessions.last_turn_at, excluded.last_turn_at),
        language = coalesce(dialogue_sessions.language, excluded.language), closed_at = excluded.closed_at, digested_at = null
    returning id, language
), before as (
    select max(m.id) as id from dialogue_messages m join session on m.session_id = session.id
), said as (
    insert into dialogue_messages (team_id, session_id, inbox_id, user_id, role, content, language, skill, sources, made_with,
                                   said_at)
    select $1, session.id, $3, $2, turn.role, turn.content, $23, turn.skill, turn.sources, turn.made_with, turn.said_at
    from session, (values
        (1, 'speaker', $24::bytea, null::text, '[]'::jsonb, '{}'::jsonb, $22::timestamptz),
        (2, 'coach', $25::bytea, $26::text, $27::jsonb, $28::jsonb, $4::timestamptz)
    ) as turn(position, role, content, skill, sources, made_with, said_at)
    order by turn.position
    on conflict (inbox_id, role) do nothing
    returning id
), paid as (
:paid
)
select session.id, session.language, coalesce(before.id, 0) as before, (select max(id) from said) as last
from session, before
""".replace(":paid", _PAID)

_RECENT_SESSIONS = """
select s.id, s.title, s.conversation, s.channel_id, s.thread_ts, s.is_direct, s.language, s.started_at, s.last_turn_at,
       (select count(*) from dialogue_messages m where m.session_id = s.id and m.team_id = $1) as turn_count
from dialogue_sessions s
where s.team_id = $1 and s.user_id = $2
  and ($3 or (not s.is_direct and s.channel_id = $4))
order by s.last_turn_at desc, s.id limit $5
"""

_ANSWER = """
select user_id, content, language, skill, made_with, said_at from dialogue_messages
where team_id = $1 and inbox_id = $2 and role = 'coach'
"""

_END_DIRECT_TALKS = """
update dialogue_sessions set closed_at = $3
where team_id = $1 and user_id = $2 and is_direct and closed_at is null and digested_at is null
"""

# Somebody who is answered right now is not at rest: the lease of an idle session cannot be taken while a new turn moves its time.
_TAKE_UNDIGESTED = """
update dialogue_sessions set state = state || jsonb_build_object('digest_taken_at', extract(epoch from $2::timestamptz))
where id in (
    select id from dialogue_sessions
    where digested_at is null and (last_turn_at < $1 or closed_at is not null)
      and coalesce((state->>'digest_taken_at')::float8, 0) < extract(epoch from $3::timestamptz)
    order by last_turn_at limit $4 for update skip locked
)
returning id, team_id, conversation, channel_id, thread_ts, is_direct, language, digested_until, summary
"""

_TURNS_AFTER = """
select id, inbox_id, role, user_id, content, said_at from dialogue_messages
where team_id = $1 and session_id = $2 and id > $3 order by id limit $4
"""

_FINISH_DIGEST = """
update dialogue_sessions s set digested_until = $4, summary = coalesce($5, summary), state = state - 'digest_taken_at',
    digested_at = case when $7 and not exists(select from dialogue_messages m where m.session_id = s.id and m.id > $4)
        then $6::timestamptz end,
    closed_at = case when $7 and not exists(select from dialogue_messages m where m.session_id = s.id and m.id > $4)
        then coalesce(closed_at, $6::timestamptz) else closed_at end
where team_id = $1 and id = $2 and digested_until = $3
"""

_GIVE_FEEDBACK = """
insert into feedback (team_id, channel_id, message_ts, user_id, verdict, reason, given_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (team_id, channel_id, message_ts, user_id) do update set
    verdict = excluded.verdict, given_at = excluded.given_at,
    reason = case when feedback.verdict = excluded.verdict then coalesce(excluded.reason, feedback.reason)
                  else excluded.reason end
where feedback.given_at <= excluded.given_at
"""

_FEEDBACK = """
select verdict, reason from feedback where team_id = $1 and channel_id = $2 and message_ts = $3 and user_id = $4
"""


class DialogueRepository:
    """Sessions and turns, through one session of the database. Texts are encrypted on the way in."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def talk(self, conversation: Conversation, *, turns: int) -> Talk:
        """The conversation with its last ``turns`` turns; an empty talk when it has not begun."""
        rows = await self._session.fetch(_TALK, conversation.team_id, conversation.key, turns)
        if not rows:
            return Talk()
        said = [row for row in rows if row["id"] is not None]
        return Talk(
            language=_language(rows[0]["language"]),
            turns=tuple(self._turn(conversation.team_id, row) for row in said),
            last_turn_id=said[-1]["id"] if said else 0,
            summary=self._summary(conversation.team_id, conversation.key, rows[0]["summary"]),
        )

    async def record(self, exchange: Exchange) -> Recorded:
        """Opens the session if need be, appends both turns, books the calls. A second time for one event adds no turns."""
        where, team_id = exchange.conversation, exchange.conversation.team_id
        row = await self._session.fetch_row(
            _RECORD, team_id, exchange.user_id, exchange.inbox_id, exchange.answered_at, *_columns(exchange.calls),
            where.key, where.channel_id, where.thread_ts, where.is_direct, exchange.thread_language,
            self._cipher.encrypt(title_of(exchange.question), place=_title_place(team_id, where.key)),
            exchange.asked_at, exchange.language,
            self._cipher.encrypt(exchange.question, place=_turn_place(team_id, exchange.inbox_id, TurnRole.SPEAKER)),
            self._cipher.encrypt(exchange.answer, place=_turn_place(team_id, exchange.inbox_id, TurnRole.COACH)),
            exchange.skill, list(exchange.sources), _made_with_to_json(exchange.made_with), exchange.ends_talk,
        )  # fmt: skip
        assert row is not None
        return Recorded(
            session_id=str(row["id"]),
            language=_language(row["language"]),
            last_turn_before=row["before"],
            last_turn_id=row["last"] or row["before"],
        )

    async def end_direct_talks(self, team_id: str, user_id: str, *, at: datetime) -> None:
        """The person is finished: in direct messages each question is a thread of its own, and all of them are meant."""
        await self._session.execute(_END_DIRECT_TALKS, team_id, user_id, at)

    async def book(
        self, calls: Sequence[ModelCall], *, team_id: str, user_id: str | None, inbox_id: int | None, called_at: datetime
    ) -> None:
        """What was paid for without an answer to show for it."""
        await self._session.execute(_PAID, team_id, user_id, inbox_id, called_at, *_columns(calls))

    async def recent_sessions(self, actor: Actor, *, limit: int) -> list[PastSession]:
        """What ``actor`` talked about, latest first: everything where only they look, else what was said in that channel."""
        rows = await self._session.fetch(
            _RECENT_SESSIONS, actor.team_id, actor.user_id, actor.is_private, actor.channel_id, limit
        )
        return [self._past_session(actor.team_id, row) for row in rows]

    async def answer_to(self, team_id: str, inbox_id: int) -> RecordedAnswer | None:
        """The answer that an event was given, if it was recorded and is still kept."""
        row = await self._session.fetch_row(_ANSWER, team_id, inbox_id)
        if row is None:
            return None
        return RecordedAnswer(
            inbox_id=inbox_id, user_id=row["user_id"], language=Language(row["language"] or Language.JAPANESE),
            text=self._cipher.decrypt(row["content"], place=_turn_place(team_id, inbox_id, TurnRole.COACH)),
            skill=row["skill"] or "", made_with=_made_with_from_json(row["made_with"]), said_at=row["said_at"],
        )  # fmt: skip

    async def take_undigested(self, *, idle_since: datetime, now: datetime, lease: timedelta, limit: int) -> list[Undigested]:
        """Sessions that were ended, or where nobody has spoken since ``idle_since``, longest at rest first, of all workspaces.

        Each is given to one caller at a time; whoever does not come back with it within ``lease`` is taken for dead.
        """
        rows = await self._session.fetch(_TAKE_UNDIGESTED, idle_since, now, now - lease, limit)
        return [
            Undigested(
                session_id=str(row["id"]), language=_language(row["language"]), digested_until=row["digested_until"],
                conversation=Conversation(row["team_id"], row["channel_id"], row["thread_ts"], row["is_direct"]),
                summary=self._summary(row["team_id"], row["conversation"], row["summary"]),
            )
            for row in rows
        ]  # fmt: skip

    async def turns_after(self, session: Undigested, *, limit: int) -> list[StoredTurn]:
        """What was said since the session was digested last, oldest first."""
        team_id = session.conversation.team_id
        rows = await self._session.fetch(_TURNS_AFTER, team_id, session.session_id, session.digested_until, limit)
        return [
            StoredTurn(
                row["id"], (role := TurnRole(row["role"])), row["user_id"],
                self._cipher.decrypt(row["content"], place=_turn_place(team_id, row["inbox_id"], role)), row["said_at"],
            )
            for row in rows
        ]  # fmt: skip

    async def finish_digest(self, session: Undigested, *, until: int, summary: str, now: datetime, is_whole: bool) -> bool:
        """Writes down how far a session is digested. False, and nothing is written, when somebody else has done so or the session
        was erased. ``is_whole``: there was nothing after ``until`` when the session was read.
        """
        where = session.conversation
        sealed = self._cipher.encrypt(summary, place=_summary_place(where.team_id, where.key)) if summary else None
        return bool(
            await self._session.execute(
                _FINISH_DIGEST, where.team_id, session.session_id, session.digested_until, until, sealed, now, is_whole
            )
        )

    def _summary(self, team_id: str, conversation: str, value: bytes | None) -> str:
        return self._cipher.decrypt(value, place=_summary_place(team_id, conversation)) if value else ""

    def _turn(self, team_id: str, row: Record) -> Turn:
        role = TurnRole(row["role"])
        text = self._cipher.decrypt(row["content"], place=_turn_place(team_id, row["inbox_id"], role))
        return Turn(role, text, row["user_id"], row["skill"])

    def _past_session(self, team_id: str, row: Record) -> PastSession:
        title = self._cipher.decrypt(row["title"], place=_title_place(team_id, row["conversation"])) if row["title"] else ""
        return PastSession(
            session_id=str(row["id"]),
            title=title,
            conversation=Conversation(team_id, row["channel_id"], row["thread_ts"], row["is_direct"]),
            language=_language(row["language"]),
            started_at=row["started_at"],
            last_turn_at=row["last_turn_at"],
            turn_count=row["turn_count"],
        )


class Verdict(StrEnum):
    """What a person thinks of an answer."""

    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"


class FeedbackRepository:
    """Verdicts on answers: one per person and message, the last click wins."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def give(
        self, actor: Actor, *, channel_id: str, message_ts: str, verdict: Verdict, reason: str | None, given_at: datetime
    ) -> None:
        """A later click replaces an earlier one, in whichever order they arrive. A reason goes with its verdict."""
        place = _reason_place(actor, channel_id, message_ts)
        sealed = self._cipher.encrypt(reason, place=place) if reason else None
        await self._session.execute(
            _GIVE_FEEDBACK, actor.team_id, channel_id, message_ts, actor.user_id, verdict, sealed, given_at
        )

    async def given(self, actor: Actor, *, channel_id: str, message_ts: str) -> tuple[Verdict, str | None] | None:
        """What ``actor`` said about a message."""
        row = await self._session.fetch_row(_FEEDBACK, actor.team_id, channel_id, message_ts, actor.user_id)
        if row is None:
            return None
        place = _reason_place(actor, channel_id, message_ts)
        return Verdict(row["verdict"]), self._cipher.decrypt(row["reason"], place=place) if row["reason"] else None


def title_of(question: str) -> str:
    """The first line of a talk's first question, shortened."""
    line = next((stripped for part in question.splitlines() if (stripped := " ".join(part.split()))), "")
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def _columns(calls: Sequence[ModelCall]) -> tuple[list[Any], ...]:
    """The calls as one list per column, in the order of ``_PAID``."""
    return (
        [call.purpose for call in calls], [call.profile for call in calls], [call.provider for call in calls],
        [call.model for call in calls], [call.prompt_version for call in calls],
        [call.usage.input_tokens for call in calls], [call.usage.cached_input_tokens for call in calls],
        [call.usage.output_tokens for call in calls], [call.cost_micro_usd for call in calls],
        [call.milliseconds for call in calls], [call.outcome for call in calls],
    )  # fmt: skip


def _language(value: str | None) -> Language | None:
    return Language(value) if value else None


def _title_place(team_id: str, conversation: str) -> str:
    return f"{team_id}|dialogue_sessions|{conversation}"


def _turn_place(team_id: str, inbox_id: int, role: TurnRole) -> str:
    return f"{team_id}|dialogue_messages|{inbox_id}:{role}"


def _summary_place(team_id: str, conversation: str) -> str:
    return f"{team_id}|dialogue_sessions|{conversation}:summary"


def _made_with_to_json(made: MadeWith) -> dict[str, Any]:
    return {
        "model": made.model, "prompt": made.prompt_version, "by_rules": made.is_by_rules, "found_nothing": made.found_nothing,
        "memories": list(made.memories), "citations": [[one.entry_id, one.heading] for one in made.citations],
    }  # fmt: skip


def _made_with_from_json(value: dict[str, Any]) -> MadeWith:
    """Answers that were recorded before this was kept were made with nothing that is known."""
    return MadeWith(
        model=value.get("model", ""), prompt_version=value.get("prompt", ""), is_by_rules=value.get("by_rules", False),
        found_nothing=value.get("found_nothing", False), memories=tuple(value.get("memories", ())),
        citations=tuple(Citation(entry_id, heading) for entry_id, heading in value.get("citations", ())),
    )  # fmt: skip


def _reason_place(actor: Actor, channel_id: str, message_ts: str) -> str:
    return f"{actor.team_id}|feedback|{channel_id}:{message_ts}:{actor.user_id}"
