"""What is known of a model, from ``models.toml``."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from app.llm.pricing import Price

MODELS = Path(__file__).parent / "models.toml"


@dataclass(frozen=True)
class ModelTraits:
    """How one model wants to be asked. The fields are explained at the top of ``models.toml``."""

    context_tokens: int
    token_parameter: str
    takes_temperature: bool
    effort: str | None = None
    thinking_tokens: int = 0
    price: Price | None = None


def traits_of(provider: str, model: str) -> ModelTraits:
    """Of a model nobody has described: the cautious defaults of its provider."""
    known = _file()["providers"].get(provider, _file()["providers"]["openai_compatible"])
    own: dict[str, Any] = next(
        (entry for entry in _file()["models"] if entry["provider"] == provider and _fits(entry, model)), {}
    )
    values = {name: value for name, value in {**known, **own}.items() if name not in {"default_model", "match", "provider"}}
    price = values.pop("price", None)
    return ModelTraits(**values, price=Price(**price) if price else None)


def default_model_of(provider: str) -> str | None:
    known = _file()["providers"].get(provider)
    return None if known is None else str(known["default_model"])


def vendor_of(model: str) -> str | None:
    """The provider whose model this is by its name, when we know it."""
    return next((str(entry["provider"]) for entry in _file()["models"] if _fits(entry, model)), None)


def _fits(entry: dict[str, Any], model: str) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in entry["match"])


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(MODELS.read_text(encoding="utf-8"))
