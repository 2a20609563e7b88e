"""What happened in the small Slack, in order: every call, every visible change, every delivery. Checkers read it afterwards."""

from collections import Counter
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


class Record:
    """An append-only list of plain dictionaries, each with ``at`` (seconds) and ``kind``.

    ``call``     method, team, channel, ts, thread_ts, ok, error, is_done (took effect, even when the answer was lost)
    ``visible``  change (posted, updated, deleted, stream_started, streamed, stream_stopped, stream_expired, stream_cut,
                 ephemeral, home), team, channel, ts, thread_ts, by, text; ``streamed`` carries only the text that was added
    ``delivery`` type, event_id, attempt, status, seconds, error
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.entries: list[Json] = []
        self.calls_per_method: Counter[str] = Counter()
        self.refusals_per_method: Counter[str] = Counter()
        self.is_on = True

    def call(self, method: str, **facts: Any) -> None:
        self.calls_per_method[method] += 1
        if not facts.get("ok"):
            self.refusals_per_method[method] += 1
        self._append("call", method=method, **facts)

    def visible(self, change: str, **facts: Any) -> None:
        self._append("visible", change=change, **facts)

    def delivery(self, **facts: Any) -> None:
        self._append("delivery", **facts)

    def of(self, kind: str, **wanted: Any) -> list[Json]:
        """Entries of one kind whose fields equal ``wanted``, oldest first."""
        return [
            entry
            for entry in self.entries
            if entry["kind"] == kind and all(entry.get(name) == value for name, value in wanted.items())
        ]

    def clear(self) -> None:
        self.entries.clear()
        self.calls_per_method.clear()
        self.refusals_per_method.clear()

    def _append(self, kind: str, **facts: Any) -> None:
        if self.is_on:
            self.entries.append({"at": self._now(), "kind": kind, **facts})
