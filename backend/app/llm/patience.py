"""Ends a wait that lasts too long, at almost no cost per token.

``asyncio.timeout`` around each token would be the plain way; arming and disarming its timer costs 10 µs each time, a fifth of
everything else we do for a token. Here one timer per reply runs out rarely, and then looks whether anybody waits too long.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from app.core.errors import ModelUnavailable

Item = TypeVar("Item")


class Patience:
    """For one reply: ``silence_seconds`` from one item to the next, and ``deadline`` (loop time) for the whole."""

    def __init__(self, *, silence_seconds: float, deadline: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence_seconds = silence_seconds
        self._deadline = deadline
        self._waiting_since = 0.0
        self._waiter: asyncio.Task[Any] | None = None
        self._has_run_out = False
        self._timer: asyncio.TimerHandle | None = None

    async def watch(self, items: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
        """The items; ``ModelUnavailable`` instead of one that does not come in time. Closes nothing: that is its owner's part."""
        try:
            while True:
                try:
                    item = await self._next(anext(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _next(self, step: Coroutine[Any, Any, Item]) -> Item:
        task = asyncio.current_task()
        assert task is not None
        self._waiting_since = self._loop.time()
        cancelled_before = task.cancelling()
        self._waiter = task
        if self._timer is None:
            self._arm()
        try:
            return await step
        except asyncio.CancelledError:
            # Ours only if nobody else cancelled as well, as in ``asyncio.timeout``.
            if self._has_run_out and task.uncancel() <= cancelled_before:
                is_over = self._loop.time() >= self._deadline
                raise ModelUnavailable("the model is not finished in time" if is_over else "the model went silent") from None
            raise
        finally:
            self._waiter = None

    def _arm(self) -> None:
        self._timer = self._loop.call_at(self._due(), self._look)

    def _due(self) -> float:
        return min(self._waiting_since + self._silence_seconds, self._deadline)

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return  # the reader is busy with the last item: the next wait arms the timer again
        if self._loop.time() < self._due():
            self._arm()
            return
        self._has_run_out = True
        self._waiter.cancel()
