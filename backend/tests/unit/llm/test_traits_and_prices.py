"""What we know of models, and what a call costs."""

import pytest

from app.llm.interface import Usage
from app.llm.pricing import Price, cost_micro_usd
from app.llm.providers import PROVIDERS
from app.llm.traits import default_model_of, traits_of, vendor_of


def test_every_provider_has_a_default_model() -> None:
    assert all(default_model_of(kind.name) for kind in PROVIDERS)


@pytest.mark.parametrize(
    ("provider", "model", "takes_temperature", "token_parameter", "context_tokens"),
    [
        ("openai", "gpt-4", True, "max_completion_tokens", 8_192),
        ("openai", "gpt-4o-2024-08-06", True, "max_completion_tokens", 128_000),
        ("openai", "o3-mini", False, "max_completion_tokens", 200_000),
        ("openai", "gpt-99-unheard-of", False, "max_completion_tokens", 128_000),
        ("anthropic", "claude-sonnet-5-5", False, "max_tokens", 1_000_000),
        ("anthropic", "claude-unheard-of", False, "max_tokens", 200_000),
        ("openai_compatible", "qwen3:8b", True, "max_tokens", 8_000),
    ],
)
def test_models_are_asked_their_own_way(
    provider: str, model: str, takes_temperature: bool, token_parameter: str, context_tokens: int
) -> None:
    traits = traits_of(provider, model)
    assert (traits.takes_temperature, traits.token_parameter, traits.context_tokens) == (
        takes_temperature,
        token_parameter,
        context_tokens,
    )


def test_a_local_model_with_a_vendors_name_does_not_get_the_vendors_price() -> None:
    assert traits_of("openai_compatible", "gpt-4o").price is None


def test_cached_tokens_cost_their_own_price() -> None:
    usage = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=600, cache_written_tokens=100)
    assert cost_micro_usd(usage, Price(input=2, output=10, cached=0.1, written=2.5)) == 300 * 2 + 600 * 0.1 + 100 * 2.5 + 100 * 10


def test_without_a_price_for_the_cache_its_tokens_are_input() -> None:
    assert cost_micro_usd(Usage(1000, 0, 600), Price(input=2, output=10)) == 2000


def test_an_unknown_price_is_no_price() -> None:
    assert cost_micro_usd(Usage(1000, 1000), None) is None
    assert traits_of("openai", "gpt-6-astra").price is None
    assert vendor_of("claude-haiku-5-5") == "anthropic" and vendor_of("qwen3:8b") is None
