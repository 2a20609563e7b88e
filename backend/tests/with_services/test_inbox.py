"""The inbox on a real PostgreSQL: once, in order, and fenced."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.core.encryption import Cipher
from app.core.errors import LostClaim
from app.inbox.claim import Claim
from app.inbox.envelope import ClaimedEvent, Envelope
from app.inbox.inbox import Inbox
from app.storage.database import Database

CIPHER = Cipher({"k1": b"1" * 32})


def envelope(
    event_id: str = "Ev1",
    *,
    kind: str = "message",
    ts: str | None = "100.000001",
    conversation: str = "T1:C1:100.000001",
    text: str = "見積もり",
) -> Envelope:
    body = json.dumps({"event": {"text": text, "blocks": [{"type": "rich_text"}]}}, ensure_ascii=False)
    return Envelope("T1", event_id, kind, conversation, "C1", ts, "U1", body.encode())


@pytest.fixture
async def inbox(database: Database) -> AsyncIterator[Inbox]:
    async with Inbox(database, CIPHER) as opened:
        yield opened


async def stored(inbox: Inbox, database: Database, *envelopes: Envelope) -> list[int]:
    for each in envelopes or (envelope(),):
        assert await inbox.store_once(each)
    async with database.reading() as session:
        return [row["id"] for row in await session.fetch("select id from inbox order by id")]


async def claimed(inbox: Inbox, inbox_id: int) -> ClaimedEvent:
    event = await inbox.claim(inbox_id)
    assert event is not None
    return event


async def jobs(database: Database) -> list[tuple[str, str | None, int]]:
    async with database.reading() as session:
        rows = await session.fetch("select queue_name, lock, args from procrastinate_jobs order by id")
    return [(row["queue_name"], row["lock"], row["args"]["inbox_id"]) for row in rows]


async def test_an_event_and_its_job_are_stored_once(inbox: Inbox, database: Database):
    assert await inbox.store_once(envelope()) is True
    assert await inbox.store_once(envelope()) is False
    assert await jobs(database) == [("answer", "T1:C1:100.000001", 1)]


async def test_a_mention_that_arrives_also_as_a_message_is_one_event(inbox: Inbox, database: Database):
    first, second = await asyncio.gather(inbox.store_once(envelope("Ev1")), inbox.store_once(envelope("Ev2")))
    assert sorted([first, second]) == [False, True]
    assert len(await jobs(database)) == 1


async def test_the_same_event_many_times_at_once_from_several_processes_is_stored_once(database: Database):
    async with Inbox(database, CIPHER) as one, Inbox(database, CIPHER) as two, Inbox(database, CIPHER) as three:
        events = [envelope(f"Ev{number}", ts=f"{number}.0") for number in range(30)]
        answers = await asyncio.gather(*(place.store_once(event) for event in events for place in (one, two, three, one)))
    assert sum(answers) == len(events)
    assert len(await jobs(database)) == len(events)


async def test_a_batch_keeps_the_order_in_which_messages_were_written(inbox: Inbox, database: Database):
    events = [envelope(f"Ev{number}", ts=f"100.{number:06}") for number in range(50)]
    await asyncio.gather(*(inbox.store_once(event) for event in reversed(events)))
    async with database.reading() as session:
        rows = await session.fetch("select id, message_ts from inbox order by id")
    assert [row["message_ts"] for row in rows] == [event.message_ts for event in events]
    assert [job[2] for job in await jobs(database)] == [row["id"] for row in rows]


async def test_a_stop_waits_for_nothing_and_other_kinds_go_to_the_quick_queue(inbox: Inbox, database: Database):
    await inbox.store_once(envelope("Ev1", kind="stop", ts=None))
    await inbox.store_once(envelope("Ev2", kind="home", ts=None, conversation="T1:U1:home"))
    assert [job[:2] for job in await jobs(database)] == [("quick", None), ("quick", "T1:U1:home")]


async def test_what_arrived_is_unreadable_in_the_table_and_readable_after_the_claim(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    async with database.reading() as session:
        assert "見積もり".encode() not in await session.fetch_value("select envelope from inbox")
    event = await claimed(inbox, inbox_id)
    assert event.envelope == envelope()
    assert (event.claim, event.attempts, event.parts, event.draft) == (Claim("T1", inbox_id, 1), 1, (), None)


async def test_an_event_that_cannot_be_stored_does_not_take_others_with_it(inbox: Inbox, database: Database):
    bad = envelope("Ev\0", ts="1.0")
    results = await asyncio.gather(
        inbox.store_once(envelope("Ev1", ts="2.0")), inbox.store_once(bad), inbox.store_once(envelope("Ev2", ts="3.0")),
        return_exceptions=True,
    )  # fmt: skip
    assert results[0] is True and results[2] is True
    assert isinstance(results[1], Exception)


async def test_a_newer_claim_ends_the_older_one_everywhere(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    zombie = (await claimed(inbox, inbox_id)).claim
    await inbox.intend_part(zombie, part=0, channel_id="C1", thread_ts="1.0")
    newer = await claimed(inbox, inbox_id)
    assert (newer.claim.epoch, newer.attempts, [part.ts for part in newer.parts]) == (2, 2, [None])
    assert not await inbox.still_mine(zombie)
    assert await inbox.still_mine(newer.claim)

    with pytest.raises(LostClaim):
        await inbox.intend_part(zombie, part=1, channel_id="C1", thread_ts="1.0")
    with pytest.raises(LostClaim):
        await inbox.record_part(zombie, part=0, ts="5.0")
    with pytest.raises(LostClaim):
        await inbox.forget_part(zombie, part=0, ts="5.0")
    with pytest.raises(LostClaim):
        await inbox.finish_part(zombie, part=0)
    with pytest.raises(LostClaim):
        await inbox.finish(zombie, outcome="answered")
    with pytest.raises(LostClaim):
        async with database.transaction() as session:
            await inbox.keep_draft(session, zombie, "古い答え")
    await inbox.finish(newer.claim, outcome="answered")
    assert await inbox.claim(inbox_id) is None


async def test_a_foreign_workspace_cannot_use_a_claim(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    with pytest.raises(LostClaim):
        await inbox.finish(Claim("T2", inbox_id, claim.epoch), outcome="answered")


async def test_of_many_claims_at_once_exactly_one_stays_valid(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    events = await asyncio.gather(*(claimed(inbox, inbox_id) for _ in range(8)))
    assert sorted(event.claim.epoch for event in events) == list(range(1, 9))
    assert [await inbox.still_mine(event.claim) for event in events].count(True) == 1


async def test_a_part_is_intended_once_and_recorded_once(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    first = await inbox.intend_part(claim, part=0, channel_id="C1", thread_ts="1.0")
    again = await inbox.intend_part(claim, part=0, channel_id="C9", thread_ts="9.0")
    assert first == again
    assert await inbox.record_part(claim, part=0, ts="7.0") == "7.0"
    assert await inbox.record_part(claim, part=0, ts="8.0") == "7.0"


async def test_an_overtaken_worker_learns_which_message_stands(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    zombie = (await claimed(inbox, inbox_id)).claim
    await inbox.intend_part(zombie, part=0, channel_id="C1", thread_ts="1.0")
    newer = (await claimed(inbox, inbox_id)).claim
    assert await inbox.record_part(newer, part=0, ts="8.0") == "8.0"
    assert await inbox.record_part(zombie, part=0, ts="7.0") == "8.0"


async def test_a_claim_sees_every_intent_that_went_before_it(inbox: Inbox, database: Database):
    """A worker that is about to write its intent while another one claims: either the claim sees it, or it is refused."""
    ids = await stored(inbox, database, *(envelope(f"Ev{n}", ts=f"{n}.0") for n in range(20)))
    olds = [(await claimed(inbox, inbox_id)).claim for inbox_id in ids]
    for old in olds:
        intent, newer = await asyncio.gather(
            inbox.intend_part(old, part=0, channel_id="C1", thread_ts=None), claimed(inbox, old.inbox_id), return_exceptions=True
        )
        assert isinstance(newer, ClaimedEvent)
        assert len(newer.parts) == (0 if isinstance(intent, LostClaim) else 1)


async def test_a_vanished_message_can_be_posted_again(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    await inbox.intend_part(claim, part=0, channel_id="C1", thread_ts="1.0")
    await inbox.record_part(claim, part=0, ts="7.0")
    await inbox.forget_part(claim, part=0, ts="6.0")
    assert (await inbox.intend_part(claim, part=0, channel_id="C1", thread_ts="1.0")).ts == "7.0"
    await inbox.forget_part(claim, part=0, ts="7.0")
    assert (await inbox.intend_part(claim, part=0, channel_id="C1", thread_ts="1.0")).ts is None


async def test_the_first_draft_stays_and_reaches_the_next_attempt(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    for text in ("一番目", "二番目"):
        async with database.transaction() as session:
            await inbox.keep_draft(session, claim, text)
    assert (await claimed(inbox, inbox_id)).draft == "一番目"


async def test_an_edit_changes_only_a_message_that_still_waits(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    where = {"team_id": "T1", "channel_id": "C1", "message_ts": "100.000001"}
    assert await inbox.replace_waiting_text(**where, text="新しい文")
    event = (await claimed(inbox, inbox_id)).envelope
    assert json.loads(event.body) == {"event": {"text": "新しい文"}}
    assert not await inbox.replace_waiting_text(**where, text="遅すぎる文")


async def test_a_deleted_message_that_waits_is_not_answered(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    assert await inbox.withdraw_waiting(team_id="T1", channel_id="C1", message_ts="100.000001")
    assert await inbox.claim(inbox_id) is None
    assert not await inbox.withdraw_waiting(team_id="T1", channel_id="C1", message_ts="100.000001")


async def test_a_deleted_message_that_is_being_answered_stays(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    assert not await inbox.withdraw_waiting(team_id="T1", channel_id="C1", message_ts="100.000001")
    assert await inbox.still_mine(claim)


async def test_a_finished_event_can_be_retried_once(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    press = {"team_id": "T1", "user_id": "U1"}
    assert not await inbox.store_retry(inbox_id, **press)
    claim = (await claimed(inbox, inbox_id)).claim
    await inbox.finish(claim, outcome="explained", reference="E-2222222")
    assert not await inbox.store_retry(inbox_id, team_id="T2", user_id="U1")
    assert not await inbox.store_retry(inbox_id, team_id="T1", user_id="U2")
    assert await inbox.store_retry(inbox_id, **press)
    assert not await inbox.store_retry(inbox_id, **press)
    retry = await claimed(inbox, max(job[2] for job in await jobs(database)))
    assert (retry.envelope.kind, retry.envelope.body) == ("retry", envelope().body)


async def test_the_last_part_is_finished_with_its_event_and_by_nobody_else(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    zombie = (await claimed(inbox, inbox_id)).claim
    await inbox.intend_part(zombie, part=0, channel_id="C1", thread_ts="1.0")
    claim = (await claimed(inbox, inbox_id)).claim
    with pytest.raises(LostClaim):
        await inbox.finish(zombie, outcome="answered", part=0)
    assert len(await inbox.unfinished_parts(timedelta(0))) == 1
    await inbox.finish(claim, outcome="answered", part=0)
    assert await inbox.unfinished_parts(timedelta(0)) == []


async def test_what_is_finished_already_keeps_its_outcome(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    await inbox.finish(claim, outcome="answered")
    await inbox.finish_if_open(claim, outcome="ignored")
    async with Inbox(database, inbox._cipher) as other_process:
        await other_process.finish_if_open(claim, outcome="ignored")
    async with database.reading() as session:
        assert await session.fetch_value("select outcome from inbox where id = $1", inbox_id) == "answered"


async def test_a_message_of_ours_leads_back_to_its_event(inbox: Inbox, database: Database):
    [inbox_id] = await stored(inbox, database)
    claim = (await claimed(inbox, inbox_id)).claim
    await inbox.intend_part(claim, part=0, channel_id="C1", thread_ts="1.0")
    await inbox.record_part(claim, part=0, ts="7.0")
    [left] = await inbox.unfinished_parts(timedelta(0))
    assert (left.event_id, left.is_done, left.part.ts) == ("Ev1", False, "7.0")
    assert await inbox.unfinished_parts(timedelta(hours=1)) == []
    await inbox.finish_part(claim, part=0)
    assert await inbox.unfinished_parts(timedelta(0)) == []
    found = await inbox.event_of_message("T1", "C1", "7.0")
    assert found and (found.inbox_id, found.event_id) == (inbox_id, "Ev1")
    assert await inbox.event_of_message("T2", "C1", "7.0") is None
    by_id = await inbox.event_by_id("T1", "Ev1")
    assert by_id == found
