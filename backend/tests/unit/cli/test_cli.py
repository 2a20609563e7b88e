"""The command line, as a person meets it."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.checkup import check_up, wanted_scopes
from app.core.config import Settings
from app.core.encryption import parse_keys
from app.core.errors import ConfigurationError
from app.i18n.language import Language
from app.i18n.messages import catalog
from app.serving import bind, gunicorn_command, missing_servers

BACKEND = Path(__file__).parents[3]


def sales_agent(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(BACKEND),
        "PYTHONUTF8": "1",
        "DATA_DIRECTORY": str(folder / "data"),
    }
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=folder, env=surroundings | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


COMMANDS = ["", "demo", "serve", "worker", "check", "migrate", "keys new", "knowledge import", "knowledge seed", "models list"]


@pytest.mark.parametrize("words", [command.split() for command in COMMANDS], ids=COMMANDS)
def test_every_command_explains_itself(words: list[str], tmp_path: Path) -> None:
    explained = sales_agent(*words, "--help", folder=tmp_path)
    assert explained.returncode == 0, explained.stderr
    assert "Usage:" in explained.stdout


def test_a_wrong_setting_is_said_in_one_line_without_a_trace(tmp_path: Path) -> None:
    refused = sales_agent("serve", folder=tmp_path, ENVIRONMENT="production")
    assert refused.returncode == 2
    assert "DATABASE_URL is missing" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_demo_does_not_start_in_production(tmp_path: Path) -> None:
    complete = {
        "ENVIRONMENT": "production", "DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://h", "SECRET_KEY": "k" * 40,
        "SLACK_BOT_TOKEN": "xoxb-an-example", "SLACK_SIGNING_SECRET": "an-example",
    }  # fmt: skip
    refused = sales_agent("demo", folder=tmp_path, LANG="en_US.UTF-8", **complete)
    assert refused.returncode == 2
    assert "sales-agent serve" in refused.stderr


def test_a_new_key_can_be_used(tmp_path: Path) -> None:
    made = [sales_agent("keys", "new", folder=tmp_path).stdout for _ in range(2)]
    values = [re.search(r"^ENCRYPTION_KEYS=(.+)$", text, re.MULTILINE) for text in made]
    keys = [key for value in values if value for key in parse_keys(value[1]).values()]
    assert len(set(keys)) == 2
    assert {len(key) for key in keys} == {32}


def test_check_says_more_than_five_things_in_japanese_unless_the_terminal_speaks_otherwise(tmp_path: Path) -> None:
    japanese = sales_agent("check", folder=tmp_path, LANG="C.UTF-8")
    english = sales_agent("check", folder=tmp_path, LANG="en_GB.UTF-8")
    assert (japanese.returncode, english.returncode) == (0, 0), japanese.stdout
    assert japanese.stdout.count("✅") >= 5
    assert "すべて揃っています" in japanese.stdout
    assert "Everything is there." in english.stdout


def test_check_finds_what_is_wrong_and_says_so_to_people_and_programs(tmp_path: Path) -> None:
    wrong = {"DATABASE_URL": "postgresql://someone:CANARY-password@127.0.0.1:1/none", "LANG": "en_GB.UTF-8"}
    told = sales_agent("check", folder=tmp_path, **wrong)
    assert told.returncode == 1
    assert "❌ PostgreSQL: cannot be reached" in told.stdout
    counted = json.loads(sales_agent("check", "--json", folder=tmp_path, **wrong).stdout)
    assert counted["ok"] is False
    assert {part["part"] for part in counted["checks"] if not part["ok"]} == {"database"}
    assert "CANARY" not in told.stdout + told.stderr


def test_check_names_each_wrong_setting(tmp_path: Path) -> None:
    told = sales_agent("check", folder=tmp_path, ENVIRONMENT="production", LANG="en_GB.UTF-8")
    assert told.returncode == 1
    for name in ("DATABASE_URL", "REDIS_URL", "SLACK_BOT_TOKEN", "SECRET_KEY"):
        assert re.search(rf"❌ .*{name}", told.stdout), told.stdout


@pytest.fixture
async def slack() -> AsyncIterator[dict[str, Any]]:
    """Slack's auth.test; what it says can be changed."""
    says: dict[str, Any] = {"body": {"ok": True, "team": "営業部", "team_id": "T1"}, "scopes": ",".join(wanted_scopes())}

    async def auth_test(request: web.Request) -> web.Response:
        says["token"] = request.headers["Authorization"]
        return web.json_response(says["body"], headers={"x-oauth-scopes": says["scopes"]})

    app = web.Application()
    app.router.add_post("/api/auth.test", auth_test)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    says["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield says
    await runner.cleanup()


async def slack_lines(slack: dict[str, Any], tmp_path: Path) -> list[tuple[bool, str]]:
    settings = Settings(
        _env_file=None,
        data_directory=tmp_path,
        slack_bot_token="xoxb-an-example",
        slack_signing_secret="x",
        slack_api_url=slack["url"],
    )  # type: ignore[call-arg]
    lines = await check_up(settings, ask_slack=True)
    return [(line.is_ok, line.key.rpartition(".")[2]) for line in lines if line.part == "slack"]


async def test_check_asks_slack_for_the_token_and_its_scopes(slack: dict[str, Any], tmp_path: Path) -> None:
    assert await slack_lines(slack, tmp_path) == [(True, "slack_ok"), (True, "slack_scopes_ok")]
    assert slack["token"] == "Bearer xoxb-an-example"
    slack["scopes"] = "chat:write"
    assert await slack_lines(slack, tmp_path) == [(True, "slack_ok"), (False, "slack_scopes_missing")]
    slack["body"] = {"ok": False, "error": "invalid_auth"}
    assert await slack_lines(slack, tmp_path) == [(False, "slack_refused")]


async def test_check_survives_a_slack_that_cannot_be_reached(tmp_path: Path) -> None:
    assert await slack_lines({"url": "http://127.0.0.1:1/api/"}, tmp_path) == [(False, "slack_failed")]


def test_every_line_of_check_has_its_text_in_every_language() -> None:
    used = set(re.findall(r'_(?:good|bad)\("\w+", "(\w+)"', (BACKEND / "app" / "checkup.py").read_text(encoding="utf-8")))
    assert len(used) > 15
    for language in Language:
        assert {f"operations.check.{key}" for key in used} <= set(catalog(language))


def test_a_port_in_use_is_named_or_the_next_one_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"PORT {port} is in use"):
            bind("127.0.0.1", port)
        with bind("127.0.0.1", port, tries=50) as listening:
            assert listening.getsockname()[1] > port


def test_only_what_has_no_address_is_started() -> None:
    assert missing_servers(Settings(_env_file=None)) == (True, True)  # type: ignore[call-arg]
    assert missing_servers(Settings(_env_file=None, database_url="postgresql://h/d", redis_host="h")) == (False, False)  # type: ignore[call-arg]


@pytest.mark.parametrize(("workers", "expected"), [("3", "3"), ("3 # three", "3")])
def test_gunicorn_takes_its_numbers_from_the_settings(workers: str, expected: str, tmp_path: Path) -> None:
    printed = subprocess.run(
        [*gunicorn_command("--print-config")], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND), "WORKERS": workers, "KEEPALIVE": "7", "PORT": "8123"},
    )  # fmt: skip
    options = dict(re.findall(r"^(\w+)\s+= (.+)$", printed.stdout, re.MULTILINE))
    assert options["workers"] == expected, printed.stderr
    assert options["keepalive"] == "7"
    assert "8123" in options["bind"]
    assert "uvicorn_worker" in options["worker_class"]
    assert options["control_socket_disable"] == "True"
