"""All routes of the HTTP edge that are not Slack's."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.core.config import Environment, Settings
from app.core.lifecycle import Lifecycle
from app.core.probe import Probe
from app.http.about import About
from app.http.admin_gate import AdminGate
from app.http.health import build_health_routes


def build_http_routes(settings: Settings, *, probes: Sequence[Probe], lifecycle: Lifecycle) -> APIRouter:
    """For ``app.include_router``. ``probes`` is read at each request, so it may be a list that the lifespan fills."""
    about = About(settings.app_name, settings.app_version, settings.environment.value)
    router = APIRouter()
    router.include_router(build_health_routes(about, probes, lifecycle, admin_gate(settings)))
    router.include_router(_version_routes(about, lifecycle))
    return router


def admin_gate(settings: Settings) -> AdminGate:
    """The gate of this installation; later consoles use the same."""
    return AdminGate(settings.admin_api_keys, is_open_from_loopback=settings.environment is Environment.DEVELOPMENT)


def _version_routes(about: About, lifecycle: Lifecycle) -> APIRouter:
    router = APIRouter(tags=["about"])

    @router.get("/api/version", response_class=JSONResponse)
    async def version() -> Response:
        return JSONResponse({"name": about.name, "version": about.version})

    @router.get("/v1/status", response_class=JSONResponse)
    async def status() -> Response:
        status = "draining" if lifecycle.is_draining else "ok"
        return JSONResponse({"status": status, "version": about.version, "uptime_seconds": round(lifecycle.uptime_seconds)})

    return router
