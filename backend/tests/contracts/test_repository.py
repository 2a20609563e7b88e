"""What must not be in the repository, whoever put it there."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from app.core.config import PROJECT_ROOT

THIS_FILE = Path(__file__).relative_to(PROJECT_ROOT).as_posix()
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".html", ".js", ".css", ".json", ".example", ".txt", ".ini", ".mako", ""}

FORBIDDEN = {
    "a real-looking Slack token": r"xox[abeoprs]-\d{9,}-\d{9,}-[A-Za-z0-9]{20,}",
    "a real-looking model key": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{40,}",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}",
    "a merge conflict": r"^(?:<{7}|>{7}) ",
    "a debugger": r"^\s*(?:breakpoint\(\)|import pdb|import ipdb)",
    "somebody's home folder": r"/(?:home|Users)/(?!nobody\b)[a-z][a-z0-9_-]+/",
    "a to-do without an issue": r"(?:#|//|<!--) ?TODO\b(?!\(#\d+\))",
    "a switched-off import check": r"# type: ignore\s*$",
}


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.decode().split("\0") if name and name != THIS_FILE]


def texts() -> dict[str, str]:
    files = [PROJECT_ROOT / name for name in tracked_files() if not name.startswith("requirements/")]
    readable = [file for file in files if file.suffix in TEXT and file.is_file() and file.stat().st_size < 2_000_000]
    return {file.relative_to(PROJECT_ROOT).as_posix(): file.read_text(encoding="utf-8", errors="ignore") for file in readable}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_nothing_forbidden_is_in_the_repository(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    assert [name for name, text in texts().items() if pattern.search(text)] == []


def test_secrets_and_data_are_ignored_by_git() -> None:
    for name in (".env", ".data/secret.key", ".venv/bin/python"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=PROJECT_ROOT, check=False)
        if ignored.returncode == 128:
            pytest.skip("not a git checkout")
        assert ignored.returncode == 0, f"{name} is not ignored"


def test_the_locks_name_hashes_for_everything() -> None:
    for lock in sorted((PROJECT_ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert packages
        assert [package.splitlines()[0] for package in packages if "--hash=sha256:" not in package] == []
        assert "://" not in text, f"{lock.name} names an index"


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def normal(requirement: str) -> str:
        return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")

    app = (PROJECT_ROOT / "requirements" / "app.lock").read_text(encoding="utf-8")
    dev = (PROJECT_ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *extras["embedded"], *extras["build"]]:
        assert re.search(rf"^{re.escape(normal(requirement))}==", app, re.MULTILINE), (
            f"make lock: {requirement} is not in app.lock"
        )
    for requirement in extras["dev"]:
        if normal(requirement) != "ai-sales-agent":
            assert re.search(rf"^{re.escape(normal(requirement))}==", dev, re.MULTILINE), (
                f"make lock: {requirement} is not in dev.lock"
            )
    pins = re.compile(r"^[a-z0-9.-]+==[^ ]+", re.MULTILINE)  # some packages have several, for several Pythons
    assert set(pins.findall(app)) - set(pins.findall(dev)) == set()
