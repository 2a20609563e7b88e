"""Stops asking a model that keeps failing, so that people get the next one's answer at once instead of after a wait."""

from dataclasses import dataclass

from app.core.clock import Clock

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 30.0


@dataclass
class _Circuit:
    failures: int = 0
    opened_at: float | None = None
    is_probing: bool = False


class CircuitBreaker:
    """One circuit per key (provider and model).

    Opens after :data:`FAILURES_TO_OPEN` failures in a row. After :data:`OPEN_SECONDS` one call at a time is let through;
    its success closes the circuit, its failure opens it for as long again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def admits(self, key: str) -> bool:
        """Whether a call may go out now. Who gets a yes reports with exactly one of the three methods below."""
        circuit = self._circuits.get(key)
        if circuit is None or circuit.opened_at is None:
            return True
        if circuit.is_probing or self._clock.monotonic() - circuit.opened_at < OPEN_SECONDS:
            return False
        circuit.is_probing = True
        return True

    def succeeded(self, key: str) -> None:
        self._circuits.pop(key, None)

    def failed(self, key: str) -> None:
        circuit = self._circuits.setdefault(key, _Circuit())
        circuit.failures += 1
        circuit.is_probing = False
        if circuit.opened_at is not None or circuit.failures >= FAILURES_TO_OPEN:
            circuit.opened_at = self._clock.monotonic()

    def abandoned(self, key: str) -> None:
        """The call ended without saying anything about the model's health, such as a person's stop."""
        if circuit := self._circuits.get(key):
            circuit.is_probing = False

    def is_open(self, key: str) -> bool:
        circuit = self._circuits.get(key)
        return circuit is not None and circuit.opened_at is not None
