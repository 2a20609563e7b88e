"""Tells people what happens to the company's knowledge: each notice once per person, whatever breaks on the way.

A notice is written in the transaction of what it tells of and delivered from here a moment later, with what is true by then. It
is taken up (its epoch grows), posted with its number in the message's metadata, and written down; whoever takes it up again looks
for that number first. When its subject has changed, the message that stands is shown anew.
"""

import logging
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.assistant.read_proposals import ProposalOnTheTable, ReadProposals
from app.core.clock import Clock
from app.core.encryption import Cipher
from app.core.errors import AppError, NotFound, SlackRateLimited, SlackRefused
from app.core.metrics import count_error
from app.knowledge.entry import Entry, Status, may_publish
from app.knowledge.notices.notice import DECIDERS, Notice, NoticeKind
from app.knowledge.notices.repository import NoticeRepository
from app.knowledge.proposals.draft import Proposal
from app.knowledge.repository import KnowledgeRepository
from app.knowledge.requests.repository import RequestRepository
from app.knowledge.requests.request import KnowledgeRequest
from app.people.directory import PeopleDirectory
from app.people.person import Actor, Person
from app.people.repository import PeopleRepository
from app.storage.database import Database

logger = logging.getLogger(__name__)

AT_A_TIME = 20
MOST_TRIES = 20  # five minutes lie between two of them

About: TypeAlias = ProposalOnTheTable | Proposal | KnowledgeRequest | Entry | tuple[KnowledgeRequest, ...]


@dataclass(frozen=True)
class NoticeMessage:
    """What is to be said, and to whom."""

    notice: Notice
    person: Person
    about: About


@dataclass(frozen=True)
class Posted:
    """A message in Slack."""

    channel_id: str
    ts: str


class TellsPeople(Protocol):
    """Slack's side."""

    async def find(self, message: NoticeMessage) -> Posted | None:
        """The message if it stands already."""

    async def post(self, message: NoticeMessage) -> Posted:
        """Into the person's own direct messages."""

    async def show_anew(self, message: NoticeMessage, posted: Posted) -> None:
        """The message that stands says how things are now."""

    async def leaders(self, team_id: str) -> list[str]:
        """Who runs the workspace, as Slack knows it: for when nobody who decides is known here yet."""


class DeliverNotices:
    """Called every other second by each process, and safe when several do."""

    def __init__(
        self, *, database: Database, cipher: Cipher, people: PeopleDirectory, proposals: ReadProposals, messenger: TellsPeople,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._database = database
        self._cipher = cipher
        self._people = people
        self._proposals = proposals
        self._messenger = messenger
        self._clock = clock

    async def __call__(self) -> int:
        """How many were taken up. Slack's own pace ends it until the next time."""
        count = 0
        while taken := await self._take():
            for notice in taken:
                count += 1
                try:
                    await self._deliver(notice)
                except SlackRateLimited:
                    logger.warning("notices_wait_for_slack", extra={"notice_id": notice.notice_id})
                    return count
                except AppError as error:  # it stays taken up, and is tried again when it has been left alone long enough
                    count_error(error)
                    logger.warning("notice_not_sent", extra={"notice_id": notice.notice_id, "error": type(error).__name__})
                    if notice.epoch >= MOST_TRIES:
                        await self._done(notice, "given_up")
        return count

    async def _take(self) -> list[Notice]:
        async with self._database.transaction() as session:
            return await NoticeRepository(session).take(self._clock.now(), limit=AT_A_TIME)

    async def _deliver(self, notice: Notice) -> None:
        if notice.user_id == DECIDERS:
            await self._spread(notice)
            return
        person = await self._people.find(notice.team_id, notice.user_id)
        about = None if person.is_external else await self._about(notice, person)
        if about is None:
            await self._done(notice, "needless")
            return
        try:
            posted = await self._show(NoticeMessage(notice, person, about))
        except SlackRefused as error:
            logger.warning("notice_refused", extra={"notice_id": notice.notice_id, "code": error.code})
            await self._done(notice, "refused")
            return
        await self._done(notice, "sent", posted)

    async def _show(self, message: NoticeMessage) -> Posted:
        notice = message.notice
        if notice.ts and notice.channel_id:
            posted = Posted(notice.channel_id, notice.ts)
            await self._messenger.show_anew(message, posted)
            return posted
        standing = await self._messenger.find(message) if notice.is_taken_again else None
        return standing or await self._messenger.post(message)

    async def _spread(self, notice: Notice) -> None:
        """One notice to all who decide becomes one to each of them."""
        async with self._database.reading() as session:
            leaders = await PeopleRepository(session, self._cipher).leaders(notice.team_id)
        leaders = leaders or await self._messenger.leaders(notice.team_id)
        if not leaders:
            logger.warning("nobody_decides_about_knowledge", extra={"team_id": notice.team_id})
        async with self._database.transaction() as session:
            notices = NoticeRepository(session)
            await notices.add(
                notice.team_id, notice.kind, notice.subject, to=leaders, at=self._clock.now(), details=notice.details
            )
            await notices.done(notice, outcome="needless", at=self._clock.now())

    async def _about(self, notice: Notice, person: Person) -> About | None:
        """``None``: there is nothing to tell this person any more."""
        actor = Actor(person.team_id, person.user_id, person.standing, is_external=person.is_external)
        match notice.kind:
            case NoticeKind.PROPOSAL:
                return await self._proposal(notice, actor)
            case NoticeKind.DECIDED:
                return await self._proposals.of_proposer(notice.team_id, notice.subject)
            case NoticeKind.REQUEST:
                return await self._request(notice) if may_publish(actor) else None
            case NoticeKind.ANSWERED:
                return await self._request(notice)
            case NoticeKind.GAPS:
                return await self._requests(notice) or None if may_publish(actor) else None
            case NoticeKind.STALE:
                return await self._stale_entry(notice) if may_publish(actor) else None

    async def _proposal(self, notice: Notice, actor: Actor) -> ProposalOnTheTable | None:
        """Of a new message about what has been decided meanwhile nobody has any use."""
        if not may_publish(actor):
            return None
        try:
            table = await self._proposals.one(actor, notice.subject)
        except NotFound:
            return None
        return table if notice.ts or table.proposal.decided_at is None else None

    async def _request(self, notice: Notice) -> KnowledgeRequest | None:
        async with self._database.reading() as session:
            return await RequestRepository(session, self._cipher, notice.team_id).request(int(notice.subject))

    async def _requests(self, notice: Notice) -> tuple[KnowledgeRequest, ...]:
        async with self._database.reading() as session:
            return tuple(await RequestRepository(session, self._cipher, notice.team_id).requests(notice.details))

    async def _stale_entry(self, notice: Notice) -> Entry | None:
        async with self._database.reading() as session:
            entry = await KnowledgeRepository(session, notice.team_id).entry(notice.details[0])
        return entry if entry and (notice.ts or entry.status is Status.PUBLISHED) else None

    async def _done(self, notice: Notice, outcome: str, posted: Posted | None = None) -> None:
        channel_id, ts = (posted.channel_id, posted.ts) if posted else (None, None)
        async with self._database.transaction() as session:
            await NoticeRepository(session).done(notice, outcome=outcome, at=self._clock.now(), channel_id=channel_id, ts=ts)
