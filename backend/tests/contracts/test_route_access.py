"""Every route is in this table, and strangers get from it what the table says (threat T14)."""

from collections.abc import AsyncIterator, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.routing import Mount

from app.core.config import Environment, Settings
from app.main import create_app

KEY = "an-administrators-key"
STRANGER = ("203.0.113.9", 40000)


class Access(Enum):
    """Who may call a route."""

    EVERYBODY = "answers without a key and says next to nothing"
    ADMIN = "401 without one of ADMIN_API_KEYS"
    SLACK = "401 without Slack's signature"
    DEVELOPMENT = "absent in production"
    CONSOLE = "the sign-in page with 401 without one of ADMIN_API_KEYS or the cookie that proves one"
    DOOR = "leads to the sign-in page and shows nothing"


HEALTH = [f"{prefix}/health{part}" for prefix in ("", "/api", "/api/v1") for part in ("", "/live", "/ready")]
ACCESS = {
    **dict.fromkeys(HEALTH, Access.EVERYBODY),
    "/api/version": Access.EVERYBODY,
    "/v1/status": Access.EVERYBODY,
    "/health/detailed": Access.ADMIN,
    "/api/health/detailed": Access.ADMIN,
    "/api/v1/health/detailed": Access.ADMIN,
    "/metrics": Access.ADMIN,
    "/api/v1/slack/events": Access.SLACK,
    "/api/v1/slack/commands": Access.SLACK,
    "/api/v1/slack/interactive": Access.SLACK,
    "/docs": Access.DEVELOPMENT,
    "/docs/oauth2-redirect": Access.DEVELOPMENT,
    "/openapi.json": Access.DEVELOPMENT,
    "/playground": Access.DEVELOPMENT,
    "/console": Access.DOOR,
    "/console/static": Access.DOOR,
    "/console/sign-in": Access.DOOR,
    "/console/sign-out": Access.DOOR,
    "/console/knowledge": Access.CONSOLE,
    "/console/knowledge/new": Access.CONSOLE,
    "/console/knowledge/import": Access.CONSOLE,
    "/console/knowledge/{entry:int}": Access.CONSOLE,
    "/console/knowledge/{entry:int}/edit": Access.CONSOLE,
    "/console/knowledge/{entry:int}/compare": Access.CONSOLE,
    "/console/knowledge/{entry:int}/publish": Access.CONSOLE,
    "/console/knowledge/{entry:int}/archive": Access.CONSOLE,
    "/console/knowledge/{entry:int}/roll-back": Access.CONSOLE,
}


def routes_of(routes: Any, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Paths and methods, through routers that were included and whatever is mounted."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from routes_of(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            yield prefix + route.path, {"GET"}
        else:
            yield prefix + route.path, set(route.methods or ())


@pytest.fixture
async def app(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The whole application as a developer runs it, with the playground."""
    settings = Settings(
        _env_file=None, environment=Environment.DEVELOPMENT, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url),
        data_directory=tmp_path, admin_api_keys=(SecretStr(KEY),), embedding_provider="none",
    )  # type: ignore[call-arg]  # fmt: skip
    app = create_app(settings, playground_address="http://127.0.0.1:9")
    async with app.router.lifespan_context(app):
        yield app


async def call(app: FastAPI, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
    transport = httpx2.ASGITransport(app=app, client=STRANGER)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bot.example") as client:
        return await client.request(method, path, headers=headers)


async def test_every_route_is_in_the_table_and_keeps_to_it(app: FastAPI) -> None:
    routes: dict[str, set[str]] = {}
    for path, methods in routes_of(app.routes):
        routes[path] = routes.get(path, set()) | methods
    assert set(routes) == set(ACCESS)
    for path, methods in routes.items():
        for method in methods - {"HEAD", "OPTIONS"}:
            answer = await call(app, method, path.replace("{entry:int}", "1"))
            match ACCESS[path]:
                case Access.ADMIN | Access.SLACK:
                    assert answer.status_code == 401, path
                case Access.CONSOLE:
                    assert answer.status_code == 401 and 'name="key"' in answer.text, path
                case Access.DOOR:
                    assert answer.status_code in {303, 307, 401, 404}, path
                case Access.EVERYBODY:
                    assert answer.status_code == 200, path
                    assert set(answer.json()) <= {"status", "version", "name", "uptime_seconds"}, path
    for path in (path for path, access in ACCESS.items() if access is Access.ADMIN):
        assert (await call(app, "GET", path, {"x-api-key": KEY})).status_code == 200


async def test_an_unknown_path_is_nothing(app: FastAPI) -> None:
    for path in ("/admin", "/.env", "/api/v1/slack/other", "/debug", "/api"):
        assert (await call(app, "GET", path)).status_code == 404, path


def test_production_has_neither_documentation_pages_nor_the_playground() -> None:
    settings = Settings(
        _env_file=None, environment=Environment.PRODUCTION, database_url="postgresql://u:p@h/d", redis_url="redis://h",
        slack_bot_token="xoxb-an-example", slack_signing_secret="an-example", secret_key="k" * 40,
    )  # type: ignore[call-arg]  # fmt: skip
    paths = dict(routes_of(create_app(settings).routes))
    assert not {path for path in paths if ACCESS[path] is Access.DEVELOPMENT}
