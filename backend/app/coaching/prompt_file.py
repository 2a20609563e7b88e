"""Instructions for a model that are not those of an answer."""

import hashlib
from functools import cache
from pathlib import Path

from app.i18n.language import Language

_FOLDER = Path(__file__).parent / "prompts"


@cache
def prompt_file(name: str, language: Language) -> tuple[str, str]:
    """The text of ``prompts/<language>/<name>.txt``, and its version, which changes with it."""
    text = (_FOLDER / language.value / f"{name}.txt").read_text(encoding="utf-8")
    return text, f"{name}-{language.value}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
