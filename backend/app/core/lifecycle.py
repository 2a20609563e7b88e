"""Where the process stands between its start and its end."""

from dataclasses import dataclass, field

from app.core.clock import Clock


@dataclass
class Lifecycle:
    """One per process. ``is_draining`` turns true when the process has been asked to stop and only finishes what it has."""

    clock: Clock
    is_draining: bool = False
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    @property
    def uptime_seconds(self) -> float:
        return self.clock.monotonic() - self.started
