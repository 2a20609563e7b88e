"""The local model, and the share of the machine it may take."""

import numpy as np
import pytest

from app.core.config import load_settings
from app.core.errors import ConfigurationError
from app.embeddings.embedder import EmbedderBusy
from app.embeddings.local import LocalEmbedder
from app.embeddings.openai_style import OpenAIStyleEmbedder
from app.embeddings.providers import open_embedder
from app.embeddings.remembered import RememberingEmbedder


class StandingClock:
    """Time passes only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> None:  # type: ignore[override]
        raise AssertionError


async def test_related_texts_are_nearer_than_unrelated_ones_across_languages() -> None:
    embedder = LocalEmbedder()
    question = await embedder.embed_question("値引きを求められたらどう返しますか")
    passages = await embedder.embed_passages(["How to answer a request for a discount", "The weather in Tokyo tomorrow"])
    near, far = passages @ question[0]
    assert near > far
    assert np.linalg.norm(passages, axis=1) == pytest.approx([1, 1], abs=1e-3)
    await embedder.close()


async def test_a_character_that_ends_a_c_string_does_not_end_the_text() -> None:
    embedder = LocalEmbedder()
    cut, whole = await embedder.embed_question("価格"), await embedder.embed_question("価格\0の交渉と値引き")
    assert float((cut @ whole.T)[0, 0]) < 0.99
    await embedder.close()


async def test_questions_beyond_the_share_of_the_core_are_refused_until_time_has_passed() -> None:
    clock = StandingClock()
    embedder = LocalEmbedder(core_share=0.5, clock=clock)  # type: ignore[arg-type]
    with pytest.raises(EmbedderBusy):
        for number in range(10_000):
            await embedder.embed_question(f"質問{number}")
    clock.seconds += 1
    assert (await embedder.embed_question("質問")).shape == (1, 384)
    await embedder.close()


async def test_a_question_asked_again_costs_nothing() -> None:
    local = LocalEmbedder()
    embedder = RememberingEmbedder(local, most_remembered=2)
    first = await embedder.embed_question("価格")
    await local.close()
    assert await embedder.embed_question("価格") is first
    with pytest.raises(RuntimeError):
        await embedder.embed_question("別の質問")


async def test_the_setting_chooses_the_embedder() -> None:
    def chosen(**values: object) -> object:
        return open_embedder(load_settings(_env_file=None, **values))

    assert chosen(embedding_provider="none") is None
    assert isinstance(chosen(), RememberingEmbedder)
    named = chosen(embedding_provider="openai", embedding_base_url="http://127.0.0.1:9/v1", embedding_model="bge-m3")
    assert isinstance(named, RememberingEmbedder) and isinstance(named._embedder, OpenAIStyleEmbedder)
    assert named.model == "bge-m3/full"
    with pytest.raises(ConfigurationError, match="EMBEDDING_API_KEY"):
        chosen(embedding_provider="openai")
    with pytest.raises(ConfigurationError, match="EMBEDDING_PROVIDER"):
        load_settings(_env_file=None, embedding_provider="magic")
