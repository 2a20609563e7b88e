"""Any server with OpenAI's embeddings API, played by a small HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from app.embeddings.embedder import EmbedderFailed
from app.embeddings.openai_style import OpenAIStyleEmbedder

Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[OpenAIStyleEmbedder, list[dict[str, Any]]]]:
    requests: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        requests.append(await request.json())
        return await answer(requests[-1])

    application = web.Application()
    application.router.add_post("/v1/embeddings", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    embedder = OpenAIStyleEmbedder(
        model="m",
        api_key="k",
        base_url=f"http://127.0.0.1:{port}/v1",
        prefixes=("query: ", "passage: "),
        question_timeout_seconds=0.3,
    )
    try:
        yield embedder, requests
    finally:
        await embedder.close()
        await runner.cleanup()


def vectors(*rows: list[float], order: list[int] | None = None) -> web.Response:
    data = [{"object": "embedding", "index": index, "embedding": rows[index]} for index in order or range(len(rows))]
    return web.json_response({"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}})


async def test_vectors_come_back_in_order_and_of_length_one() -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        return vectors([3.0, 4.0], [0.0, 2.0], order=[1, 0])

    async with served(answer) as (embedder, requests):
        assert await embedder.embed_passages(["a", "b"]) == pytest.approx(np.array([[0.6, 0.8], [0, 1]]))
    assert requests[0]["input"] == ["passage: a", "passage: b"]


async def test_many_texts_are_sent_in_several_calls() -> None:
    async def answer(request: dict[str, Any]) -> web.Response:
        return vectors(*([1.0, 0.0] for _ in request["input"]))

    async with served(answer) as (embedder, requests):
        assert (await embedder.embed_passages([str(number) for number in range(150)])).shape == (150, 2)
        assert len(requests) == 3


@pytest.mark.parametrize("fault", ["status", "short", "ragged", "zero", "slow", "text"])
async def test_whatever_goes_wrong_is_one_error_without_the_texts(fault: str) -> None:
    async def answer(_: dict[str, Any]) -> web.Response:
        if fault == "slow":
            await asyncio.sleep(5)
        return {
            "status": web.json_response({"error": {"message": "秘密"}}, status=500),
            "text": web.Response(text="<html>"),
            "short": vectors(),
            "ragged": vectors([1.0], [1.0, 2.0]),
            "zero": vectors([0.0, 0.0]),
            "slow": vectors([1.0]),
        }[fault]

    async with served(answer) as (embedder, _):
        with pytest.raises(EmbedderFailed) as caught:
            await embedder.embed_question("秘密")
    assert "秘密" not in str(caught.value)
