"""Notices about knowledge in Slack: found by the number in their metadata, posted into the person's own direct messages."""

from typing import Any, Final, cast

from app.assistant.deliver_notices import NoticeMessage, Posted
from app.assistant.read_proposals import ProposalOnTheTable
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Entry
from app.knowledge.notices.notice import NoticeKind
from app.knowledge.proposals.draft import Proposal
from app.knowledge.requests.request import KnowledgeRequest
from app.people.person import Person
from app.slack.blocks.parts import Block, foreign
from app.slack.blocks.proposals import (
    answered_blocks,
    decided_blocks,
    gaps_blocks,
    proposal_blocks,
    request_blocks,
    stale_blocks,
)
from app.slack.client import SlackClient
from app.slack.language import language_for
from app.slack.workspace import WorkspaceDirectory

EVENT_TYPE: Final = "sales_agent_knowledge"
LOOKED_THROUGH: Final = 100
MOST_PAGES: Final = 10
MOST_LEADERS: Final = 10
_FALLBACK_TEXT = 300


class SlackNotices:
    """``assistant.deliver_notices.TellsPeople``."""

    def __init__(self, client: SlackClient, workspaces: WorkspaceDirectory, *, fallback_language: Language) -> None:
        self._client = client
        self._workspaces = workspaces
        self._fallback = fallback_language

    async def find(self, message: NoticeMessage) -> Posted | None:
        channel_id = await self._channel(message.person)
        answer = await self._client.call(
            "conversations.history", team_id=message.person.team_id,
            json={"channel": channel_id, "limit": LOOKED_THROUGH, "include_all_metadata": True},
        )  # fmt: skip
        number = message.notice.notice_id
        ts = next((str(one["ts"]) for one in answer.get("messages", ()) if _number_in(one) == number), None)
        return Posted(channel_id, ts) if ts else None

    async def post(self, message: NoticeMessage) -> Posted:
        channel_id = await self._channel(message.person)
        text, blocks = self._content(message)
        ts = await self._client.post_message(
            channel_id=channel_id, thread_ts=None, text=text, blocks=blocks, team_id=message.person.team_id,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"notice": message.notice.notice_id}},
        )  # fmt: skip
        return Posted(channel_id, ts)

    async def show_anew(self, message: NoticeMessage, posted: Posted) -> None:
        text, blocks = self._content(message)
        await self._client.update_message(
            channel_id=posted.channel_id, ts=posted.ts, text=text, blocks=blocks, team_id=message.person.team_id
        )

    async def leaders(self, team_id: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page = {"limit": 200, **({"cursor": cursor} if cursor else {})}
            answer = await self._client.call("users.list", json=page, team_id=team_id)
            found += [str(user["id"]) for user in answer.get("members", ()) if _leads(user)]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or len(found) >= MOST_LEADERS:
                break
        return found[:MOST_LEADERS]

    def _content(self, message: NoticeMessage) -> tuple[str, list[Block]]:
        language = language_for(
            person=message.person.language, workspace=self._workspaces.current.language, fallback=self._fallback
        )
        blocks = _blocks(message, language)
        text = _words_of(blocks[0])
        if message.notice.kind is NoticeKind.PROPOSAL:
            title = foreign(cast(ProposalOnTheTable, message.about).proposal.draft.title, _FALLBACK_TEXT)
            text = _announced(title, language)
        return text, blocks

    async def _channel(self, person: Person) -> str:
        opened = await self._client.call("conversations.open", json={"users": person.user_id}, team_id=person.team_id)
        return str(opened["channel"]["id"])


def _announced(title: str, language: Language) -> str:
    return message("proposals.new_proposal", language, title=title)


def _blocks(told: NoticeMessage, language: Language) -> list[Block]:
    about: Any = told.about
    match told.notice.kind:
        case NoticeKind.PROPOSAL:
            table: ProposalOnTheTable = about
            return proposal_blocks(table, language)
        case NoticeKind.DECIDED:
            proposal: Proposal = about
            return decided_blocks(proposal, language)
        case NoticeKind.REQUEST:
            request: KnowledgeRequest = about
            return request_blocks(request, language)
        case NoticeKind.ANSWERED:
            answered: KnowledgeRequest = about
            return answered_blocks(answered, language)
        case NoticeKind.GAPS:
            gaps: tuple[KnowledgeRequest, ...] = about
            return gaps_blocks(gaps, language)
        case NoticeKind.STALE:
            entry: Entry = about
            return stale_blocks(entry, language)


def _words_of(block: Block) -> str:
    return str(block["text"]["text"])[:_FALLBACK_TEXT]


def _leads(user: dict[str, Any]) -> bool:
    is_nobody = user.get("deleted") or user.get("is_bot") or user.get("is_restricted") or user.get("is_ultra_restricted")
    return bool(not is_nobody and (user.get("is_owner") or user.get("is_primary_owner") or user.get("is_admin")))


def _number_in(posted: dict[str, Any]) -> int | None:
    metadata = posted.get("metadata") or {}
    number = (metadata.get("event_payload") or {}).get("notice") if metadata.get("event_type") == EVENT_TYPE else None
    return number if isinstance(number, int) else None
