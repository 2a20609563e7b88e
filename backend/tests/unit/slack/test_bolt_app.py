from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from app.slack.bolt_app import BoltDoor, build_bolt_app
from app.slack.workspace import Installation
from tests.doubles.slack_requests import callback


@pytest.fixture
def edge() -> SimpleNamespace:
    finished: list[str] = []

    async def finish(_claim: Any, *, outcome: str) -> None:
        finished.append(outcome)

    async def stop(conversation: str) -> None:
        finished.append(conversation)

    workspaces = SimpleNamespace(current=Installation("T1", "A1", "UBOT", "B1"), mark_removed=lambda: None)
    web = AsyncWebClient(token="xoxb-ours", base_url="http://127.0.0.1:9/api/")
    return SimpleNamespace(
        workspaces=workspaces, client=SimpleNamespace(web=web), finished=finished, inbox=SimpleNamespace(finish=finish),
        stops=SimpleNamespace(stop=stop),
    )  # fmt: skip


CLAIMED = SimpleNamespace(claim=SimpleNamespace(team_id="T1"), envelope=SimpleNamespace(conversation="T1:D1:1700.1"))
STOPPED = callback({"type": "agent_session_stopped", "channel": "D1", "user": "U1", "thread_ts": "1700.1"})


async def test_a_stored_event_reaches_its_listener_and_is_awaited_to_its_end(edge: Any) -> None:
    response = await BoltDoor(edge, bot_token="xoxb-ours").dispatch(STOPPED, claimed=CLAIMED)  # type: ignore[arg-type]
    assert response.status == 200
    assert edge.finished == ["T1:D1:1700.1", "answered"]


async def test_a_listeners_exception_comes_out(edge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_conversation: str) -> None:
        raise LookupError("the listener's own")

    monkeypatch.setattr(edge.stops, "stop", fail)
    with pytest.raises(LookupError, match="the listener's own"):
        await BoltDoor(edge, bot_token="xoxb-ours").dispatch(STOPPED, claimed=CLAIMED)  # type: ignore[arg-type]


async def test_what_nobody_listens_to_is_no_error(edge: Any) -> None:
    door = BoltDoor(edge, bot_token="xoxb-ours")
    assert (await door.dispatch(callback({"type": "reaction_added", "user": "U1"}))).status == 200


@pytest.fixture
def oauth_in_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "of-another-program")
    return tmp_path


async def test_variables_of_other_slack_programs_change_nothing(
    edge: Any, oauth_in_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = []

    async def look(context: Any) -> None:
        tokens.append(context.bot_token)

    app: AsyncApp = build_bolt_app(edge.client.web, bot_token="xoxb-ours", edge=edge)
    app.event("reaction_added")(look)
    monkeypatch.setattr("app.slack.bolt_app.build_bolt_app", lambda *_args, **_options: app)
    await BoltDoor(edge, bot_token="xoxb-ours").dispatch(callback({"type": "reaction_added", "user": "U1"}))
    assert tokens == ["xoxb-ours"]
    assert list(oauth_in_environment.iterdir()) == []  # noqa: ASYNC240 - one look into an empty folder
