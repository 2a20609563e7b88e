"""What is counted, and that several processes add up."""

import os
import re
import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).parents[3]

RECORD = """
from app.core import metrics
metrics.observe_request(method="POST", route="/api/v1/slack/events", status=200, seconds=0.002)
metrics.count_cache(is_hit=True); metrics.count_cache(is_hit=True); metrics.count_cache(is_hit=False)
metrics.count_error(ValueError("a secret text")); metrics.count_slack_call(method="chat.postMessage", outcome="ok")
metrics.observe_model_call(provider="openai", outcome="ok", seconds=1.5)
metrics.slack_ack_seconds.observe(0.004); metrics.first_sign_seconds.observe(0.2); metrics.first_words_seconds.observe(0.4)
metrics.answer_seconds.observe(2.5); metrics.inbox_undone.set(3); metrics.streams_open.inc()
"""
SHOW = "import json; from app.core import metrics; print(metrics.exposition().decode()); print(json.dumps(metrics.get_summary()))"

PROMISED = [
    "http_requests_total", "http_request_duration_seconds", "llm_call_duration_seconds", "cache_hit_rate", "error_count",
    "slack_ack_seconds", "first_sign_seconds", "first_words_seconds", "answer_seconds",
    "inbox_undone", "slack_calls_total", "streams_open",
]  # fmt: skip


def run(program: str, folder: Path | None = None) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND)}
    if folder is not None:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_promised_name_is_exposed() -> None:
    shown = run(RECORD + SHOW)
    for name in PROMISED:
        assert re.search(rf"^{name}(?:_count|_bucket)?[{{ ]", shown, re.MULTILINE), name
    assert 'error_count{error_type="ValueError"} 1.0' in shown
    assert "cache_hit_rate 0.66" in shown
    assert "a secret text" not in shown


def test_processes_add_up_and_the_hit_rate_is_that_of_all(tmp_path: Path) -> None:
    run(RECORD, tmp_path)
    run(RECORD + "metrics.count_cache(is_hit=False); metrics.count_cache(is_hit=False)", tmp_path)
    shown = run(SHOW, tmp_path)
    assert 'http_requests_total{method="POST",route="/api/v1/slack/events",status="200"} 2.0' in shown
    assert 'error_count{error_type="ValueError"} 2.0' in shown
    assert "cache_hit_rate 0.5" in shown
    assert "inbox_undone 3.0" in shown
    assert '"llm_calls": 2.0' in shown


def test_the_summary_of_a_fresh_process_is_zeros() -> None:
    assert '"http_requests": 0' in run(SHOW)
