"""Questions about the health of one part each, asked side by side and never waited for longer than a moment."""

import asyncio
import logging
import os
import resource
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.core.errors import AppError

logger = logging.getLogger(__name__)

Detail = str | int | float | bool | None


@dataclass(frozen=True)
class Finding:
    """What a probe found. ``detail`` is for operators: figures and our own words, never texts or addresses with passwords."""

    is_ok: bool
    detail: Mapping[str, Detail] = field(default_factory=dict)


class Probe(Protocol):
    """One part to ask after. Without a part that ``is_required`` the process is not ready for work."""

    @property
    def name(self) -> str: ...
    @property
    def is_required(self) -> bool: ...
    async def __call__(self) -> Finding: ...


@dataclass(frozen=True)
class Asking:
    """A probe made of a function: raising means "not well"."""

    name: str
    ask: Callable[[], Awaitable[Finding]]
    is_required: bool = False

    async def __call__(self) -> Finding:
        return await self.ask()


@dataclass(frozen=True)
class Report:
    """The findings by name."""

    findings: Mapping[str, Finding]
    required: frozenset[str]

    @property
    def is_ready(self) -> bool:
        return all(self.findings[name].is_ok for name in self.required)

    @property
    def is_well(self) -> bool:
        return all(finding.is_ok for finding in self.findings.values())


async def ask_all(probes: Sequence[Probe], *, seconds: float) -> Report:
    """Asks all at once; whoever fails or has not answered after ``seconds`` is reported as not well."""
    findings = await asyncio.gather(*(_ask(probe, seconds) for probe in probes))
    names = [probe.name for probe in probes]
    required = frozenset(probe.name for probe in probes if probe.is_required)
    return Report(dict(zip(names, findings, strict=True)), required)


async def _ask(probe: Probe, seconds: float) -> Finding:
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            found = await probe()
    except TimeoutError:
        return Finding(False, {"problem": f"no answer within {seconds:g} s"})
    except (AppError, OSError) as error:
        return Finding(False, {"problem": type(error).__name__})
    except Exception:
        logger.exception("probe_failed", extra={"probe": probe.name})
        return Finding(False, {"problem": "see the log"})
    return Finding(found.is_ok, {**found.detail, "milliseconds": round((time.perf_counter() - begun) * 1000, 1)})


def disk_probe(folder: Path, *, least_free_megabytes: int = 500) -> Asking:
    """Whether there is room to write."""

    async def ask() -> Finding:
        usage = shutil.disk_usage(_existing(folder))
        free = usage.free // 2**20
        return Finding(free >= least_free_megabytes, {"free_megabytes": free, "total_megabytes": usage.total // 2**20})

    return Asking("disk", ask)


def memory_probe(*, most_megabytes: int = 1500) -> Asking:
    """What this process holds, and the load of the machine."""

    async def ask() -> Finding:
        held = resident_bytes() // 2**20
        load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
        return Finding(held <= most_megabytes, {"resident_megabytes": held, "load": load, "processors": os.cpu_count()})

    return Asking("memory", ask)


def resident_bytes() -> int:
    """Memory this process holds; where the system does not say, its highest value so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.resolve().parents) if place.exists())
