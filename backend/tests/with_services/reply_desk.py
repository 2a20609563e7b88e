"""A reply desk on a real inbox, real limits and the small Slack, for tests of replies."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.cache.connection import RedisConnection, RedisOptions
from app.cache.limits import Limits
from app.core.encryption import Cipher
from app.i18n.language import Language
from app.inbox.envelope import ClaimedEvent, Envelope
from app.inbox.inbox import Inbox
from app.inbox.stopping import StopSignals
from app.playground.demo_workspace import BOT_TOKEN, KENTA, SALES_CHANNEL, TEAM
from app.playground.slack_server import SlackServer
from app.playground.small_slack import SmallSlack
from app.slack.client import SlackClient
from app.slack.limits import SharedBudget
from app.slack.reply import Reply, ReplyAddress, ReplyDesk
from app.slack.streaming import Pace
from app.storage.database import Database
from app.storage.listener import Listener

EAGER = Pace(after_first_words=0, between_appends=0, between_appends_of_all=0, between_edits=0)
CALM = Pace(after_first_words=3600, between_appends=3600, between_edits=3600)
BLOCKS: Sequence[dict[str, Any]] = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "出典"}]}]
Message = dict[str, Any]


@dataclass
class Counter:
    """One desk, as one worker process has it."""

    slack: SmallSlack
    database: Database
    inbox: Inbox
    stops: StopSignals
    limits: Limits
    client: SlackClient
    questions: int = 0

    def desk(self, *, pace: Pace = EAGER, budget: SharedBudget | None = None, ledger: Any = None) -> ReplyDesk:
        return ReplyDesk(self.client, ledger or self.inbox, self.stops, self.limits, budget=budget, pace=pace)

    async def asked(self) -> int:
        """A question in a channel, stored; its inbox id."""
        self.questions += 1
        sent = await self.slack.mention("値引きを求められたら？", channel=SALES_CHANNEL, user=KENTA, waits=False)
        envelope = Envelope(
            TEAM, f"Ev{self.questions}", "message", f"{TEAM}:{sent.channel}:{sent.ts}", sent.channel, sent.ts, KENTA, b"{}"
        )
        assert await self.inbox.store_once(envelope)
        stored = await self.inbox.event_by_id(TEAM, envelope.event_id)
        assert stored is not None
        return stored.inbox_id

    async def claim(self, inbox_id: int) -> ClaimedEvent:
        claimed = await self.inbox.claim(inbox_id)
        assert claimed is not None
        return claimed

    async def claimed(self) -> ClaimedEvent:
        return await self.claim(await self.asked())

    async def keep_draft(self, claimed: ClaimedEvent, text: str) -> None:
        async with self.database.transaction() as session:
            await self.inbox.keep_draft(session, claimed.claim, text)

    def reply(self, claimed: ClaimedEvent, desk: ReplyDesk | None = None) -> Reply:
        return (desk or self.desk()).open(claimed, address_of(claimed), Language.JAPANESE)

    def said(self, claimed: ClaimedEvent) -> list[Message]:
        """What the bot's messages in the thread are now."""
        place = self.slack.channel(claimed.envelope.channel_id)
        bot = self.slack.workspace().bot_user_id
        messages = [place.messages[ts] for ts in place.threads.get(claimed.envelope.message_ts or "", ())]
        return [one for one in messages if one["user"] == bot]

    def calls(self) -> list[str]:
        return [entry["method"] for entry in self.slack.record.of("call")]

    async def outcome(self, claimed: ClaimedEvent) -> str | None:
        async with self.database.reading() as session:
            outcome: str | None = await session.fetch_value("select outcome from inbox where id = $1", claimed.claim.inbox_id)
        return outcome


def address_of(claimed: ClaimedEvent) -> ReplyAddress:
    envelope = claimed.envelope
    assert envelope.channel_id and envelope.message_ts
    return ReplyAddress(TEAM, envelope.channel_id, envelope.message_ts, KENTA, TEAM, is_direct=False)


def markdown_of(message: Message) -> str:
    return "".join(block["text"] for block in message["blocks"] if block["type"] == "markdown")


def block_types(message: Message) -> list[str]:
    return [block["type"] for block in message["blocks"]]


@asynccontextmanager
async def open_counter(database: Database, database_url: str, redis_url: str) -> AsyncIterator[Counter]:
    async with AsyncExitStack() as stack:
        server = SlackServer()
        slack = await stack.enter_async_context(server)
        redis = RedisConnection.open(RedisOptions(redis_url))
        stack.push_async_callback(redis.close)
        listener = await stack.enter_async_context(Listener(database_url))
        inbox = await stack.enter_async_context(Inbox(database, Cipher({"k1": b"1" * 32})))
        stops = await stack.enter_async_context(StopSignals(database, listener))
        client = await stack.enter_async_context(SlackClient.open(BOT_TOKEN, base_url=server.api_url))
        yield Counter(slack, database, inbox, stops, Limits(redis), client)
