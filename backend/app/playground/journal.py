"""Keeps the small Slack's state over a restart, also after ``kill -9``: one JSON line per change, made short at each start."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

Json = dict[str, Any]


class Journal:
    """An append-only file. Each line leaves the process at once, so only a power cut can lose one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def read(self) -> Iterator[Json]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # the last line of a process that was killed while writing

    def start_over_with(self, entries: Iterable[Json]) -> None:
        """Replaces the file by a short one that says the same, then stays open for more."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        shorter = self._path.with_suffix(".new")
        with shorter.open("w", encoding="utf-8") as file:
            file.writelines(_line(entry) for entry in entries)
        shorter.replace(self._path)
        self._file = self._path.open("a", encoding="utf-8")

    def write(self, kind: str, **facts: Any) -> None:
        if self._file is None:
            return
        self._file.write(_line({"kind": kind, **facts}))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(entry: Json) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
