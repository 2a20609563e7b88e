"""What a message costs on its way from Slack to its answer, beside two small bots measured in the same run.

``ack``  accepting events: the product commits each to PostgreSQL before it acknowledges; the yardstick stores nothing.
``cpu``  processor time per answered event: the product retrieves, remembers and records; the yardstick only streams.
``words``  first and last word, net of the model's own pace, at 20 events a second.
``flow``  answered events a second in one process; none missing, none doubled.
``streams``  many answers streaming at once while events keep arriving.
``calls``  Slack calls per reply under Slack's real limits.
``memory``  what an idle process and an open conversation hold.

Run all with ``make bench``, or some: ``python benchmarks/message_path.py ack words``.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench_world import (
    FIRST_TOKEN_SECONDS,
    MODEL_SECONDS,
    Bot,
    Model,
    acks,
    forget_events,
    free_port,
    model,
    our_app,
    percentile,
    send_mentions,
    services,
    slack,
    timings_of,
    until_answered,
    yardstick,
)
from marks import Row

from app.embedded.services import EmbeddedServices
from app.playground.small_slack import SmallSlack

NO_STREAM_LIMIT = {"SLACK_STREAM_STARTS_PER_MINUTE": "100000", "SLACK_EDITS_PER_MINUTE": "100000"}
ACK_ROUNDS = 5


@dataclass(frozen=True)
class Place:
    """What every measurement needs."""

    running: EmbeddedServices
    model: Model


async def warm_up(world: SmallSlack) -> None:
    sent = await send_mentions(world, rate=10, seconds=1)
    await until_answered(world, sent, seconds=20)
    world.record.clear()


@asynccontextmanager
async def product(place: Place, port: int, api: str, *, is_single: bool = True, **more: str) -> AsyncIterator[Bot]:
    await forget_events(place.running.database_url)
    async with our_app(port, api, place.model.url, place.running, is_single=is_single, **(NO_STREAM_LIMIT | more)) as bot:
        yield bot


async def measure_acks(place: Place) -> list[Row]:
    """Both bots by turns, since a machine is not equally quick all the time; the middle one of the ratios counts."""

    async def run(start: Callable[[int, str], AbstractAsyncContextManager[Bot]]) -> list[float]:
        port = free_port()
        async with slack(port) as world, start(port, f"{world.api.base_url}/api/"):
            await send_mentions(world, rate=10, seconds=2)
            await asyncio.sleep(4)
            world.record.clear()
            await send_mentions(world, rate=100, seconds=10)
            await asyncio.sleep(5)
            return acks(world)

    ratios: dict[float, list[float]] = {0.5: [], 0.99: []}
    for _ in range(ACK_ROUNDS):
        ours = await run(lambda port, api: product(place, port, api, WORKER_CONCURRENCY="1"))
        theirs = await run(lambda port, api: yardstick("ack", port, api, place.model.url))
        assert len(ours) >= 1000, f"only {len(ours)} of 1000 events were acknowledged"
        for share, found in ratios.items():
            slow, quick = percentile(ours, share) * 1000, percentile(theirs, share) * 1000
            found.append(slow / quick)
            print(f"  (p{share * 100:g}: {slow:.2f} ms, yardstick {quick:.2f} ms)")
    return [
        Row("ack with commit ÷ ack alone, p50 (100 events/s)", median(ratios[0.5]), 2, 1.3, "×"),
        Row("ack with commit ÷ ack alone, p99 (100 events/s)", median(ratios[0.99]), 4, 2.5, "×"),
    ]


async def measure_cpu(place: Place) -> list[Row]:
    async def run(start: Callable[[int, str], AbstractAsyncContextManager[Bot]]) -> float:
        port = free_port()
        async with slack(port) as world, start(port, f"{world.api.base_url}/api/") as bot:
            await warm_up(world)
            # The embedding that may be used at once is spent before: what is measured is the long run.
            await until_answered(world, await send_mentions(world, rate=25, seconds=4), seconds=20)
            before = bot.cpu_seconds()
            sent = await send_mentions(world, rate=25, seconds=20)
            await until_answered(world, sent, seconds=30)
            return (bot.cpu_seconds() - before) / len(sent) * 1000

    ours = await run(lambda port, api: product(place, port, api))
    theirs = await run(lambda port, api: yardstick("stream", port, api, place.model.url))
    print(f"  (processor time per answered event: {ours:.1f} ms, yardstick {theirs:.1f} ms)")
    return [Row("processor time per answered event ÷ yardstick", ours / theirs, 1.0, 0.55, "×")]


async def measure_words(place: Place) -> list[Row]:
    port = free_port()
    async with slack(port) as world, product(place, port, f"{world.api.base_url}/api/"):
        await warm_up(world)
        sent = await send_mentions(world, rate=20, seconds=20)
        timings = (await until_answered(world, sent, seconds=30)).values()
    first = [timing.first_words - FIRST_TOKEN_SECONDS for timing in timings if timing.first_words]
    last = [timing.last_word - MODEL_SECONDS for timing in timings if timing.last_word]
    signs = [timing.sign for timing in timings if timing.sign]
    return [
        Row("first words net of the model, p50", percentile(first, 0.5) * 1000, 30, 15, "ms"),
        Row("last word net of the model, p50", percentile(last, 0.5) * 1000, 50, 20, "ms"),
        Row("sign of work, p95", percentile(signs, 0.95) * 1000, 2000, 200, "ms"),
    ]


async def measure_flow(place: Place) -> list[Row]:
    """More questions than can be answered at once. The yardstick, which stores nothing, tells how quick the machine is today."""

    async def run(start: Callable[[int, str], AbstractAsyncContextManager[Bot]]) -> tuple[float, int]:
        port = free_port()
        async with slack(port) as world, start(port, f"{world.api.base_url}/api/"):
            await warm_up(world)
            sent = await send_mentions(world, rate=130, seconds=15)
            timings = (await until_answered(world, sent, seconds=60)).values()
            moments = [entry["at"] for entry in world.record.of("visible")]
        missing = sum(timing.last_word is None for timing in timings)
        doubled = sum(len(timing.finals) > 1 for timing in timings)
        return len(sent) / (max(moments) - min(moments) - MODEL_SECONDS), missing + doubled

    ours, wrong = await run(lambda port, api: product(place, port, api))
    theirs, _ = await run(lambda port, api: yardstick("stream", port, api, place.model.url))
    print(f"  (the yardstick answers {theirs:.1f} a second: {ours / theirs:.2f} × as many are ours)")
    return [
        Row("answered events a second in one process", ours, 80, 120, "/s", at_most=False),
        Row("events without an answer or with two", wrong, 0, 0),
    ]


async def measure_streams(place: Place) -> list[Row]:
    return [row for wanted in (150, 300) for row in await _streams_at_once(place, wanted)]


async def _streams_at_once(place: Place, wanted: int) -> list[Row]:
    """Questions over ten seconds, whose answers take twenty: in between, all of them stream."""
    with model(seconds=20.0) as slow:
        port = free_port()
        where = Place(place.running, slow)
        async with slack(port) as world, product(where, port, f"{world.api.base_url}/api/"):
            await asyncio.sleep(1)
            sent = await send_mentions(world, rate=wanted / 10, seconds=10)
            open_at_once = sum(t.sign is not None and t.last_word is None for t in timings_of(world, sent).values())
            timings = (await until_answered(world, sent, seconds=90)).values()
            slowest = percentile(acks(world), 0.99) * 1000
    return [
        Row(f"answers streaming at once, of {wanted}", open_at_once, 0.99 * wanted, 0.99 * wanted, "", at_most=False),
        Row(f"ack p99 meanwhile, {wanted}", slowest, 100, 100, "ms"),
        Row(f"streams that never ended, of {wanted}", sum(t.last_word is None for t in timings), 0, 0),
    ]


async def measure_calls(place: Place) -> list[Row]:
    port = free_port()
    async with (
        slack(port, has_strict_rates=True) as world,
        our_app(port, f"{world.api.base_url}/api/", place.model.url, place.running),
    ):
        # Whoever writes for the first time is looked up, once a day; the minute after it has Slack's limits for itself.
        await send_mentions(world, rate=1, seconds=10, people=10)
        await asyncio.sleep(60)
        world.record.clear()
        sent = await send_mentions(world, rate=1, seconds=75, people=10)
        timings = (await until_answered(world, sent, seconds=120)).values()
        methods = dict(world.record.calls_per_method)
    print(f"  ({methods})")
    return [
        Row("Slack calls a reply under Slack's limits (60 questions/min)", sum(methods.values()) / len(sent), 3, 3),
        Row("replies missing", sum(timing.last_word is None for timing in timings), 0, 0),
    ]


async def measure_memory(place: Place) -> list[Row]:
    """Processes as production runs them: gunicorn's, each counted with its part of what they share."""
    port = free_port()
    async with slack(port) as world:
        api = f"{world.api.base_url}/api/"
        async with product(place, port, api, is_single=False) as bot:
            await asyncio.sleep(3)
            idle = bot.megabytes_per_process()
            await warm_up(world)
            await warm_up(world)
            loaded = bot.megabytes_per_process()
            sent = await send_mentions(world, rate=40, seconds=25)
            await until_answered(world, sent, seconds=30)
            per_conversation = (bot.megabytes_per_process() - loaded) * 1000 / len(sent) * 2  # two processes share them
    return [
        Row("idle process", idle, 150, 120, "MB"),
        Row("with search models loaded", loaded, 280, 260, "MB"),
        Row("per open conversation", per_conversation, 100, 100, "kB"),
    ]


MEASUREMENTS: dict[str, Callable[[Place], Coroutine[Any, Any, list[Row]]]] = {
    "ack": measure_acks,
    "cpu": measure_cpu,
    "words": measure_words,
    "flow": measure_flow,
    "streams": measure_streams,
    "calls": measure_calls,
    "memory": measure_memory,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("measurements", nargs="*", choices=[[], *MEASUREMENTS], help="default: all")
    chosen = arguments.parse_args().measurements or list(MEASUREMENTS)
    with services() as running, model() as scripted:
        for name in chosen:
            print(f"{name}:", flush=True)
            for row in asyncio.run(MEASUREMENTS[name](Place(running, scripted))):
                print(f"  {row}", flush=True)


if __name__ == "__main__":
    main()
