"""Writes .env.example and the table of docs/how_to/configure.md from the settings. Run it after changing core/config.py.

python backend/scripts/describe_settings.py
"""

import re
from collections.abc import Iterator
from pathlib import Path

from app.core.config import PROJECT_ROOT, Settings

CONFIG = PROJECT_ROOT / "backend" / "app" / "core" / "config.py"
EXAMPLE = PROJECT_ROOT / ".env.example"
PAGE = PROJECT_ROOT / "docs" / "how_to" / "configure.md"
PAGES_TABLE = "## All settings\n"
DEPENDS_ON_THE_PLACE = {"app_version", "data_directory"}  # their defaults are not the same everywhere

INTRODUCTION = """\
# Copy this file to .env and fill in what you need; every line may also be left out. Real environment variables win over it.
# What each one means, and which ones production cannot do without: docs/how_to/configure.md
"""


def groups() -> Iterator[tuple[str, list[str]]]:
    """The fields under the comments that head them in the class."""
    text = CONFIG.read_text(encoding="utf-8")
    body = text[text.index("class Settings(") : text.index("    @field_validator")]
    for section in re.split(r"^    # (?=[A-Z])", body, flags=re.MULTILINE)[1:]:
        yield section.partition("\n")[0], re.findall(r"^    (\w+): ", section, re.MULTILINE)


def names_of(field: str) -> list[str]:
    alias = Settings.model_fields[field].validation_alias
    return [str(choice) for choice in getattr(alias, "choices", [alias])] if alias else [field.upper()]


def sentence_of(field: str) -> str:
    return Settings.model_fields[field].description or ""


def default_of(field: str) -> str:
    default = Settings.model_fields[field].default
    if default is None or field in DEPENDS_ON_THE_PLACE:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def example() -> str:
    lines = [INTRODUCTION]
    for title, fields in groups():
        lines.append(f"# --- {title}")
        for field in fields:
            value = default_of(field)
            quoted = f'"{value}"' if re.search(r"[\s#;]", value) else value
            lines += [f"# {sentence_of(field)}", f"{names_of(field)[0]}={quoted}"]
        lines.append("")
    return "\n".join(lines)


def table() -> str:
    lines = [PAGES_TABLE]
    for title, fields in groups():
        lines += [f"### {title}", "", "| variable | default | meaning |", "| --- | --- | --- |"]
        lines += [row_of(field) for field in fields]
        lines.append("")
    return "\n".join(lines)


def row_of(field: str) -> str:
    first, *others = names_of(field)
    default = f"`{default_of(field)}`" if default_of(field) else "–"
    also = " Also read as " + ", ".join(f"`{name}`" for name in others) + "." if others else ""
    return f"| `{first}` | {default} | {sentence_of(field).replace('|', chr(92) + '|')}{also} |"


def rewrite(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    print(file.relative_to(PROJECT_ROOT))


if __name__ == "__main__":
    rewrite(EXAMPLE, example())
    rewrite(PAGE, PAGE.read_text(encoding="utf-8").partition(PAGES_TABLE)[0] + table().rstrip() + "\n")
