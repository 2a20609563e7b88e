"""What every line of ``PROVIDERS`` keeps, against a server that behaves and misbehaves as the real ones do."""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import pytest

from app.core.clock import SystemClock
from app.core.config import Settings
from app.core.errors import ModelError, ModelMisconfigured, ModelRateLimited, ModelRefused, ModelReplyInvalid, ModelUnavailable
from app.llm.interface import Finished, PromptMessage, Provider, ProviderEvent, ProviderRequest, Role, TextPiece
from app.llm.profiles import profiles_from
from app.llm.providers import PROVIDERS
from app.llm.providers.kind import ProviderKind
from app.llm.traits import MODELS, traits_of
from tests.doubles.model_server import ModelServer, Script, closed_address, cut, fails, hangs, says

KEY = "test-key"
# How each provider is pointed at the double. A new provider needs its line here, and nothing else in this file.
SETTINGS = {
    "openai": lambda address: {"openai_api_key": KEY, "openai_base_url": f"{address}/v1"},
    "anthropic": lambda address: {"anthropic_api_key": KEY, "anthropic_base_url": address},
    "openai_compatible": lambda address: {"llm_base_url": f"{address}/v1", "llm_api_key": KEY, "llm_model": "local"},
    "offline": lambda _address: {},
}
OVER_HTTP = [kind for kind in PROVIDERS if kind.needs]

pytestmark = pytest.mark.parametrize("kind", OVER_HTTP, ids=lambda kind: kind.name)


def settings_for(kind: ProviderKind, address: str, **more: Any) -> Settings:
    return Settings(_env_file=None, llm_provider=kind.name, **SETTINGS[kind.name](address), **more)


def request_for(kind: ProviderKind, **changes: Any) -> ProviderRequest:
    model = profiles_from(settings_for(kind, "http://unused")).default.model
    traits = traits_of(kind.name, model)
    request = ProviderRequest(
        model=model,
        instructions="あなたは営業コーチです。",
        messages=(PromptMessage(Role.SPEAKER, "値引きを求められたら？"),),
        max_tokens=500,
        temperature=None,
        silence_seconds=5.0,
        token_parameter=traits.token_parameter,
        effort=traits.effort,
    )
    return replace(request, **changes)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(key=KEY) as server:
        yield server


@pytest.fixture
async def provider(kind: ProviderKind, model: ModelServer) -> AsyncIterator[Provider]:
    opened = kind.open(settings_for(kind, model.address))
    yield opened
    await opened.close()


async def events_of(provider: Provider, request: ProviderRequest) -> list[ProviderEvent]:
    async with aclosing(provider.stream(request)) as events:
        return [event async for event in events]


def text_of(events: list[ProviderEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


async def test_a_reply_comes_in_its_pieces_and_ends_with_what_it_used(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    model.then(says("まず", "理由を", "伺います。", cached_tokens=40))
    *pieces, finished = await events_of(provider, request_for(kind))
    assert [piece.text for piece in pieces] == ["まず", "理由を", "伺います。"]
    assert isinstance(finished, Finished) and not finished.was_cut
    assert finished.usage.input_tokens == 100 and finished.usage.cached_input_tokens == 40 and finished.usage.output_tokens == 10


async def test_the_model_reads_instructions_turns_and_nothing_else(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    turns = (PromptMessage(Role.SPEAKER, "一"), PromptMessage(Role.COACH, "二"), PromptMessage(Role.SPEAKER, "三"))
    await events_of(provider, request_for(kind, messages=turns))
    body = model.requests[0].body
    assert body["stream"] is True
    assert [turn["content"] for turn in body["messages"] if turn["role"] in {"user", "assistant"}] == ["一", "二", "三"]
    assert model.requests[0].text.count("あなたは営業コーチです。") == 1


async def test_a_schema_is_asked_for(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    schema = {"type": "object", "properties": {"plan": {"type": "string"}}, "required": ["plan"]}
    model.then(says('{"plan": "訪問"}'))
    await events_of(provider, request_for(kind, schema=schema))
    assert '"json_schema"' in model.requests[0].text and '"plan"' in model.requests[0].text


async def test_calls_in_a_row_share_a_connection(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    for _ in range(3):
        await events_of(provider, request_for(kind))
    assert len({request.peer for request in model.requests}) == 1


@pytest.mark.parametrize("abrupt", [False, True], ids=["orderly", "reset"])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_stream_without_its_finish_is_never_a_reply(
    kind: ProviderKind, provider: Provider, model: ModelServer, after: int, abrupt: bool
) -> None:
    model.then(cut(after, "一つ", "二つ", "三つ", abrupt=abrupt))
    seen: list[ProviderEvent] = []
    with pytest.raises(ModelReplyInvalid):
        async with aclosing(provider.stream(request_for(kind))) as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401  # what came before the error is wanted
    assert text_of(seen) == "".join(["一つ", "二つ", "三つ"][:after])
    assert not any(isinstance(event, Finished) for event in seen)


async def test_a_stream_cut_behind_its_finish_is_whole(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(cut(2, "全部", "です", with_finish=True))
    events = await events_of(provider, request_for(kind))
    assert text_of(events) == "全部です" and isinstance(events[-1], Finished)


async def test_a_reply_at_its_longest_length_says_that_it_was_cut(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    model.then(says("長い話の", "途中", end="length"))
    assert (await events_of(provider, request_for(kind)))[-1].was_cut


@pytest.mark.parametrize("after", [-1, 0, 2])
async def test_silence_is_an_error(kind: ProviderKind, provider: Provider, model: ModelServer, after: int) -> None:
    model.then(hangs(after=after))
    with pytest.raises(ModelUnavailable):
        await events_of(provider, request_for(kind, silence_seconds=0.2))


async def test_thinking_is_no_silence_and_no_text(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(says("答えです", thinking_pieces=3))
    events = await events_of(provider, request_for(kind))
    assert [event.text for event in events[:-1]] == ["", "", "", "答えです"]


async def test_a_rate_limit_says_how_long_to_wait(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(fails(429, retry_after=7), fails(429))
    for expected in (7.0, None):
        with pytest.raises(ModelRateLimited) as raised:
            await events_of(provider, request_for(kind))
        assert raised.value.retry_after_seconds == expected


async def test_a_rate_limit_may_name_a_date(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(fails(429, retry_after=format_datetime(SystemClock().now().replace(year=2999), usegmt=True)))
    with pytest.raises(ModelRateLimited) as raised:
        await events_of(provider, request_for(kind))
    assert raised.value.retry_after_seconds is not None and raised.value.retry_after_seconds > 1e9


async def test_a_spent_budget_is_for_the_operator_not_for_another_try(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    model.then(fails(429, error_type="insufficient_quota"))
    with pytest.raises(ModelMisconfigured):
        await events_of(provider, request_for(kind))


@pytest.mark.parametrize("status", [408, 500, 502, 503, 529])
async def test_a_failing_server_may_answer_later(kind: ProviderKind, provider: Provider, model: ModelServer, status: int) -> None:
    model.then(fails(status))
    with pytest.raises(ModelUnavailable):
        await events_of(provider, request_for(kind))
    assert model.calls == 1, "trying again is for the service to decide"


async def test_a_server_that_is_not_there_may_come_back(kind: ProviderKind) -> None:
    provider = kind.open(settings_for(kind, closed_address()))
    with pytest.raises(ModelUnavailable):
        await events_of(provider, request_for(kind))
    await provider.close()


async def test_a_refusal_is_one_even_after_some_text(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(says("その件は", end="refusal"))
    with pytest.raises(ModelRefused):
        await events_of(provider, request_for(kind))


async def test_an_empty_reply_ends_without_text(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(says())
    assert text_of(await events_of(provider, request_for(kind))) == ""


async def test_a_broken_event_is_an_invalid_reply(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(Script(pieces=("一つ", "二つ"), corrupt_after=1))
    with pytest.raises(ModelReplyInvalid):
        await events_of(provider, request_for(kind))


async def test_an_error_event_behind_a_good_status_is_an_error(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    model.then(Script(pieces=("一つ", "二つ"), error_event_after=1))
    with pytest.raises(ModelUnavailable):
        await events_of(provider, request_for(kind))


async def test_who_is_cancelled_hangs_up(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(hangs(after=1))
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(provider.stream(request_for(kind))) as events:
            async for _ in events:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(model.requests[0].is_closed.wait(), 5)


async def test_who_stops_reading_hangs_up(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    model.then(hangs(after=1))
    async with aclosing(provider.stream(request_for(kind))) as events:
        assert (await anext(events)).text == "もし"
    await asyncio.wait_for(model.requests[0].is_closed.wait(), 5)


async def test_a_wrong_key_is_named_without_being_shown(kind: ProviderKind, model: ModelServer) -> None:
    model.key = "another"
    provider = kind.open(settings_for(kind, model.address))
    with pytest.raises(ModelMisconfigured, match="401") as raised:
        await events_of(provider, request_for(kind))
    assert KEY not in re.sub(r"[^-\w]", " ", str(raised.value)) and raised.value.__cause__ is None
    await provider.close()


async def test_an_unknown_model_is_for_the_operator(kind: ProviderKind, provider: Provider) -> None:
    with pytest.raises(ModelMisconfigured, match="404"):
        await events_of(provider, request_for(kind, model="no-such-model"))


async def test_nothing_but_our_errors_comes_through(kind: ProviderKind, provider: Provider, model: ModelServer) -> None:
    scripts = [fails(status) for status in (400, 402, 403, 409, 413, 418, 422, 451)]
    model.then(*scripts)
    for _ in scripts:
        with pytest.raises(ModelError):
            await events_of(provider, request_for(kind))


async def test_every_model_we_describe_is_asked_in_a_way_it_accepts(
    kind: ProviderKind, provider: Provider, model: ModelServer
) -> None:
    entries = [entry for entry in tomllib.loads(MODELS.read_text(encoding="utf-8"))["models"] if entry["provider"] == kind.name]
    names = {pattern.rstrip("*") for entry in entries for pattern in entry["match"]} | {request_for(kind).model}
    for name in sorted(names):
        traits = traits_of(kind.name, name)
        request = request_for(kind, model=name, token_parameter=traits.token_parameter, effort=traits.effort)
        await events_of(provider, replace(request, temperature=0.7 if traits.takes_temperature else None))
    assert model.calls == len(names)
