"""What we count and time, for ``/metrics``, health answers and the daily report.

Recording costs a microsecond or two and never waits. Labels are small closed sets (methods, outcomes, error classes),
never ids or texts.

With several server processes, each keeps its numbers in files of ``PROMETHEUS_MULTIPROC_DIR`` and the scrape adds them up.
``prometheus_client`` looks at that variable when it is first imported, so ``gunicorn.conf.py`` sets it before any worker starts.
"""

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, Sample
from prometheus_client.multiprocess import MultiProcessCollector

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_CONVERSATIONAL = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # no second series with the time at which each one began
_registry = CollectorRegistry(auto_describe=True)

http_requests_total = Counter("http_requests_total", "HTTP requests answered.", ("method", "route", "status"), registry=_registry)
http_request_duration_seconds = Histogram(
    "http_request_duration_seconds", "Time from request to answer.", ("route",), buckets=_FAST, registry=_registry
)
llm_call_duration_seconds = Histogram(
    "llm_call_duration_seconds", "Time of one model call.", ("provider", "outcome"), buckets=_CONVERSATIONAL, registry=_registry
)
cache_requests_total = Counter("cache_requests_total", "Look-ups in the cache.", ("outcome",), registry=_registry)
# It only grows, but a counter would be exposed as error_count_total, and dashboards ask for error_count.
error_count = Gauge("error_count", "Failures by class of error.", ("error_type",), registry=_registry, multiprocess_mode="sum")
slack_ack_seconds = Histogram(
    "slack_ack_seconds", "From the arrival of an event to our 200, storing included.", buckets=_FAST, registry=_registry
)
first_sign_seconds = Histogram(
    "first_sign_seconds", "From the arrival of a question to the first sign of work.", buckets=_CONVERSATIONAL, registry=_registry
)
first_words_seconds = Histogram(
    "first_words_seconds", "From the arrival of a question to the first words.", buckets=_CONVERSATIONAL, registry=_registry
)
answer_seconds = Histogram(
    "answer_seconds", "From the arrival of a question to its whole answer.", buckets=_CONVERSATIONAL, registry=_registry
)
inbox_undone = Gauge("inbox_undone", "Events waiting or being answered.", registry=_registry, multiprocess_mode="mostrecent")
slack_calls_total = Counter("slack_calls_total", "Calls to Slack's Web API.", ("method", "outcome"), registry=_registry)
streams_open = Gauge("streams_open", "Answers that are streaming now.", registry=_registry, multiprocess_mode="livesum")


def observe_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """One HTTP request. ``route`` is the template, never the path itself."""
    _requests(method, route, status).inc()
    _request_durations(route).observe(seconds)


def observe_model_call(*, provider: str, outcome: str, seconds: float) -> None:
    """One call to a model; ``outcome`` is ``ok``, ``stopped`` or the class of the error."""
    _model_calls(provider, outcome).observe(seconds)


def count_cache(*, is_hit: bool) -> None:
    """One look-up in the cache; ``cache_hit_rate`` is made of these."""
    _cache_requests("hit" if is_hit else "miss").inc()


def count_error(error: BaseException | str) -> None:
    """One failure, by its class."""
    _errors(error if isinstance(error, str) else type(error).__name__).inc()


def count_slack_call(*, method: str, outcome: str) -> None:
    """One call to Slack; ``outcome`` is ``ok`` or Slack's error code."""
    _slack_calls(method, outcome).inc()


def exposition() -> bytes:
    """All metrics of all processes in Prometheus' text format."""
    return generate_latest(_Everything())


def get_summary() -> dict[str, float | dict[str, float]]:
    """The few numbers a person asks for first."""
    metrics = {metric.name: metric for metric in _Everything().collect()}

    def samples(name: str, suffix: str) -> list[Sample]:
        return [sample for sample in metrics[name].samples if sample.name == name + suffix] if name in metrics else []

    def total(name: str, suffix: str = "_total") -> float:
        return sum(sample.value for sample in samples(name, suffix))

    def mean(name: str) -> float:
        return total(name, "_sum") / count if (count := total(name, "_count")) else 0.0

    return {
        "http_requests": total("http_requests"),
        "http_request_mean_seconds": mean("http_request_duration_seconds"),
        "llm_calls": total("llm_call_duration_seconds", "_count"),
        "llm_call_mean_seconds": mean("llm_call_duration_seconds"),
        "cache_hit_rate": total("cache_hit_rate", ""),
        "errors": {sample.labels["error_type"]: sample.value for sample in samples("error_count", "")},
        "slack_calls": total("slack_calls"),
        "slack_ack_p95_seconds": _quantile(samples("slack_ack_seconds", "_bucket"), 0.95),
        "first_words_p95_seconds": _quantile(samples("first_words_seconds", "_bucket"), 0.95),
        "answers": total("answer_seconds", "_count"),
        "answer_p95_seconds": _quantile(samples("answer_seconds", "_bucket"), 0.95),
        "inbox_undone": total("inbox_undone", ""),
        "streams_open": total("streams_open", ""),
    }


class _Everything:
    """This process' registry, or the sum over all processes, with the hit rate that only the sum can give."""

    def collect(self) -> Iterator[Metric]:
        metrics = list(self._source().collect())
        yield from metrics
        yield from _hit_rate(metrics)

    @staticmethod
    def _source() -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return _registry
        summing = CollectorRegistry()
        MultiProcessCollector(summing)  # type: ignore[no-untyped-call]
        return summing


def _hit_rate(metrics: Iterable[Metric]) -> Iterator[Metric]:
    counts: dict[str, float] = {}
    for metric in metrics:
        if metric.name == "cache_requests":
            for sample in metric.samples:
                if sample.name == "cache_requests_total":
                    counts[sample.labels["outcome"]] = counts.get(sample.labels["outcome"], 0.0) + sample.value
    if asked := sum(counts.values()):
        yield GaugeMetricFamily("cache_hit_rate", "Share of cache look-ups that found something.", counts.get("hit", 0.0) / asked)


def _quantile(buckets: list[Sample], share: float) -> float:
    """The upper edge of the bucket the quantile falls in; 0 when nothing was observed."""
    cumulated: dict[float, float] = {}
    for sample in buckets:
        edge = float(sample.labels["le"])
        cumulated[edge] = cumulated.get(edge, 0.0) + sample.value
    edges = sorted(cumulated)
    if not edges or not cumulated[edges[-1]]:
        return 0.0
    edge = next(edge for edge in edges if cumulated[edge] >= share * cumulated[edges[-1]])
    return edge if edge != float("inf") else edges[-2]


# ``labels()`` takes a lock and builds a tuple of strings each time; the children never change.
@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Counter:
    return http_requests_total.labels(method, route, status)


@lru_cache(maxsize=1024)
def _request_durations(route: str) -> Histogram:
    return http_request_duration_seconds.labels(route)


@lru_cache(maxsize=1024)
def _model_calls(provider: str, outcome: str) -> Histogram:
    return llm_call_duration_seconds.labels(provider, outcome)


@lru_cache(maxsize=8)
def _cache_requests(outcome: str) -> Counter:
    return cache_requests_total.labels(outcome)


@lru_cache(maxsize=1024)
def _errors(error_type: str) -> Gauge:
    return error_count.labels(error_type)


@lru_cache(maxsize=1024)
def _slack_calls(method: str, outcome: str) -> Counter:
    return slack_calls_total.labels(method, outcome)
