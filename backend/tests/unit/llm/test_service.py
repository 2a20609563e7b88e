"""One turn with a model: what the service adds to a provider. Faults over HTTP are in ``contracts/test_model_faults.py``."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest

from app.core.errors import ModelMisconfigured, ModelRefused, ModelReplyInvalid, ModelUnavailable, TooLong
from app.core.transaction_guard import transaction_open
from app.llm.circuit import FAILURES_TO_OPEN
from app.llm.interface import (
    Finished,
    ModelRequest,
    PromptMessage,
    ProviderEvent,
    ProviderRequest,
    ReplyEvent,
    Role,
    StartedOver,
    TextPiece,
    Usage,
)
from app.llm.profiles import ModelProfile, Profiles
from app.llm.providers.offline import Offline
from app.llm.redaction import NOTE
from app.llm.service import Limits, LLMService
from app.llm.traits import traits_of

Plan = Sequence[str | Exception | Finished]
DONE = Finished(Usage(100, 10), "m-1")


class Scripted:
    """A provider that follows one plan per call; the last plan repeats."""

    def __init__(self, *plans: Plan, name: str = "openai") -> None:
        self.name = name
        self.plans = list(plans)
        self.requests: list[ProviderRequest] = []
        self.open_streams = 0

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
        self.requests.append(request)
        plan = self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]
        self.open_streams += 1
        try:
            for step in plan:
                if isinstance(step, Exception):
                    raise step
                yield TextPiece(step) if isinstance(step, str) else step
            await asyncio.Event().wait()
        finally:
            self.open_streams -= 1

    async def close(self) -> None: ...


def profile(provider: str, model: str = "gpt-4o") -> ModelProfile:
    return ModelProfile("default", provider, model, 0.7, 500, 8_000, traits_of(provider, model))


def service(*providers: Scripted, limits: Limits | None = None) -> LLMService:
    profiles = {("default" if not place else each.name): profile(each.name) for place, each in enumerate(providers)}
    offline = {"offline": Offline()}

    async def no_wait(_seconds: float) -> None: ...

    return LLMService(
        {**{each.name: each for each in providers}, **offline},
        Profiles(profiles, tuple(profiles)[1:]),
        limits=limits,
        sleep=no_wait,
        chance=random.Random(1),
    )


def ask(text: str = "どう返す？", **changes: Any) -> ModelRequest:
    given: dict[str, Any] = {"purpose": "answer", "instructions": "指示", "messages": (PromptMessage(Role.SPEAKER, text),)}
    return ModelRequest(team_id="T1", **{**given, **changes})


async def events_of(llm: LLMService, request: ModelRequest) -> tuple[list[ReplyEvent], Callable[[], Any]]:
    async with llm.open(request) as reply:
        return [event async for event in reply], lambda: reply.result


async def test_a_reply_is_streamed_and_whole_at_the_end() -> None:
    events, result = await events_of(service(Scripted(["まず", "伺います", DONE])), ask())
    assert events == [TextPiece("まず"), TextPiece("伺います")]
    reply = result()
    assert (reply.text, reply.model, reply.provider, reply.is_by_rules, reply.was_cut) == (
        "まず伺います",
        "m-1",
        "openai",
        False,
        False,
    )
    assert [(call.outcome, call.usage, call.cost_micro_usd) for call in reply.calls] == [("ok", DONE.usage, 350)]


async def test_leading_blanks_and_thinking_are_not_shown() -> None:
    events, result = await events_of(service(Scripted(["", "\n", " ", "\nはい", " ", "どうぞ", DONE])), ask())
    assert events == [TextPiece("はい"), TextPiece(" "), TextPiece("どうぞ")]
    assert result().text == "はい どうぞ"


async def test_a_cut_reply_does_not_look_complete() -> None:
    llm = service(Scripted(["長い話の", Finished(Usage(), "m", was_cut=True)]))
    assert (await llm.complete(ask())).was_cut


@pytest.mark.parametrize("plan", [[DONE], [" \n", DONE]])
async def test_an_empty_reply_is_none(plan: Plan) -> None:
    with pytest.raises(ModelReplyInvalid):
        await service(Scripted(plan)).complete(ask())


async def test_before_the_first_word_a_failure_is_tried_again_unseen() -> None:
    provider = Scripted([ModelUnavailable()], ["はい", DONE])
    events, result = await events_of(service(provider), ask())
    assert events == [TextPiece("はい")]
    assert [call.outcome for call in result().calls] == ["ModelUnavailable", "ok"]


async def test_a_broken_reply_starts_over_at_the_fallback() -> None:
    first, second = Scripted(["まず", ModelReplyInvalid()]), Scripted(["別の", "答え", DONE], name="anthropic")
    events, result = await events_of(service(first, second), ask())
    assert events == [TextPiece("まず"), StartedOver(), TextPiece("別の"), TextPiece("答え")]
    assert result().text == "別の答え" and result().provider == "anthropic"
    assert len(first.requests) == 1


async def test_a_reply_that_breaks_twice_is_given_up() -> None:
    provider = Scripted(["まず", ModelReplyInvalid()])
    async with service(provider).open(ask()) as reply:
        events: list[ReplyEvent] = []
        with pytest.raises(ModelReplyInvalid):
            async for event in reply:
                events.append(event)  # noqa: PERF401  # what came before the error is wanted
        with pytest.raises(RuntimeError):
            _ = reply.result
    assert events == [TextPiece("まず"), StartedOver(), TextPiece("まず")]
    assert len(reply.calls) == 2


async def test_when_every_model_fails_the_rules_answer() -> None:
    first, second = Scripted(["まず", ModelReplyInvalid()]), Scripted([ModelMisconfigured()], name="anthropic")
    events, result = await events_of(service(first, second), ask(by_rules=lambda: "資料によると…"))
    assert events == [TextPiece("まず"), StartedOver(), TextPiece("資料によると…")]
    reply = result()
    assert reply.is_by_rules and reply.text == "資料によると…"
    assert [call.outcome for call in reply.calls] == ["ModelReplyInvalid", "ModelMisconfigured", "ok"]


async def test_a_refusal_is_told_and_not_worked_around() -> None:
    first, second = Scripted([ModelRefused()]), Scripted(["はい", DONE], name="anthropic")
    with pytest.raises(ModelRefused):
        await service(first, second).complete(ask(by_rules=lambda: "規則"))
    assert not second.requests


async def test_silence_ends_the_attempt_and_closes_the_stream() -> None:
    provider = Scripted(["まず"])
    llm = service(provider, limits=Limits(silence_seconds=0.05, max_retries=0))
    with pytest.raises(ModelUnavailable, match="silent"):
        await llm.complete(ask())
    assert provider.open_streams == 0


async def test_the_whole_turn_has_an_end() -> None:
    class Endless(Scripted):
        async def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
            while True:
                await asyncio.sleep(0.01)
                yield TextPiece("…")

    with pytest.raises(ModelUnavailable, match="not finished in time"):
        await service(Endless([DONE]), limits=Limits(total_seconds=0.1)).complete(ask())


async def test_stopping_closes_the_stream_and_books_the_call() -> None:
    provider = Scripted(["まず理由を"])
    async with service(provider).open(ask()) as reply:
        async for _ in reply:
            assert provider.open_streams == 1
            break
    assert provider.open_streams == 0
    (call,) = reply.calls
    assert call.outcome == "stopped" and call.usage.output_tokens > 0 and call.cost_micro_usd


async def test_a_cancelled_reader_closes_the_stream() -> None:
    provider = Scripted(["まず"])
    begun = asyncio.Event()

    async def read() -> None:
        async with service(provider).open(ask()) as reply:
            async for _ in reply:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    assert provider.open_streams == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.open_streams == 0


async def test_no_model_is_asked_inside_a_transaction() -> None:
    provider = Scripted(["はい", DONE])
    with transaction_open(), pytest.raises(RuntimeError, match="transaction"):
        await service(provider).complete(ask())
    assert not provider.requests


async def test_personal_data_stays_here_and_stands_in_the_answer() -> None:
    provider = Scripted(["電話は⟦PHO", "NE_1⟧ です。", "⟦EMAIL", "_1⟧", DONE])
    events, result = await events_of(service(provider), ask("０３−１２３４−５６７８ と a@b.co.jp へ連絡"))
    sent = provider.requests[0]
    assert "５６７８" not in sent.messages[0].text and "a@b" not in sent.messages[0].text
    assert sent.instructions.endswith(NOTE)
    assert result().text == "電話は０３−１２３４−５６７８ です。a@b.co.jp"
    assert "".join(event.text for event in events if isinstance(event, TextPiece)) == result().text


async def test_masking_can_be_switched_off() -> None:
    provider = Scripted(["はい", DONE])
    await service(provider, limits=Limits(redacts=False)).complete(ask("a@b.co.jp へ"))
    assert provider.requests[0].messages[0].text == "a@b.co.jp へ" and provider.requests[0].instructions == "指示"


async def test_json_is_checked_and_asked_for_again() -> None:
    schema = {"type": "object", "required": ["plan"]}
    provider = Scripted(["計画です", DONE], ['```json\n{"plan": "訪問"}\n```', DONE])
    reply = await service(provider).complete(ask(schema=schema))
    assert reply.text == '{"plan": "訪問"}'
    assert [call.outcome for call in reply.calls] == ["ModelReplyInvalid", "ok"]


async def test_json_that_was_cut_is_no_reply() -> None:
    provider = Scripted(['{"plan": 1}', Finished(Usage(), "m", was_cut=True)])
    with pytest.raises(ModelReplyInvalid):
        await service(provider, limits=Limits(max_retries=0)).complete(ask(schema={"required": ["plan"]}))


async def test_too_long_for_every_window_is_told() -> None:
    with pytest.raises(TooLong):
        await service(Scripted(["はい", DONE])).complete(ask("長" * 9_000))


async def test_a_failing_model_is_left_alone_and_the_fallback_answers_at_once() -> None:
    first, second = Scripted([ModelUnavailable()]), Scripted(["はい", DONE], name="anthropic")
    llm = service(first, second)
    for _ in range(FAILURES_TO_OPEN):
        await llm.complete(ask())
    asked = len(first.requests)
    assert asked == FAILURES_TO_OPEN and llm.models == {"openai/gpt-4o": False, "anthropic/gpt-4o": True}
    await llm.complete(ask())
    assert len(first.requests) == asked


async def test_offline_answers_by_rules_and_says_so() -> None:
    llm = LLMService({"offline": Offline()}, Profiles({"default": profile("offline", "offline")}))
    reply = await llm.complete(ask(by_rules=lambda: "規則による答え。"))
    assert llm.is_offline and reply.is_by_rules and reply.text == "規則による答え。"
