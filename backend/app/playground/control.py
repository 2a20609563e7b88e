"""Driving a small Slack in another process: ``POST /control/<name>`` with JSON arguments calls the function of that name."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import aiohttp

from app.playground.delivery import Answer, Delivery
from app.playground.small_slack import Sent, SmallSlack, visible_text

Json = dict[str, Any]
DRIVEN = frozenset({
    "mention", "dm", "say", "edit", "delete", "event", "open_home", "stop", "command", "click", "submit", "close_modal",
    "shortcut",
    "redeliver",
})  # fmt: skip


class Controls:
    """The functions the control address offers; all arguments and results are plain JSON."""

    def __init__(self, slack: SmallSlack) -> None:
        self._slack = slack

    async def do(self, name: str, arguments: Json) -> Any:
        if name in DRIVEN:
            return _plain(await getattr(self._slack, name)(**arguments))
        offered: dict[str, Callable[..., Awaitable[Any]]] = {
            "wait_for_final": self._wait_for_final, "answers_to": self._answers_to, "add_fault": self._add_fault,
            "clear_faults": self._clear_faults, "record": self._record, "clear_record": self._clear_record,
            "counts": self._counts,
            "set_options": self._set_options, "add_workspace": self._add_workspace, "advance": self._advance,
            "state": self._state,
        }  # fmt: skip
        if name not in offered:
            raise LookupError(f"no control named {name!r}")
        return await offered[name](**arguments)

    async def _wait_for_final(self, sent: Json, timeout_seconds: float = 30.0) -> list[Json]:
        return await self._slack.wait_for_final(_sent(sent), timeout_seconds=timeout_seconds)

    async def _answers_to(self, sent: Json) -> list[Json]:
        return [{**message, "visible_text": visible_text(message)} for message in self._slack.answers_to(_sent(sent))]

    async def _add_fault(self, method: str, kind: str, **facts: Any) -> None:
        self._slack.faults.add(method, kind, **facts)

    async def _clear_faults(self, seed: int = 0) -> None:
        self._slack.faults.clear()
        self._slack.faults.seed(seed)

    async def _record(self, since: int = 0, kind: str | None = None) -> list[Json]:
        return [entry for entry in self._slack.record.entries[since:] if kind in {None, entry["kind"]}]

    async def _clear_record(self, is_on: bool = True) -> None:  # noqa: FBT001, FBT002 - a JSON argument
        self._slack.record.clear()
        self._slack.record.is_on = is_on

    async def _counts(self) -> Json:
        return {"calls": dict(self._slack.record.calls_per_method), "refusals": dict(self._slack.record.refusals_per_method)}

    async def _set_options(self, **changes: Any) -> None:
        for name, value in changes.items():
            if not hasattr(self._slack.options, name):
                raise LookupError(f"no option named {name!r}")
            setattr(self._slack.options, name, frozenset(value) if name == "subscriptions" else value)
        self._slack.rates.is_strict = self._slack.options.has_strict_rates

    async def _add_workspace(self, team_id: str, number: int = 1, people: int = 1, channels: int = 1) -> Json:
        workspace = self._slack.add_workspace(team_id, number=number)
        for index in range(people):
            workspace.add_user(f"U{team_id[1:]}P{index:03d}", f"担当者{index}")
        for index in range(channels):
            workspace.add_channel(f"C{team_id[1:]}C{index:03d}", f"channel-{index}")
        return {"bot_token": workspace.bot_token, "users": list(workspace.users), "channels": list(workspace.channels)}

    async def _advance(self, seconds: float) -> None:
        self._slack.clock.advance(seconds)

    async def _state(self, team: str | None = None) -> Json:
        workspace = self._slack.workspace(team)
        return {
            "homes": workspace.homes, "prompts": workspace.prompts,
            "channels": {
                channel.id: {
                    "messages": list(channel.messages.values()), "ephemerals": list(channel.ephemerals.values()),
                    "sessions": channel.sessions,
                }
                for channel in workspace.channels.values()
            },
        }  # fmt: skip


class RemoteSlack:
    """The same functions from another process: ``await remote.do("mention", text="…")``."""

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._url = api_url.removesuffix("api/") + "control/"

    async def do(self, name: str, **arguments: Any) -> Any:
        async with self._session.post(self._url + name, json=arguments) as response:
            answer = await response.json()
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer["result"]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Answer):
        return asdict(value)
    if isinstance(value, Delivery):
        return {"event_id": value.event_id, "answers": _plain(value.answers), "is_accepted": value.is_accepted}
    if isinstance(value, Sent):
        return {
            "team_id": value.team_id, "channel": value.channel, "ts": value.ts, "thread_ts": value.thread_ts, "user": value.user,
            "deliveries": _plain(value.deliveries), "is_accepted": value.is_accepted,
        }  # fmt: skip
    return value


def _sent(sent: Json) -> Sent:
    return Sent(sent["team_id"], sent["channel"], sent["ts"], sent["thread_ts"], sent["user"])
