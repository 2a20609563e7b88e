"""Documents speak of what exists: links, files, make targets, commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

from app.cli import cli
from app.core.config import PROJECT_ROOT

DOCUMENTS = sorted([*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")

# Programs of the system that a document may use; what they do is not ours to check.
SYSTEMS_OWN = {"cp", "cd", "git", "curl", "openssl", "export", "ls", "cat", "grep", "mkdir", "sudo", "psql", "createdb"}
OURS = {
    "make",
    "sales-agent",
    "python",
    "python3",
    "pip",
    "alembic",
    "gunicorn",
    "source",
    ".venv/bin/sales-agent",
    ".venv/bin/python",
}


class Command(NamedTuple):
    document: Path
    words: tuple[str, ...]


def commands() -> Iterator[Command]:
    for document in DOCUMENTS:
        for block in BLOCK.findall(document.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\||;", line.split(" #")[0]):
                    words = [word for word in shlex.split(part, comments=True) if word]
                    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                        words.pop(0)
                    if words:
                        yield Command(document, tuple(words))


COMMANDS = sorted(set(commands()))


def identify(value: object) -> str:
    return f"{value.document.name}: {' '.join(value.words)}" if isinstance(value, Command) else str(value)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS, ids=identify)
def test_a_command_in_a_document_exists(command: Command) -> None:
    program, *words = command.words
    assert program in SYSTEMS_OWN | OURS or (PROJECT_ROOT / program).exists(), f"{program} is neither ours nor the system's"
    if program == "make":
        targets = [word for word in words if "=" not in word and not word.startswith("-")]
        assert set(targets) <= make_targets()
    elif program.endswith("sales-agent") or words[:2] == ["-m", "app"]:
        knows_subcommand(words[2:] if words[:2] == ["-m", "app"] else words)
    elif program in {"python", "python3", ".venv/bin/python"} and words and not words[0].startswith("-"):
        assert any((base / words[0]).exists() for base in (PROJECT_ROOT, PROJECT_ROOT / "backend")), f"no file {words[0]}"
    elif program == "cp":
        assert (PROJECT_ROOT / words[0]).exists()


def knows_subcommand(words: list[str]) -> None:
    """Follows the words through the command line; every option must be one it takes."""
    command = get_command(cli)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(command, "commands"), f"{words} does not name a command"
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word.split("=")[0] for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for found in LINK.finditer(text):
        target = found[1] or found[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{document.name} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors_of(file), f"{document.name} links to {target}"


def anchors_of(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_every_make_target_is_explained_at_the_top_of_the_makefile() -> None:
    text = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    introduction = text[: text.index("\n\n")]
    assert {target for target in make_targets() if target != "install-dev"} <= set(re.findall(r"[a-z]+", introduction))
