"""What Slack is told about the app is what the program does."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from app.i18n.language import Language
from app.slack.blocks.prompts import suggested_prompts
from app.slack.commands import COMMANDS
from app.slack.listeners import EVENTS, SHORTCUTS
from app.slack.routes import COMMANDS as COMMANDS_PATH
from app.slack.routes import EVENTS as EVENTS_PATH
from app.slack.routes import INTERACTIVE as INTERACTIVE_PATH

ROOT = Path(__file__).parents[3]
SCHEMA = Path(__file__).parent / "slack-manifest.schema.json"
DOMAIN = "https://your-domain.com"

SCOPE_OF_EVENT = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "agent_session_stopped": "chat:write",
    "app_home_opened": None,
    "app_uninstalled": None,
    "tokens_revoked": None,
}
SCOPE_OF_METHOD = {
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "agents.sessions.setStatus": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "auth.test": None,
    "bots.info": "users:read",
    "chat.appendStream": "chat:write",
    "chat.delete": "chat:write",
    "chat.getPermalink": None,
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.startStream": "chat:write",
    "chat.stopStream": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "im:history",
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": "im:write",
    "conversations.replies": "im:history",
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.info": "files:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "views.open": None,
    "views.publish": None,
    "views.push": None,
    "views.update": None,
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "slack_manifest.yaml").read_text(encoding="utf-8"))
    return loaded


def test_slack_would_accept_it(manifest: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(manifest, schema, cls=jsonschema.Draft7Validator)
    assert manifest["_metadata"]["major_version"] == 2


def test_its_routes_are_ours(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]
    assert settings["event_subscriptions"]["request_url"] == DOMAIN + EVENTS_PATH == DOMAIN + "/api/v1/slack/events"
    assert settings["interactivity"]["request_url"] == DOMAIN + INTERACTIVE_PATH == DOMAIN + "/api/v1/slack/interactive"
    urls = {command["url"] for command in manifest["features"]["slash_commands"]}
    assert urls == {DOMAIN + COMMANDS_PATH} == {DOMAIN + "/api/v1/slack/commands"}


def test_its_commands_are_those_of_the_program(manifest: dict[str, Any]) -> None:
    declared = [(command["command"], command.get("usage_hint", "")) for command in manifest["features"]["slash_commands"]]
    assert declared == [(command.name, command.usage_hint) for command in COMMANDS]
    assert all(re.fullmatch(r"/[a-z0-9_-]{1,31}", name) for name, _ in declared)


def test_its_shortcuts_are_those_somebody_listens_to(manifest: dict[str, Any]) -> None:
    declared = manifest["features"]["shortcuts"]
    assert [shortcut["callback_id"] for shortcut in declared] == [name for name, _ in SHORTCUTS if isinstance(name, str)]
    assert all(len(shortcut["name"]) <= 24 and len(shortcut["description"]) <= 150 for shortcut in declared)


def test_its_events_are_those_somebody_listens_to(manifest: dict[str, Any]) -> None:
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert len(subscribed) == len(set(subscribed))
    assert {event.partition(".")[0] for event in subscribed} == {name for name, _ in EVENTS}


def test_its_scopes_are_those_needed_and_no_more(manifest: dict[str, Any]) -> None:
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    needed = {SCOPE_OF_EVENT[event] for event in subscribed}
    for scopes in (SCOPE_OF_METHOD[method] for method in methods_called()):
        needed |= set(scopes) if isinstance(scopes, tuple) else {scopes}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == (needed | {"commands"}) - {None}
    assert "user" not in manifest["oauth_config"]["scopes"]


def methods_called() -> set[str]:
    """Names of Slack's methods in the code of the edge, written as Slack or as its SDK writes them."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "backend/app/slack").rglob("*.py"))
    called = set(re.findall(r'call\(\s*"([a-z]+\.[a-zA-Z.]+)"', code)) | set(re.findall(r'method = "([a-z.]+)"', code))
    return called | {name.replace("_", ".") for name in re.findall(r"\.web\.([a-z]+_[a-zA-Z_]+)\(", code)}


def test_the_agent_introduces_itself_and_suggests_what_the_program_suggests(manifest: dict[str, Any]) -> None:
    view = manifest["features"]["agent_view"]
    assert 0 < len(view["agent_description"]) <= 300
    declared = [(prompt["title"], prompt["message"]) for prompt in view["suggested_prompts"]]
    assert declared == [(prompt.title, prompt.text) for prompt in suggested_prompts(Language.JAPANESE)]
    assert "assistant_view" not in manifest["features"]


def test_people_can_write_to_it(manifest: dict[str, Any]) -> None:
    assert manifest["features"]["app_home"] == {
        "home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False,
    }  # fmt: skip
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert not manifest["settings"]["org_deploy_enabled"] and not manifest["settings"]["socket_mode_enabled"]


def test_names_fit(manifest: dict[str, Any]) -> None:
    shown = manifest["display_information"]
    assert shown["name"] == "AI営業支援エージェント"
    assert len(shown["name"]) <= 35 and len(shown["description"]) <= 140 and 175 <= len(shown["long_description"]) <= 4000
