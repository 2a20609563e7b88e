"""How gunicorn runs the application. Read by `sales-agent serve`, and by `gunicorn … app.main:app` started in this folder.

Options on gunicorn's command line win over what stands here.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from app.core.config import load_settings
from app.core.garbage import spare_what_stays
from app.core.logging_config import logging_config

_settings = load_settings()

bind = os.environ.get("BIND", f"{_settings.host}:{_settings.port}")
workers = _settings.workers
worker_class = "uvicorn_worker.UvicornWorker"
keepalive = _settings.keepalive
timeout = 60
graceful_timeout = 30  # answers that are not finished by then are taken up by another process
max_requests = 0  # replacing workers cuts live connections; memory is watched instead
control_socket_disable = True  # else every instance of a user shares one socket in the home directory
proc_name = "ai-sales-agent"
# X-Forwarded-For counts only from the proxy itself. A Unix socket is reachable by the proxy alone.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "*" if bind.startswith("unix:") else "127.0.0.1,::1")
accesslog = None  # the application writes its own, with ids and times: ACCESS_LOG_FILE
logconfig_dict: dict[str, Any] = logging_config(level=_settings.log_level, console_as_json=_settings.logs_as_json)
logconfig_dict["loggers"]["gunicorn.error"] = {"level": _settings.log_level, "handlers": ["console"], "propagate": False}

# The metrics of several processes meet in a folder; prometheus_client looks for it when a worker first imports it.
_metrics_folder = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="ai-sales-agent-metrics-"))


def on_starting(_server: Any) -> None:
    shutil.rmtree(_metrics_folder, ignore_errors=True)
    Path(_metrics_folder).mkdir(parents=True, mode=0o700)


def post_worker_init(_worker: Any) -> None:
    spare_what_stays()


def child_exit(_server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess  # noqa: PLC0415 - it must not be imported before the folder is named

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(_metrics_folder, ignore_errors=True)
