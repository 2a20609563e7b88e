"""The real application as a process that can be told to die or freeze at a named point.

``python -m tests.faults.app_process --port 9000 --orders /some/folder``

The application is not changed for this: functions at its seams are wrapped here before it starts. An order is a file named
``<point>.<signal>`` in the folder; the first process that reaches the point takes it (by renaming it) and sends itself the
signal.
"""

import argparse
import functools
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from app.assistant.answer_question import AnswerQuestion
from app.inbox.inbox import Inbox
from app.jobs import work
from app.jobs.engine import JobEngine, Pace
from app.slack.client import SlackClient

POINTS_BEFORE = {
    "before_intent": (Inbox, "intend_part"),
    "before_post": (SlackClient, "start_stream"),
    "before_draft": (Inbox, "keep_draft"),
    "before_end": (SlackClient, "stop_stream"),
    "before_finish": (Inbox, "finish"),
}
POINTS_AFTER = {
    "claimed": (Inbox, "claim"),
    "intended": (Inbox, "intend_part"),
    "posted": (SlackClient, "start_stream"),
    "recorded": (Inbox, "record_part"),
    "streaming": (SlackClient, "append_stream"),
    "draft_uncommitted": (Inbox, "keep_draft"),
    "answered": (AnswerQuestion, "__call__"),
    "ended": (SlackClient, "stop_stream"),
    "finished": (Inbox, "finish"),
}

PACE = Pace(
    stalled_after_seconds=4.0, gone_after_seconds=1.0, pulse_seconds=0.2, heartbeat_seconds=0.5, poll_seconds=0.1,
    recreate_after_seconds=5.0, grace_seconds=3.0, restart_pause_seconds=0.2,
)  # fmt: skip


class Orders:
    """What this process is to do to itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def at(self, point: str) -> None:
        for name, number in (("KILL", signal.SIGKILL), ("STOP", signal.SIGSTOP)):
            order = self._folder / f"{point}.{name}"
            if not order.exists():
                continue
            try:
                order.rename(self._folder / f"{point}.{name}.{os.getpid()}.taken")
            except FileNotFoundError:
                continue  # another process was quicker
            os.kill(os.getpid(), number)


def arm(orders: Orders) -> None:
    """Wraps the seams."""
    for point, (owner, name) in POINTS_BEFORE.items():
        setattr(owner, name, _wrapped(getattr(owner, name), lambda point=point: orders.at(point), is_before=True))
    for point, (owner, name) in POINTS_AFTER.items():
        setattr(owner, name, _wrapped(getattr(owner, name), lambda point=point: orders.at(point), is_before=False))


def _wrapped(function: Callable[..., Awaitable[Any]], reach: Callable[[], None], *, is_before: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: Any, **options: Any) -> Any:
        if is_before:
            reach()
        result = await function(*args, **options)
        if not is_before:
            reach()
        return result

    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=300)
    arguments = parser.parse_args()
    arm(Orders(arguments.orders))
    work.JobEngine = functools.partial(JobEngine, pace=PACE)  # type: ignore[misc,assignment]

    from app.main import create_app  # noqa: PLC0415 - reads the settings

    config = uvicorn.Config(
        create_app(), host="127.0.0.1", port=arguments.port, log_config=None, loop="uvloop", timeout_graceful_shutdown=2
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
