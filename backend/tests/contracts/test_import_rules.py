"""The import rules of ``pyproject.toml`` hold, and importing does nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.config import PROJECT_ROOT

BACKEND = PROJECT_ROOT / "backend"
PACKAGES = sorted(BACKEND.glob("app/**/__init__.py"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_imports_point_downwards_and_libraries_stay_behind_their_walls() -> None:
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    checked = run("-c", program)
    assert checked.returncode == 0, checked.stdout
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.parent.relative_to(BACKEND)))
def test_a_package_file_is_empty_or_holds_the_lists_that_make_it_extensible(package: Path) -> None:
    statements = ast.parse(package.read_text(encoding="utf-8")).body
    defined = [statement for statement in statements if not isinstance(statement, ast.Import | ast.ImportFrom)]
    assert all(isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr) for statement in defined), f"{package} has behaviour"
    if any(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements):
        assert any(isinstance(statement, ast.AnnAssign | ast.Assign) for statement in defined), f"{package} only re-exports"


def test_importing_everything_opens_nothing_and_starts_nothing() -> None:
    program = """
import importlib, pathlib, socket, subprocess, sys, threading
import procrastinate  # its croniter asks the `file` program for the machine's word size
def refuse(*_, **__): raise AssertionError("importing must not do this")
socket.socket.connect = socket.socket.bind = refuse
subprocess.Popen.__init__ = refuse
before = threading.active_count()
for file in sorted(pathlib.Path("backend/app").rglob("*.py")):
    name = ".".join(file.relative_to("backend").with_suffix("").parts)
    if name not in {"app.__main__", "app.main"}:
        importlib.import_module(name.removesuffix(".__init__"))
assert threading.active_count() == before, threading.enumerate()
"""
    imported = run("-W", "error", "-c", program)
    assert imported.returncode == 0, imported.stderr[-2000:]
