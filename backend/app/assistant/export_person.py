"""Everything that is kept about a person, as files for them: one JSON, and a ZIP of tables for a spreadsheet."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.clock import Clock
from app.core.encryption import Cipher
from app.people.erasure.repository import ErasureRepository
from app.people.person import Actor
from app.people.personal_data import PERSONAL_DATA
from app.storage.database import Database

Rows = Sequence[Mapping[str, Any]]

# What a spreadsheet would take for a formula (OWASP, CSV injection); also behind blanks, which some programs skip.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class ExportFile:
    """One file to hand over."""

    name: str
    content: bytes


class ExportPerson:
    """Only ever for the actor themselves."""

    def __init__(self, *, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def __call__(self, actor: Actor) -> list[ExportFile]:
        """The files, named by the day. A class without rows is in the JSON as an empty list and has no table."""
        now = self._clock.now()
        async with self._database.reading() as session:
            mine = ErasureRepository(session, self._cipher, actor.team_id, actor.user_id)
            classes = {data.name: await mine.rows_of(data) for data in PERSONAL_DATA}
        return await asyncio.to_thread(_files, classes, now)


def _files(classes: Mapping[str, Rows], now: datetime) -> list[ExportFile]:
    name = f"ai-coach-{now:%Y-%m-%d}"
    return [ExportFile(f"{name}.json", _as_json(classes, now)), ExportFile(f"{name}-csv.zip", _as_tables(classes, now))]


def _as_json(classes: Mapping[str, Rows], now: datetime) -> bytes:
    content = {"exported_at": now, "data": classes}
    return json.dumps(content, ensure_ascii=False, indent=1, default=_in_words).encode()


def _as_tables(classes: Mapping[str, Rows], now: datetime) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in classes.items():
            if rows:
                entry = zipfile.ZipInfo(f"{name.replace(' ', '_')}.csv", date_time=now.timetuple()[:6])
                archive.writestr(entry, as_csv(rows), compress_type=zipfile.ZIP_DEFLATED)
    return file.getvalue()


def as_csv(rows: Rows) -> bytes:
    """A table that a spreadsheet opens in the right encoding and never takes for a program."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else _plain(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if is_number or not text.lstrip(" \u3000").startswith(_FORMULA_STARTS) else f"'{text}"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=_in_words) if isinstance(value, list | dict) else _in_words(value)


def _in_words(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
