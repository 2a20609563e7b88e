"""Asks a language model on behalf of a use case, and stays with it until there is a whole answer or a reason.

One turn: the profile's model is asked, again or elsewhere when that fails (see ``retries``), and the request's own
``by_rules`` answers when nobody else does. Personal data is masked before it leaves and put back into the reply.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from app.core.clock import Clock, SystemClock
from app.core.config import Settings
from app.core.errors import ModelError, ModelRateLimited, ModelRefused, ModelReplyInvalid, ModelUnavailable, TooLong
from app.core.metrics import observe_model_call
from app.core.transaction_guard import refuse_inside_transaction
from app.llm.circuit import CircuitBreaker
from app.llm.interface import (
    Finished,
    ModelCall,
    ModelReply,
    ModelRequest,
    Provider,
    ProviderEvent,
    ProviderRequest,
    ReplyEvent,
    StartedOver,
    TextPiece,
    Usage,
)
from app.llm.patience import Patience
from app.llm.pricing import cost_micro_usd
from app.llm.profiles import ModelProfile, Profiles, profiles_from
from app.llm.providers import OFFLINE, PROVIDERS
from app.llm.redaction import NOTE, Redaction, StreamRestorer
from app.llm.retries import Attempt, Attempts, Failure
from app.llm.structured import json_object
from app.llm.traits import traits_of
from app.llm.window import estimated_tokens, fit_into_window

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long, how often, how discreetly."""

    silence_seconds: float = 30.0
    total_seconds: float = 120.0
    max_retries: int = 2
    redacts: bool = True


class LLMService:
    """All model calls of a process."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        profiles: Profiles,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._providers = providers
        self._profiles = profiles
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311  # spreads retries; nothing secret
        self._breaker = CircuitBreaker(self._clock)

    @property
    def is_offline(self) -> bool:
        """No model is configured: every answer is by rules, and people should be told so."""
        return self._profiles.default.provider == OFFLINE

    @property
    def model_name(self) -> str:
        """The model that answers first."""
        return self._profiles.default.model

    @property
    def models(self) -> dict[str, bool]:
        """Every configured ``provider/model``, and whether its circuit is closed. For health answers."""
        keys = {profile.key for profile in self._profiles.by_name.values()}
        return {key: not self._breaker.is_open(key) for key in sorted(keys)}

    @asynccontextmanager
    async def open(self, request: ModelRequest) -> AsyncIterator["ReplyStream"]:
        """The reply while it is written. Leaving the block, by whatever way, ends the vendor's call."""
        refuse_inside_transaction("the language model")
        reply = ReplyStream(self, request)
        try:
            yield reply
        finally:
            await reply.close()

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply, for whom nobody is watching."""
        async with self.open(request) as reply:
            async for _ in reply:
                pass
            return reply.result

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()


class ReplyStream:
    """One turn. Iterate it once; :attr:`result` is there after the last event."""

    def __init__(self, service: LLMService, request: ModelRequest) -> None:
        self._service = service
        self._request = request
        self._limits = service._limits  # noqa: SLF001  # the two are one thing in two lives: process and turn
        self._clock = service._clock  # noqa: SLF001
        self._breaker = service._breaker  # noqa: SLF001
        self._redaction = Redaction()
        self._calls: list[ModelCall] = []
        self._given: list[str] = []
        self._result: ModelReply | None = None
        self._deadline = asyncio.get_running_loop().time() + self._limits.total_seconds
        self._events = self._turn()

    def __aiter__(self) -> AsyncIterator[ReplyEvent]:
        return self._events

    @property
    def result(self) -> ModelReply:
        if self._result is None:
            raise RuntimeError("the reply is not whole: iterate it to its end first")
        return self._result

    @property
    def calls(self) -> tuple[ModelCall, ...]:
        """What has been asked so far, also when the turn was stopped or failed."""
        return tuple(self._calls)

    async def close(self) -> None:
        await self._events.aclose()

    async def _turn(self) -> AsyncGenerator[ReplyEvent]:
        try:
            async with aclosing(self._from_models()) as events:
                async for event in events:
                    yield event
        except ModelRefused:
            raise
        except (ModelError, TooLong) as error:
            if self._request.by_rules is None:
                raise
            logger.warning("model_gave_up", extra={"purpose": self._request.purpose, "error_type": type(error).__name__})
            if self._given:
                self._given.clear()
                yield StartedOver()
            async with aclosing(self._attempt(_offline_profile())) as events:
                async for piece in events:
                    yield piece

    async def _from_models(self) -> AsyncGenerator[ReplyEvent]:
        attempts = self._attempts()
        attempt = attempts.first()
        if attempt is None:
            raise ModelUnavailable("every model's circuit is open")
        while True:
            started = self._clock.monotonic()
            try:
                async with aclosing(self._attempted(attempt)) as events:
                    async for event in events:
                        yield event
            except (ModelError, TooLong) as error:
                seconds = self._clock.monotonic() - started
                next_attempt = attempts.after(Failure(error, bool(self._given), seconds, self._seconds_left()))
                if next_attempt is None:
                    raise
                attempt = next_attempt
            else:
                return
            if self._given:
                self._given.clear()
                yield StartedOver()

    def _attempts(self) -> Attempts:
        return Attempts(
            self._service._profiles.chain(self._request.profile),  # noqa: SLF001
            max_retries=self._limits.max_retries,
            admits=self._breaker.admits,
            chance=self._service._chance,  # noqa: SLF001
        )

    async def _attempted(self, attempt: Attempt) -> AsyncGenerator[TextPiece]:
        """The attempt, and its report to the circuit breaker, whatever comes of it."""
        key = attempt.profile.key
        report = self._breaker.abandoned
        try:
            if attempt.wait_seconds:
                await self._service._sleep(attempt.wait_seconds)  # noqa: SLF001
            async with aclosing(self._attempt(attempt.profile)) as pieces:
                async for piece in pieces:
                    yield piece
            report = self._breaker.succeeded
        except ModelError as error:
            report = self._breaker.failed if _speaks_against_the_model(error) else self._breaker.abandoned
            raise
        finally:
            report(key)

    async def _attempt(self, profile: ModelProfile) -> AsyncGenerator[TextPiece]:
        """One model, asked once. Every such call is in the books, also the one that is stopped."""
        request = self._request_for(profile)
        started, outcome, usage = self._clock.monotonic(), "stopped", None
        try:
            provider = self._service._providers[profile.provider]  # noqa: SLF001
            async with aclosing(provider.stream(request)) as events, aclosing(self._shown(events)) as shown:
                async for event in shown:
                    if isinstance(event, TextPiece):
                        self._given.append(event.text)
                        yield event
                    else:
                        usage = event.usage
                        self._finish(profile, event)
            outcome = "ok"
        except ModelError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._book(profile, request, usage, outcome, self._clock.monotonic() - started)

    def _request_for(self, profile: ModelProfile) -> ProviderRequest:
        asked, traits = self._request, profile.traits
        is_masked = self._limits.redacts and profile.provider != OFFLINE
        instructions = f"{self._masked(asked.instructions)}\n\n{NOTE}" if is_masked else asked.instructions
        messages = asked.messages
        if is_masked:
            messages = tuple(replace(message, text=self._masked(message.text)) for message in messages)
        reply_tokens = (asked.max_tokens or profile.max_tokens) + traits.thinking_tokens
        temperature = profile.temperature if asked.temperature is None else asked.temperature
        return ProviderRequest(
            model=profile.model,
            instructions=instructions,
            messages=fit_into_window(instructions, messages, context_tokens=profile.context_tokens, reply_tokens=reply_tokens),
            max_tokens=reply_tokens,
            temperature=temperature if traits.takes_temperature else None,
            silence_seconds=self._limits.silence_seconds,
            schema=asked.schema,
            token_parameter=traits.token_parameter,
            effort=traits.effort,
            by_rules=asked.by_rules,
        )

    def _masked(self, text: str) -> str:
        return self._redaction.mask(text)

    async def _shown(self, events: AsyncGenerator[ProviderEvent]) -> AsyncGenerator[ProviderEvent]:
        """What people may see, in time: no leading blanks, originals instead of placeholders, and never an empty reply."""
        restorer = None if self._redaction.is_empty else StreamRestorer(self._redaction)
        has_begun = False
        patience = Patience(silence_seconds=self._limits.silence_seconds, deadline=self._deadline)
        async with aclosing(patience.watch(events)) as in_time:
            async for event in in_time:
                if isinstance(event, Finished):
                    if restorer and (rest := restorer.rest()):
                        yield TextPiece(rest)
                        has_begun = True
                    if not has_begun:
                        raise ModelReplyInvalid("the reply is empty")
                    yield event
                    return
                text = restorer.restore(event.text) if restorer else event.text
                if not has_begun:
                    text = text.lstrip()
                if text:
                    has_begun = True
                    yield TextPiece(text) if text is not event.text else event
        raise ModelReplyInvalid("the stream ended without its finish")

    def _seconds_left(self) -> float:
        return self._deadline - asyncio.get_running_loop().time()

    def _finish(self, profile: ModelProfile, finished: Finished) -> None:
        text = "".join(self._given)
        if self._request.schema is not None and profile.provider != OFFLINE:
            if finished.was_cut:
                raise ModelReplyInvalid("the reply was cut before its JSON was whole")
            text = json_object(text, self._request.schema)
        is_by_rules = profile.provider == OFFLINE
        self._result = ModelReply(text, finished.model, profile.provider, is_by_rules, was_cut=finished.was_cut)

    def _book(self, profile: ModelProfile, request: ProviderRequest, usage: Usage | None, outcome: str, seconds: float) -> None:
        counted = usage or self._estimated(request)
        call = ModelCall(
            purpose=self._request.purpose,
            profile=self._request.profile,
            provider=profile.provider,
            model=profile.model,
            prompt_version=self._request.prompt_version,
            usage=counted,
            cost_micro_usd=cost_micro_usd(counted, profile.traits.price),
            milliseconds=round(seconds * 1000),
            outcome=outcome,
        )
        self._calls.append(call)
        if self._result is not None:
            self._result = replace(self._result, calls=tuple(self._calls)) if outcome == "ok" else None
        observe_model_call(provider=profile.provider, outcome=outcome, seconds=seconds)
        logger.info(
            "model_called",
            extra={
                "purpose": call.purpose,
                "provider": call.provider,
                "model": call.model,
                "outcome": outcome,
                "milliseconds": call.milliseconds,
                "input_tokens": counted.input_tokens,
                "output_tokens": counted.output_tokens,
            },
        )

    def _estimated(self, request: ProviderRequest) -> Usage:
        """Of a call that ended before the vendor told its count: it charges for what it read and wrote all the same."""
        if not self._given:
            return Usage()
        read = request.instructions + "".join(message.text for message in request.messages)
        return Usage(estimated_tokens(read), estimated_tokens("".join(self._given)))


def _speaks_against_the_model(error: ModelError) -> bool:
    """A refusal is an answer; a rate limit says when to come again."""
    return not isinstance(error, ModelRefused | ModelRateLimited)


def _offline_profile() -> ModelProfile:
    traits = traits_of(OFFLINE, OFFLINE)
    return ModelProfile("offline", OFFLINE, OFFLINE, None, traits.context_tokens // 2, traits.context_tokens, traits)


def open_llm(settings: Settings, *, clock: Clock | None = None) -> LLMService:
    """The service as the settings want it; ``ConfigurationError`` when they cannot work. Close it at the end."""
    profiles = profiles_from(settings)
    wanted = profiles.providers | {OFFLINE}
    return LLMService(
        {kind.name: kind.open(settings) for kind in PROVIDERS if kind.name in wanted},
        profiles,
        clock=clock,
        limits=Limits(
            silence_seconds=settings.llm_request_timeout,
            total_seconds=settings.llm_total_timeout,
            max_retries=settings.llm_max_retries,
            redacts=settings.redact_personal_data,
        ),
    )
