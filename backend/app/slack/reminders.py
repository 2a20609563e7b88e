"""Reminders in Slack: found by the number in their metadata, posted into the person's own direct messages."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.assistant.send_reminders import ReminderMessage, StandingMessage
from app.i18n.language import Language
from app.people.person import Person
from app.slack.blocks.reminder import reminder_blocks, reminder_text
from app.slack.client import SlackClient, still_wanted
from app.slack.language import language_for
from app.slack.workspace import WorkspaceDirectory

EVENT_TYPE: Final = "sales_agent_reminder"
LOOKED_THROUGH: Final = 100  # newest messages of the direct messages: a lost reminder is minutes old


class SlackReminders:
    """``assistant.send_reminders.RemindsPeople``."""

    def __init__(self, client: SlackClient, workspaces: WorkspaceDirectory, *, fallback_language: Language) -> None:
        self._client = client
        self._workspaces = workspaces
        self._fallback = fallback_language

    @property
    def team_id(self) -> str | None:
        return self._workspaces.current.team_id

    async def find(self, message: ReminderMessage) -> StandingMessage | None:
        team_id = message.person.team_id
        channel_id = await self._channel(message.person)
        answer = await self._client.call(
            "conversations.history", team_id=team_id,
            json={"channel": channel_id, "limit": LOOKED_THROUGH, "include_all_metadata": True},
        )  # fmt: skip
        ts = next((str(one["ts"]) for one in answer.get("messages", ()) if _number_in(one) == message.number), None)
        return StandingMessage(channel_id, ts) if ts else None

    async def post(self, message: ReminderMessage, *, still_wanted_by: Callable[[], Awaitable[None]]) -> StandingMessage:
        channel_id = await self._channel(message.person)
        language = self._language(message.person)
        token = still_wanted.set(still_wanted_by)
        try:
            ts = await self._client.post_message(
                channel_id=channel_id, thread_ts=None, text=reminder_text(message.item, language, message.today),
                blocks=reminder_blocks(message.item, language, message.today), team_id=message.person.team_id,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"reminder": message.number}},
            )  # fmt: skip
        finally:
            still_wanted.reset(token)
        return StandingMessage(channel_id, ts)

    async def remove(self, message: ReminderMessage, standing: StandingMessage) -> None:
        await self._client.delete_message(channel_id=standing.channel_id, ts=standing.ts, team_id=message.person.team_id)

    async def _channel(self, person: Person) -> str:
        opened = await self._client.call("conversations.open", json={"users": person.user_id}, team_id=person.team_id)
        return str(opened["channel"]["id"])

    def _language(self, person: Person) -> Language:
        return language_for(person=person.language, workspace=self._workspaces.current.language, fallback=self._fallback)


def _number_in(message: dict[str, Any]) -> int | None:
    metadata = message.get("metadata") or {}
    number = (metadata.get("event_payload") or {}).get("reminder") if metadata.get("event_type") == EVENT_TYPE else None
    return number if isinstance(number, int) else None
