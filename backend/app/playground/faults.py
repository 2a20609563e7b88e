"""Faults a test asks the small Slack to show."""

import random
from dataclasses import dataclass, field

KINDS = frozenset({
    "lost_response",  # done, but the connection breaks before the answer
    "lost_request",  # not done, and the connection breaks
    "rate_limit",  # not done: 429 with Retry-After: ``seconds``
    "server_error",  # not done: 500 with an HTML page
    "server_error_after",  # done, but 500 with an HTML page
    "delay",  # done after ``seconds``
    "slow_response",  # done at once, answered after ``seconds``
    "error",  # not done: {"ok": false, "error": ``error``}
})  # fmt: skip


@dataclass
class Fault:
    """``method`` is a Web API method or ``*``. Skips the first ``skip`` matching calls, then strikes ``times`` of them."""

    method: str
    kind: str
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    error: str = "internal_error"
    probability: float = 1.0
    channel: str | None = None
    struck: int = field(default=0)


class Faults:
    """The faults that are armed. The first that matches a call strikes."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._random = random.Random(0)  # noqa: S311 - repeatable on purpose

    def seed(self, number: int) -> None:
        self._random.seed(number)

    def add(self, method: str, kind: str, **facts: object) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {kind}")
        fault = Fault(method, kind, **facts)  # type: ignore[arg-type]
        self._armed.append(fault)
        return fault

    def clear(self) -> None:
        self._armed.clear()

    def strike(self, method: str, channel: str) -> Fault | None:
        for fault in self._armed:
            if fault.method not in {method, "*"} or fault.channel not in {None, channel} or fault.struck >= fault.times:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1.0 and self._random.random() >= fault.probability:
                continue
            fault.struck += 1
            return fault
        return None
