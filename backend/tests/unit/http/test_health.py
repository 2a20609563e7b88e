"""Health, metrics and version answers, and who may see them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.core.clock import SystemClock
from app.core.config import Environment, Settings
from app.core.errors import StorageUnavailable
from app.core.lifecycle import Lifecycle
from app.core.probe import Asking, Finding, Probe, ask_all
from app.http.errors import error_handlers
from app.http.routes import build_http_routes
from app.i18n.language import Language

KEY = "an-administrators-key"


@dataclass(frozen=True)
class Given:
    """A running edge and what a caller sends."""

    probes: Sequence[Probe] = ()
    environment: Environment = Environment.STAGING
    keys: tuple[str, ...] = (KEY,)
    client: str = "203.0.113.9"
    host: str = "bot.example.com"
    lifecycle: Lifecycle | None = None

    async def get(self, path: str, headers: dict[str, str | bytes] | None = None) -> Any:
        settings = Settings(
            _env_file=None, environment=self.environment, admin_api_keys=tuple(SecretStr(key) for key in self.keys)
        )  # type: ignore[call-arg]
        app = FastAPI(exception_handlers=error_handlers(Language.JAPANESE), docs_url=None, redoc_url=None, openapi_url=None)
        lifecycle = self.lifecycle or Lifecycle(SystemClock())
        app.include_router(build_http_routes(settings, probes=self.probes, lifecycle=lifecycle))
        transport = httpx2.ASGITransport(app=app, client=(self.client, 40000))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{self.host}") as client:
            return await client.get(path, headers=headers or {})


def well(name: str, *, is_required: bool = False) -> Asking:
    async def ask() -> Finding:
        return Finding(True, {"version": "18.6"})

    return Asking(name, ask, is_required)


def ill(name: str, *, is_required: bool = False) -> Asking:
    async def ask() -> Finding:
        raise StorageUnavailable("postgresql://user:a-password@host is away")

    return Asking(name, ask, is_required)


@pytest.mark.parametrize("prefix", ["/health", "/api/health", "/api/v1/health"])
async def test_health_and_liveness_depend_on_nothing(prefix: str) -> None:
    given = Given(probes=[ill("database", is_required=True)])
    assert (await given.get(prefix)).json()["status"] == "ok"
    assert (await given.get(prefix + "/live")).status_code == 200


@pytest.mark.parametrize("prefix", ["/health", "/api/health", "/api/v1/health"])
async def test_it_is_not_ready_while_a_required_part_is_away(prefix: str) -> None:
    assert (await Given(probes=[ill("database", is_required=True), well("redis")]).get(prefix + "/ready")).status_code == 503
    assert (await Given(probes=[well("database", is_required=True), ill("redis")]).get(prefix + "/ready")).status_code == 200


async def test_it_is_not_ready_while_draining() -> None:
    answer = await Given(lifecycle=Lifecycle(SystemClock(), is_draining=True)).get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "draining"})


CLOSED = ["/metrics", "/health/detailed", "/api/health/detailed", "/api/v1/health/detailed"]


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"x-api-key": ""},
        {"x-api-key": b"\xe1\xff"},
        {"x-forwarded-for": "127.0.0.1"},
    ],
)
async def test_details_and_metrics_are_closed_without_a_key(path: str, headers: dict[str, str | bytes]) -> None:
    answer = await Given().get(path, {**headers, "accept-language": "en"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json() == {"error": "not_authenticated", "message": "An administrator's API key is needed."}


@pytest.mark.parametrize("path", CLOSED)
async def test_each_live_key_opens_them(path: str) -> None:
    given = Given(keys=("the-old-key", KEY))
    assert (await given.get(path, {"authorization": f"Bearer {KEY}"})).status_code == 200
    assert (await given.get(path, {"authorization": "bearer the-old-key"})).status_code == 200
    assert (await given.get(path, {"x-api-key": KEY})).status_code == 200


async def test_an_empty_key_in_the_settings_opens_nothing() -> None:
    assert (await Given(keys=("",)).get("/metrics", {"x-api-key": ""})).status_code == 401
    assert (await Given(keys=()).get("/metrics", {"authorization": "Bearer "})).status_code == 401


async def test_a_developers_own_machine_needs_no_key() -> None:
    local = Given(environment=Environment.DEVELOPMENT, client="127.0.0.1", host="localhost:8000")
    assert (await local.get("/metrics")).status_code == 200
    assert (await local.get("/metrics", {"x-forwarded-for": "203.0.113.9"})).status_code == 401
    assert (await replace(local, host="evil.example").get("/metrics")).status_code == 401
    assert (await replace(local, client="192.0.2.1").get("/metrics")).status_code == 401
    for environment in (Environment.TEST, Environment.STAGING):
        assert (await replace(local, environment=environment).get("/metrics")).status_code == 401


async def test_details_name_each_part_and_leak_nothing() -> None:
    given = Given(probes=[well("redis"), ill("database", is_required=True)])
    answer = await given.get("/api/v1/health/detailed", {"x-api-key": KEY})
    body = answer.json()
    assert answer.status_code == 503
    assert body["status"] == "down"
    assert body["parts"]["redis"]["is_ok"] is True
    assert body["parts"]["redis"]["version"] == "18.6"
    assert body["parts"]["database"] == {"is_ok": False, "is_required": True, "problem": "StorageUnavailable"}
    assert "password" not in answer.text
    assert "llm_calls" in body["summary"]


async def test_a_missing_part_that_is_not_required_only_degrades() -> None:
    answer = await Given(probes=[ill("slack")]).get("/health/detailed", {"x-api-key": KEY})
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_a_probe_that_hangs_is_cut_off() -> None:
    async def hang() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    report = await ask_all([Asking("slow", hang, is_required=True), well("quick")], seconds=0.01)
    assert not report.is_ready
    assert report.findings["quick"].is_ok


async def test_version_and_status_are_short() -> None:
    assert set((await Given().get("/api/version")).json()) == {"name", "version"}
    assert set((await Given().get("/v1/status")).json()) == {"status", "version", "uptime_seconds"}
