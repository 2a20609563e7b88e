"""Waiting ends in time, and only the waiting."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from app.core.errors import ModelUnavailable
from app.llm.patience import Patience


async def items(*seconds: float) -> AsyncGenerator[float]:
    for each in seconds:
        await asyncio.sleep(each)
        yield each


def patience(silence_seconds: float = 0.05, total_seconds: float = 60.0) -> Patience:
    return Patience(silence_seconds=silence_seconds, deadline=asyncio.get_running_loop().time() + total_seconds)


async def test_items_pass_through() -> None:
    assert [item async for item in patience().watch(items(0, 0, 0))] == [0, 0, 0]


@pytest.mark.parametrize("before", [0, 1, 5])
async def test_silence_ends_the_wait_and_the_source(before: int) -> None:
    is_closed = False

    async def source() -> AsyncGenerator[int]:
        nonlocal is_closed
        try:
            for number in range(before):
                yield number
            await asyncio.Event().wait()
        finally:
            is_closed = True

    seen = []
    with pytest.raises(ModelUnavailable, match="silent"):
        async for item in patience().watch(source()):
            seen.append(item)  # noqa: PERF401  # what came before the error is wanted
    assert seen == list(range(before)) and is_closed
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_a_busy_reader_is_not_silence() -> None:
    seen = []
    async for item in patience(silence_seconds=0.02).watch(items(0, 0, 0)):
        await asyncio.sleep(0.05)
        seen.append(item)
    assert len(seen) == 3


async def test_a_silence_after_a_busy_reader_ends_too() -> None:
    watched = patience(silence_seconds=0.02).watch(items(0, 60))
    assert await anext(watched) == 0
    await asyncio.sleep(0.05)
    with pytest.raises(ModelUnavailable):
        await anext(watched)


async def test_the_deadline_ends_what_is_never_silent() -> None:
    async def endless() -> AsyncGenerator[int]:
        while True:
            await asyncio.sleep(0.005)
            yield 1

    with pytest.raises(ModelUnavailable, match="not finished in time"):
        async for _ in patience(silence_seconds=60, total_seconds=0.05).watch(endless()):
            pass


async def test_a_cancelled_reader_stays_cancelled() -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(patience(silence_seconds=60).watch(items(0, 60))) as watched:
            async for _ in watched:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_outer_timeout_is_not_mistaken_for_ours() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            async for _ in patience(silence_seconds=60).watch(items(60)):
                pass
