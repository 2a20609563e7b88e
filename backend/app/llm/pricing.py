"""What a call cost, in millionths of a US dollar."""

from dataclasses import dataclass

from app.llm.interface import Usage


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens. Without a price of its own, a cached or written token costs what any input token does."""

    input: float
    output: float
    cached: float | None = None
    written: float | None = None


def cost_micro_usd(usage: Usage, price: Price | None) -> int | None:
    """``None`` when the price is not known. A dollar per million tokens is a millionth of a dollar per token."""
    if price is None:
        return None
    plain = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_written_tokens)
    return round(
        plain * price.input
        + usage.cached_input_tokens * (price.input if price.cached is None else price.cached)
        + usage.cache_written_tokens * (price.input if price.written is None else price.written)
        + usage.output_tokens * price.output
    )
