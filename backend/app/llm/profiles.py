"""Named ways of asking a model: which one, how long, how freely. Read from the settings at the start, and checked there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.llm.providers import OFFLINE, PROVIDERS
from app.llm.providers.kind import ProviderKind
from app.llm.traits import ModelTraits, default_model_of, traits_of, vendor_of

DEFAULT = "default"
_FIELDS = {"provider", "model", "temperature", "max_tokens", "context_tokens"}


@dataclass(frozen=True)
class ModelProfile:
    """One named way. ``temperature`` is ``None`` where the model does not take it."""

    name: str
    provider: str
    model: str
    temperature: float | None
    max_tokens: int
    context_tokens: int
    traits: ModelTraits

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True)
class Profiles:
    """All profiles, and the ones to fall back to in order."""

    by_name: Mapping[str, ModelProfile]
    fallbacks: tuple[str, ...] = ()

    @property
    def default(self) -> ModelProfile:
        return self.by_name[DEFAULT]

    def chain(self, name: str) -> tuple[ModelProfile, ...]:
        """The profile of that name (the default one when nobody configured it), then the fallbacks, no model twice."""
        wanted = (self.by_name.get(name, self.default), *(self.by_name[other] for other in self.fallbacks))
        once: dict[str, ModelProfile] = {}
        for profile in wanted:
            once.setdefault(profile.key, profile)
        return tuple(once.values())

    @property
    def providers(self) -> frozenset[str]:
        return frozenset(profile.provider for profile in self.by_name.values())


def profiles_from(settings: Settings) -> Profiles:
    """``ConfigurationError`` with the variable's name for everything that could not work."""
    configured = {kind.name: kind for kind in PROVIDERS if kind.is_configured(settings)}
    default = _default_provider(settings, configured)
    if default == OFFLINE:
        return Profiles({DEFAULT: _profile(settings, DEFAULT, {"provider": OFFLINE})})
    # Each configured provider is also a profile of its own name, so that a fallback needs no more than that name.
    by_name = {name: _profile(settings, name, {"provider": name}) for name in configured if name != OFFLINE}
    by_name[DEFAULT] = _profile(
        settings, DEFAULT, {"provider": default, **({"model": settings.llm_model} if settings.llm_model else {})}
    )
    for name, given in _named_profiles(settings).items():
        provider = _checked_provider("LLM_PROFILES", str(given.get("provider", default)), configured)
        by_name[name] = _profile(settings, name, {**given, "provider": provider})
    if unknown := [name for name in settings.llm_fallbacks if name not in by_name]:
        raise ConfigurationError(
            f"LLM_FALLBACKS names {unknown[0]!r}, which is no profile: known are {', '.join(sorted(by_name))}"
        )
    return Profiles(by_name, settings.llm_fallbacks)


def has_model(settings: Settings) -> bool:
    """False: every answer is by rules."""
    return profiles_from(settings).default.provider != OFFLINE


def _default_provider(settings: Settings, configured: Mapping[str, ProviderKind]) -> str:
    if settings.use_mock_llm:
        return OFFLINE
    if settings.llm_provider:
        return _checked_provider("LLM_PROVIDER", settings.llm_provider, configured)
    # A model's name says whose it is, when several are configured.
    owner = vendor_of(settings.llm_model) if settings.llm_model else None
    return owner if owner in configured and owner is not None else next(iter(configured))


def _checked_provider(variable: str, name: str, configured: Mapping[str, ProviderKind]) -> str:
    kind = next((kind for kind in PROVIDERS if kind.name == name), None)
    if kind is None:
        known = ", ".join(each.name for each in PROVIDERS)
        raise ConfigurationError(f"{variable} names {name!r}, which we do not know: use one of {known}")
    if name not in configured:
        raise ConfigurationError(f"{kind.variable} is missing: {variable} asks for {name}, which needs it")
    return name


def _named_profiles(settings: Settings) -> dict[str, dict[str, Any]]:
    if not settings.llm_profiles.strip():
        return {}
    try:
        given = json.loads(settings.llm_profiles)
    except ValueError as error:
        raise ConfigurationError(f"LLM_PROFILES is not JSON: {error}") from None
    if not isinstance(given, dict) or not all(isinstance(value, dict) for value in given.values()):
        raise ConfigurationError('LLM_PROFILES must map names to profiles: {"fast": {"model": "…"}}')
    for name, value in given.items():
        if unknown := set(value) - _FIELDS:
            raise ConfigurationError(f"LLM_PROFILES.{name} has {min(unknown)!r}: known are {', '.join(sorted(_FIELDS))}")
    return given


def _profile(settings: Settings, name: str, given: Mapping[str, Any]) -> ModelProfile:
    provider = str(given["provider"])
    model = str(given.get("model") or default_model_of(provider) or "")
    if not model:
        raise ConfigurationError(f"LLM_MODEL is missing: {provider} has no default model in our list")
    owner = vendor_of(model)
    if owner and owner != provider and provider in {"openai", "anthropic"}:
        raise ConfigurationError(f"LLM_MODEL={model} is a model of {owner}, but the provider of profile {name!r} is {provider}")
    traits = traits_of(provider, model)
    return ModelProfile(
        name=name,
        provider=provider,
        model=model,
        temperature=_number(given, "temperature", settings.llm_temperature) if traits.takes_temperature else None,
        max_tokens=int(_number(given, "max_tokens", settings.llm_max_tokens)),
        # What somebody wrote down for this very profile is believed; the general setting only narrows.
        context_tokens=int(_number(given, "context_tokens", _window(settings, traits, model))),
        traits=traits,
    )


def _window(settings: Settings, traits: ModelTraits, model: str) -> int:
    is_known = vendor_of(model) is not None or "llm_context_tokens" not in settings.model_fields_set
    return min(settings.llm_context_tokens, traits.context_tokens) if is_known else settings.llm_context_tokens


def _number(given: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = given.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ConfigurationError(f"LLM_PROFILES: {name} must be a number, not {value!r}")
    return value
