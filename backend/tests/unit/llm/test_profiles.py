"""Which model is asked is decided at the start, and so is what cannot work."""

from typing import Any

import pytest

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.llm.profiles import Profiles, has_model, profiles_from


def profiles(**given: Any) -> Profiles:
    return profiles_from(Settings(_env_file=None, **given))


OPENAI = {"openai_api_key": "k"}
BOTH = {**OPENAI, "anthropic_api_key": "k"}


def test_nothing_configured_is_offline() -> None:
    assert profiles().default.provider == "offline"
    assert not has_model(Settings(_env_file=None))


def test_the_mock_setting_wins_over_keys() -> None:
    assert profiles(**BOTH, use_mock_llm=True).default.provider == "offline"


def test_the_first_configured_provider_answers_with_its_default_model() -> None:
    default = profiles(**BOTH).default
    assert (default.provider, default.model) == ("openai", "gpt-6.1-terra")


def test_an_address_alone_is_enough() -> None:
    default = profiles(llm_base_url="http://localhost:11434/v1").default
    assert (default.provider, default.model) == ("openai_compatible", "auto")


def test_a_models_name_says_whose_it_is() -> None:
    assert profiles(**BOTH, llm_model="claude-haiku-5-5").default.provider == "anthropic"


def test_the_guides_block_works() -> None:
    default = profiles(**OPENAI, llm_provider="openai", llm_model="gpt-4", llm_temperature=0.7, llm_max_tokens=2000).default
    assert (default.temperature, default.max_tokens, default.context_tokens) == (0.7, 2000, 8_192)


def test_a_temperature_is_dropped_where_it_would_be_refused() -> None:
    assert profiles(**BOTH, llm_provider="anthropic").default.temperature is None


def test_the_general_window_narrows_but_never_widens_a_known_model() -> None:
    assert profiles(**OPENAI, llm_context_tokens=20_000).default.context_tokens == 20_000
    assert profiles(**OPENAI, llm_model="gpt-4", llm_context_tokens=20_000).default.context_tokens == 8_192


def test_a_local_models_window_is_what_its_operator_says() -> None:
    local = {"llm_base_url": "http://localhost/v1", "llm_model": "qwen3"}
    assert profiles(**local).default.context_tokens == 8_000
    assert profiles(**local, llm_context_tokens=64_000).default.context_tokens == 64_000


def test_named_profiles_and_fallbacks_make_a_chain_without_repetition() -> None:
    found = profiles(
        **BOTH, llm_profiles='{"fast": {"model": "gpt-6-luna", "max_tokens": 300}}', llm_fallbacks=("anthropic", "openai")
    )
    assert [profile.model for profile in found.chain("fast")] == ["gpt-6-luna", "claude-sonnet-5-5", "gpt-6.1-terra"]
    assert [profile.model for profile in found.chain("default")] == ["gpt-6.1-terra", "claude-sonnet-5-5"]
    assert [profile.model for profile in found.chain("never heard of")] == ["gpt-6.1-terra", "claude-sonnet-5-5"]
    assert found.chain("fast")[0].max_tokens == 300


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"llm_provider": "gemini"}, "LLM_PROVIDER"),
        ({"llm_provider": "openai"}, "OPENAI_API_KEY is missing"),
        ({"llm_provider": "anthropic", **OPENAI}, "ANTHROPIC_API_KEY is missing"),
        ({"llm_provider": "openai_compatible"}, "LLM_BASE_URL is missing"),
        ({**BOTH, "llm_provider": "anthropic", "llm_model": "gpt-4o"}, "LLM_MODEL=gpt-4o"),
        ({**OPENAI, "llm_profiles": "{"}, "LLM_PROFILES is not JSON"),
        ({**OPENAI, "llm_profiles": "[]"}, "LLM_PROFILES must map"),
        ({**OPENAI, "llm_profiles": '{"fast": {"modell": "x"}}'}, "modell"),
        ({**OPENAI, "llm_profiles": '{"fast": {"max_tokens": "many"}}'}, "max_tokens must be a number"),
        ({**OPENAI, "llm_profiles": '{"fast": {"provider": "anthropic"}}'}, "ANTHROPIC_API_KEY is missing"),
        ({**OPENAI, "llm_fallbacks": ("cheap",)}, "LLM_FALLBACKS"),
    ],
)
def test_what_cannot_work_stops_the_start_with_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        profiles(**given)
