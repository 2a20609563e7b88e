"""The inside of the sandbox: a process that reads one file from its input, writes one JSON line, and can do nothing else.

``python -m app.knowledge.importing.child KIND CPU_SECONDS MEMORY_BYTES RESULT_BYTES``, started by ``sandbox``.
"""

import ctypes
import json
import os
import resource
import sys
from typing import Any

from app.knowledge.importing.kinds import LARGEST_FILE, Kind
from app.knowledge.importing.parsers import parse
from app.knowledge.importing.problem import NotReadable

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_REFUSED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.kill", "os.remove",
            "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "shutil.",
            "urllib.", "ctypes.dlopen", "ctypes.dlsym", "ftplib.", "http.client.", "smtplib.", "webbrowser.")  # fmt: skip


def main(kind: str, cpu_seconds: str, memory_bytes: str, result_bytes: str) -> None:
    sys.modules["numpy"] = None  # type: ignore[assignment]  # openpyxl would load it, with its threads and their memory
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no result
    _be_limited(int(cpu_seconds), int(memory_bytes), int(result_bytes))
    out.write(json.dumps(_result(Kind(kind))))  # in ASCII: broken files hold halves of characters
    out.flush()
    os._exit(0)  # nothing of the file gets to run while the interpreter tidies up


def _result(kind: Kind) -> dict[str, Any]:
    try:
        content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        return {"document": json.loads(parse(content, kind).to_json())}
    except NotReadable as problem:
        return {"problem": problem.reason, "gaps": problem.gaps}
    except MemoryError:
        return {"problem": "too_much_memory", "gaps": {}}
    except RecursionError:
        return {"problem": "bomb", "gaps": {}}
    except Exception:  # noqa: BLE001 - libraries raise whatever they like about a broken file
        return {"problem": "damaged", "gaps": {}}


def _be_limited(cpu_seconds: int, memory_bytes: int, result_bytes: int) -> None:
    """Limits that the kernel keeps, then a refusal of everything a parser has no business with."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # no network at all, where the kernel lets us
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, result_bytes),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (allowed, allowed))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED) or (event == "open" and (_is_for_writing(arguments) or _is_of_others(arguments))):
        raise PermissionError(event)


def _is_of_others(arguments: tuple[Any, ...]) -> bool:
    """What the kernel tells about processes: the environment of ours is full of secrets."""
    return str(arguments[0]).startswith("/proc/")


def _is_for_writing(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


if __name__ == "__main__":
    main(*sys.argv[1:])
