"""What users read, by key and language. Texts live in ``catalogs/<language>/<area>.toml``; code only fills the gaps."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.i18n.language import Language

CATALOGS = Path(__file__).parent / "catalogs"


def message(key: str, language: Language, **gaps: Any) -> str:
    """The text of ``area.key`` in ``language`` with its gaps filled; ``KeyError`` for a key no catalog has."""
    text = catalog(language)[key]
    return text.format(**gaps) if gaps else text


@cache
def catalog(language: Language) -> Mapping[str, str]:
    """All texts of one language as ``area.key`` → text. Read once per process."""
    texts: dict[str, str] = {}
    for file in sorted((CATALOGS / language.value).glob("*.toml")):
        texts.update(_flatten(tomllib.loads(file.read_text(encoding="utf-8")), prefix=f"{file.stem}."))
    return texts


def _flatten(table: Mapping[str, Any], *, prefix: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, prefix=f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat
