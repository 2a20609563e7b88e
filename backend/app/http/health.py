"""Whether the process lives, is ready, and how each part is."""

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.core import metrics
from app.core.lifecycle import Lifecycle
from app.core.probe import Probe, Report, ask_all
from app.http.about import About
from app.http.admin_gate import AdminGate

READY_SECONDS = 2.0
DETAIL_SECONDS = 5.0
REMEMBER_READY_SECONDS = 1.0
PREFIXES = ("/api/v1/health", "/api/health", "/health")


class Readiness:
    """Asks the required parts, at most once a second however many probes come."""

    def __init__(self, probes: Sequence[Probe], lifecycle: Lifecycle) -> None:
        self._probes = probes
        self._lifecycle = lifecycle
        self._report: Report | None = None
        self._asked = 0.0

    async def is_ready(self) -> bool:
        if self._lifecycle.is_draining:
            return False
        if self._report is None or time.monotonic() - self._asked > REMEMBER_READY_SECONDS:
            required = [probe for probe in self._probes if probe.is_required]
            self._report = await ask_all(required, seconds=READY_SECONDS)
            self._asked = time.monotonic()
        return self._report.is_ready


def build_health_routes(about: About, probes: Sequence[Probe], lifecycle: Lifecycle, gate: AdminGate) -> APIRouter:
    """``…/health``, ``…/live``, ``…/ready``, ``…/detailed`` under each prefix, and ``/metrics``."""
    router = APIRouter(tags=["health"])
    readiness = Readiness(probes, lifecycle)
    admin = Depends(gate)

    async def health() -> Response:
        return _fresh({"status": "ok", "version": about.version})

    async def live() -> Response:
        return _fresh({"status": "ok"})

    async def ready() -> Response:
        if await readiness.is_ready():
            return _fresh({"status": "ready"})
        return _fresh({"status": "draining" if lifecycle.is_draining else "not ready"}, status=503)

    async def detailed(_: Annotated[None, admin]) -> Response:
        report = await ask_all(probes, seconds=DETAIL_SECONDS)
        return _fresh(_details(about, lifecycle, report), status=200 if report.is_ready else 503)

    async def exposition(_: Annotated[None, admin]) -> Response:
        return PlainTextResponse(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    for prefix in PREFIXES:
        is_first = prefix == PREFIXES[0]
        for path, endpoint in (("", health), ("/live", live), ("/ready", ready), ("/detailed", detailed)):
            router.add_api_route(
                prefix + path, endpoint, methods=["GET", "HEAD"], include_in_schema=is_first, response_class=JSONResponse,
                operation_id=f"{endpoint.__name__}_{prefix.strip('/').replace('/', '_')}",
            )  # fmt: skip
    router.add_api_route("/metrics", exposition, methods=["GET"], response_class=PlainTextResponse)
    return router


def _details(about: About, lifecycle: Lifecycle, report: Report) -> dict[str, object]:
    return {
        "status": "ok" if report.is_well else "degraded" if report.is_ready else "down",
        "name": about.name,
        "version": about.version,
        "environment": about.environment,
        "is_draining": lifecycle.is_draining,
        "uptime_seconds": round(lifecycle.uptime_seconds, 1),
        "parts": {
            name: {"is_ok": finding.is_ok, "is_required": name in report.required, **finding.detail}
            for name, finding in report.findings.items()
        },
        "summary": metrics.get_summary(),
    }


def _fresh(body: dict[str, object] | dict[str, str], *, status: int = 200) -> Response:
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})
