"""F6: whatever the model's server does, a reply is whole, or there is none and a reason."""

import asyncio
import itertools
import json
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.core.config import Settings
from app.core.errors import ModelError, ModelRateLimited
from app.llm.interface import ModelRequest, PromptMessage, ReplyEvent, Role, StartedOver
from app.llm.profiles import profiles_from
from app.llm.providers import OFFLINE, PROVIDERS
from app.llm.service import Limits, LLMService
from tests.doubles.model_server import ModelServer, Script, closed_address, cut, fails, hangs, says

WHOLE = ("まず理由を", "伺い、", "価値を示します。")
BACKUP = ("代わりの", "モデルです。")
FAULTS = {
    "429 with Retry-After": fails(429, retry_after=1),
    "429": fails(429),
    "500": fails(500),
    "529": fails(529),
    "hang": hangs(),
    "empty": says(),
    "corrupt": Script(pieces=WHOLE, corrupt_after=1),
    "error event": Script(pieces=WHOLE, error_event_after=2),
    **{f"{how} cut after {n}": cut(n, *WHOLE, abrupt=how == "hard") for n, how in itertools.product(range(4), ("soft", "hard"))},
    **{f"silent after {n}": Script(pieces=WHOLE, hang_after=n) for n in range(4)},
}


@pytest.fixture
async def first() -> AsyncIterator[ModelServer]:
    async with ModelServer(lambda _body: says(*WHOLE)) as server:
        yield server


@pytest.fixture
async def second() -> AsyncIterator[ModelServer]:
    async with ModelServer(lambda _body: says(*BACKUP)) as server:
        yield server


class Waits:
    """Instead of waiting: remembers how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def service(first: str, second: str | None = None, *, waits: Waits | None = None, fault: Script | None = None) -> LLMService:
    """OpenAI, and where there is a second address Anthropic behind it. Impatient only where the fault is silence."""
    silence_seconds = 0.5 if fault and fault.hang_after is not None else 10.0
    given: dict[str, Any] = {"llm_provider": "openai", "openai_api_key": "test-key", "openai_base_url": f"{first}/v1"}
    if second:
        given |= {"anthropic_api_key": "test-key", "anthropic_base_url": second, "llm_fallbacks": ("anthropic",)}
    settings = Settings(_env_file=None, **given)
    profiles = profiles_from(settings)
    wanted = profiles.providers | {OFFLINE}
    return LLMService(
        {kind.name: kind.open(settings) for kind in PROVIDERS if kind.name in wanted},
        profiles,
        limits=Limits(silence_seconds=silence_seconds, total_seconds=60, max_retries=settings.llm_max_retries),
        sleep=waits or Waits(),
        chance=random.Random(1),
    )


REQUEST = ModelRequest("answer", "指示", (PromptMessage(Role.SPEAKER, "値引きは？"),), team_id="T1")


def shown(events: list[ReplyEvent]) -> str:
    """What stands on the screen after these events."""
    text = ""
    for event in events:
        text = "" if isinstance(event, StartedOver) else text + event.text
    return text


async def turn(llm: LLMService, request: ModelRequest = REQUEST) -> tuple[str, str, int]:
    """Shown text, reply's text and number of calls."""
    async with llm.open(request) as reply:
        events = [event async for event in reply]
        return shown(events), reply.result.text, len(reply.calls)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_one_fault_is_survived_without_anybody_else(first: ModelServer, fault: Script) -> None:
    first.then(fault)
    llm = service(first.address, fault=fault)
    text, reply, calls = await turn(llm)
    assert text == reply == "".join(WHOLE)
    assert calls == first.calls == 2
    await llm.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_lasting_fault_ends_at_the_fallback_after_one_more_try_at_most(
    first: ModelServer, second: ModelServer, fault: Script
) -> None:
    first.respond = lambda _body: fault
    llm = service(first.address, second.address, fault=fault)
    text, reply, _ = await turn(llm)
    assert text == reply == "".join(BACKUP)
    assert first.calls <= 2 and second.calls == 1
    await llm.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_with_every_provider_down_there_is_a_reason_and_never_a_part(
    first: ModelServer, second: ModelServer, fault: Script
) -> None:
    first.respond = second.respond = lambda _body: fault
    llm = service(first.address, second.address, fault=fault)
    with pytest.raises(ModelError) as raised:
        await turn(llm)
    assert raised.value.message_key.startswith("errors.model")
    assert first.calls + second.calls <= 5
    await llm.close()


async def test_with_every_provider_down_the_rules_answer_where_there_are_any(first: ModelServer, second: ModelServer) -> None:
    first.respond = second.respond = lambda _body: cut(2, *WHOLE)
    llm = service(first.address, second.address)
    request = ModelRequest("answer", "", REQUEST.messages, team_id="T1", by_rules=lambda: "資料では…")
    text, reply, _ = await turn(llm, request)
    assert text == reply == "資料では…"
    await llm.close()


async def test_a_refused_connection_ends_at_the_fallback(second: ModelServer) -> None:
    llm = service(closed_address(), second.address)
    assert (await turn(llm))[1] == "".join(BACKUP)
    await llm.close()


async def test_the_wait_is_at_least_what_the_server_asked_for(first: ModelServer) -> None:
    first.then(fails(429, retry_after=11))
    waits = Waits()
    llm = service(first.address, waits=waits)
    await turn(llm)
    assert len(waits.seconds) == 1 and waits.seconds[0] >= 11
    await llm.close()


async def test_a_wait_that_is_too_long_is_left_to_who_asked(first: ModelServer) -> None:
    first.respond = lambda _body: fails(429, retry_after=600)
    llm = service(first.address)
    with pytest.raises(ModelRateLimited) as raised:
        await turn(llm)
    assert raised.value.retry_after_seconds == 600 and first.calls == 1
    await llm.close()


async def test_invalid_json_is_asked_for_once_more(first: ModelServer) -> None:
    request = ModelRequest("plan", "", REQUEST.messages, team_id="T1", schema={"type": "object", "required": ["plan"]})
    first.then(says("了解しました"), says('{"plan": "訪問"}'))
    llm = service(first.address)
    assert (await llm.complete(request)).text == '{"plan": "訪問"}'
    await llm.close()


async def test_personal_data_does_not_reach_the_server(first: ModelServer) -> None:
    canaries = [
        "03-1234-5678",
        "０９０−１２３４−５６７８",
        "taro@example.co.jp",
        "4111 1111 1111 1111",
        "1234 5678 9018",
        "東京都港区芝公園4-2-8",
    ]
    request = ModelRequest(
        "answer", f"担当の電話 {canaries[0]}", (PromptMessage(Role.SPEAKER, "連絡先: " + " / ".join(canaries)),), team_id="T1"
    )
    first.then(says("⟦PHONE", "_2⟧ へ"))
    llm = service(first.address)
    assert (await llm.complete(request)).text == f"{canaries[1]} へ"
    assert [canary for canary in canaries if canary in first.requests[0].text] == []
    await llm.close()


async def test_the_double_runs_as_a_process_of_its_own() -> None:
    """Benchmarks and fault tests use it so; a script given over HTTP is the next reply."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.doubles.model_server", "--pieces", "3", "--seconds", "0", "--first-token-seconds", "0",
        cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = json.loads(await process.stdout.readline())["anthropic_url"]
        async with aiohttp.ClientSession() as session:
            await session.post(f"{address}/control/then", json=[{"pieces": ["はい"]}, {"status": 429, "retry_after": "3"}])
        llm = service(address)
        assert (await llm.complete(REQUEST)).text == "はい"
        assert [call.outcome for call in (await llm.complete(REQUEST)).calls] == ["ModelRateLimited", "ok"]
        async with aiohttp.ClientSession() as session, session.get(f"{address}/control/requests") as answer:
            assert len(await answer.json()) == 3
        await llm.close()
    finally:
        process.terminate()
        await process.wait()
