"""Vectors that come along are used, whatever else is asked is computed, and nothing is missing from the file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.embeddings.embedder import Vectors
from app.embeddings.local import MODEL
from app.embeddings.prepared import PREPARED, PreparedEmbedder, key_of, read_vectors, write_vectors
from app.knowledge.starter_library import starter_passages


class Counting:
    model = MODEL

    def __init__(self) -> None:
        self.computed: list[str] = []

    async def prepare(self) -> None:
        """Nothing to load."""

    async def embed_question(self, text: str) -> Vectors:
        return await self.embed_passages([text])

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.computed += texts
        return np.full((len(texts), 2), len(texts[0]), np.float32)

    async def close(self) -> None:
        """Nothing to give back."""


async def test_only_what_is_not_in_the_file_is_computed(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    write_vectors(file, MODEL, ["納期", "価格"], np.array([[1, 0], [0, 1]], np.float32))
    counting = Counting()
    vectors = await PreparedEmbedder(counting, file).embed_passages(["価格", "新しい項目", "納期"])
    assert counting.computed == ["新しい項目"]
    assert vectors.tolist() == [[0, 1], [5, 5], [1, 0]] and vectors.dtype == np.float32


async def test_another_models_vectors_are_never_used(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    write_vectors(file, "another/384", ["納期"], np.ones((1, 2), np.float32))
    counting = Counting()
    await PreparedEmbedder(counting, file).embed_passages(["納期"])
    assert counting.computed == ["納期"]


async def test_without_a_file_everything_is_computed(tmp_path: Path) -> None:
    counting = Counting()
    await PreparedEmbedder(counting, tmp_path / "none.npz").embed_passages(["納期"])
    assert counting.computed == ["納期"]


def test_the_whole_starter_library_comes_with_its_vectors() -> None:
    known = read_vectors(PREPARED)
    missing = [text.partition("\n")[0] for text in starter_passages() if key_of(MODEL, text) not in known]
    assert not missing, "run: PYTHONPATH=backend .venv/bin/python backend/scripts/embed_starter_library.py"
