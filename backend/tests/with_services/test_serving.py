"""The product's own processes: started as a person starts them, asked over HTTP, stopped by a signal."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

BACKEND = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
KEY = "an-administrators-key"

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


@contextmanager
def running(*command: str, port: int, cwd: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process, once its health answers. Its output is shown when it does not."""
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND), "LANG": "en_GB.UTF-8", "EMBEDDING_PROVIDER": "none"}
    output = (
        (cwd / f"output-{port}.txt")
        if os.access(cwd, os.W_OK) and cwd != BACKEND
        else Path(environment["DATA_DIRECTORY"]) / "output.txt"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=cwd, env=surroundings | environment, stdout=file, stderr=file)
    try:
        wait_for(process, port, output)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if get(port, "/api/v1/health").status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"it did not start: {output.read_text(errors='replace')[-3000:]}")


def get(port: int, path: str, **headers: str) -> Any:
    return httpx2.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10, trust_env=False)


def stop(process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(sign)
    return process.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_brings_its_servers_shows_the_playground_and_stops_cleanly(sign: signal.Signals, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    port = free_port()
    data = tmp_path / "data"
    with running(
        sys.executable, "-m", "app", "demo", "--port", str(port), port=port, cwd=tmp_path, DATA_DIRECTORY=str(data)
    ) as demo:
        assert get(port, "/playground/").status_code == 200
        assert get(port, "/health/ready").status_code == 200
        assert stop(demo, sign) in {0, 130}
    told = (tmp_path / f"output-{port}.txt").read_text()
    assert f"http://localhost:{port}/playground/" in told
    assert "Traceback" not in told


@pytest.fixture
def product(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a deployed process whose Slack cannot be reached."""
    return {
        "DATABASE_URL": database_url, "REDIS_URL": redis_url, "DATA_DIRECTORY": str(tmp_path / "data"), "ADMIN_API_KEYS": KEY,
        "SLACK_BOT_TOKEN": "xoxb-an-example", "SLACK_SIGNING_SECRET": "an-example", "SLACK_API_URL": "http://127.0.0.1:1/api/",
        "DATABASE_POOL_SIZE": "5", "DATABASE_MAX_OVERFLOW": "5",
    }  # fmt: skip


def test_serve_runs_several_processes_whose_metrics_add_up(product: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    with running(sys.executable, "-m", "app", "serve", port=port, cwd=tmp_path, PORT=str(port), WORKERS="2", **product) as server:
        for _ in range(20):
            assert get(port, "/v1/status").status_code == 200
        metrics = get(port, "/metrics", **{"x-api-key": KEY}).text
        counted = re.search(r'http_requests_total\{method="GET",route="/v1/status",status="200"\} ([\d.]+)', metrics)
        assert counted is not None
        assert float(counted[1]) == 20
        assert get(port, "/metrics").status_code in {200, 401}
        assert stop(server) == 0


def test_the_guides_own_command_works_and_its_access_log_can_be_averaged(product: dict[str, str], tmp_path: Path) -> None:
    port, access = free_port(), tmp_path / "access.log"
    command = (
        sys.executable, "-m", "gunicorn", "--workers", "2", "--worker-class", "uvicorn.workers.UvicornWorker", "--bind",
        f"127.0.0.1:{port}", "--access-logfile", str(access), "--error-logfile", str(tmp_path / "error.log"), "app.main:app",
    )  # fmt: skip
    with running(*command, port=port, cwd=BACKEND, **product) as server:
        assert get(port, "/api/version").status_code == 200
        assert stop(server) == 0
    mean = subprocess.run(["awk", "{sum+=$NF} END {print sum/NR}", str(access)], capture_output=True, text=True, check=True)
    assert 0 < float(mean.stdout) < 30
    assert all("response_time" in line for line in access.read_text().splitlines())
