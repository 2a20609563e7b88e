"""The wall around the parsers: files from outside are taken apart in a process that may die of them.

The process has no environment, no secrets in its arguments, a folder of its own, little memory and little time. Whatever happens
to it (a crash, an endless loop, more memory than it may have) becomes a sentence about the file.
"""

import asyncio
import json
import logging
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.knowledge.importing.document import ParsedDocument, document_from_json
from app.knowledge.importing.kinds import Kind
from app.knowledge.importing.problem import NotReadable

logger = logging.getLogger(__name__)

_BACKEND = Path(__file__).parents[3]
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """``wall_seconds`` is for machines that have no time for us; what a file may cost is ``cpu_seconds``."""

    cpu_seconds: int = 4
    wall_seconds: float = 15.0
    memory_bytes: int = 768 * _MEGABYTE
    result_bytes: int = 24 * _MEGABYTE


def limits_for(kind: Kind, size: int) -> Limits:
    """Large honest files take their time; a small one that does is none. A PDF's pages are timed one by one as well."""
    cpu_seconds = 4 + 2 * (size // _MEGABYTE) if kind is not Kind.PDF else 40
    return Limits(cpu_seconds=min(cpu_seconds, 40), wall_seconds=15.0 + 2.0 * min(cpu_seconds, 40))


async def parse_in_sandbox(content: bytes, kind: Kind, limits: Limits | None = None) -> ParsedDocument:
    """The document; ``NotReadable`` with the reason, also when the parser did not survive the file."""
    limits = limits or limits_for(kind, len(content))
    with tempfile.TemporaryDirectory(prefix="import-") as folder, tempfile.TemporaryFile(dir=folder) as file:
        file.write(content)
        file.seek(0)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-s", "-P", "-m", "app.knowledge.importing.child", kind.value, str(limits.cpu_seconds),
            str(limits.memory_bytes), str(limits.result_bytes),
            stdin=file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=folder,
            env={"PYTHONPATH": str(_BACKEND), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}, close_fds=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(limits.wall_seconds):
                assert process.stdout is not None
                result = await _at_most(process.stdout, limits.result_bytes)
                code = await process.wait()
        except TimeoutError:
            code = -signal.SIGXCPU
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if code != 0:
        raise _cause_of_death(code, kind)
    return _read(result)


async def _at_most(stream: asyncio.StreamReader, most_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read(65_536):
        size += len(piece)
        if size > most_bytes:
            raise NotReadable("bomb")
        pieces.append(piece)
    return b"".join(pieces)


def _read(result: bytes) -> ParsedDocument:
    """Even the answer is not believed: who broke out of the parser may have written it."""
    try:
        answer = json.loads(result)
        if "problem" not in answer:
            return document_from_json(answer["document"])
        problem = NotReadable(str(answer["problem"]), **{str(name): value for name, value in answer["gaps"].items()})
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise NotReadable("damaged") from error
    raise problem


def _cause_of_death(code: int, kind: Kind) -> NotReadable:
    logger.warning("parser_died", extra={"kind": kind.value, "code": code})
    if code in {-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL}:
        return NotReadable("took_too_long")
    # Libraries in C end the process when they get no memory.
    return NotReadable("too_much_memory" if code in {-signal.SIGABRT, -signal.SIGSEGV} else "damaged")
