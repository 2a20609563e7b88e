"""Where log lines go and what they may contain.

The names and formats are those of the operators' guide. Two things differ, because the guide's way loses lines or leaks:

* The file is opened by a ``WatchedFileHandler``. Several server processes that rotate one file by themselves tear it apart;
  here ``logrotate`` (or nothing, in a container) does it, and every process notices the new file.
* A filter on every handler adds the ids of the request and event and takes secrets and personal data out, also out of
  exception texts and arguments.
"""

import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.core import correlation
from app.core.config import Settings
from app.core.redaction import on_one_line, redact, redact_value

TEXT_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
JSON_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(event_id)s"
ACCESS_LOGGER = "app.access"

# Libraries that write bodies, prompts or tokens at their lower levels, or a line per job: whatever LOG_LEVEL says.
QUIET_LOGGERS = {
    "slack_bolt": "ERROR",
    "slack_sdk": "ERROR",
    "openai": "WARNING",
    "anthropic": "WARNING",
    "httpx": "WARNING",
    "httpx2": "WARNING",
    "httpcore": "WARNING",
    "httpcore2": "WARNING",
    "aiohttp": "WARNING",
    "sqlalchemy": "WARNING",
    "alembic": "WARNING",
    "procrastinate": "WARNING",
    "asyncio": "WARNING",
    "matplotlib": "WARNING",
    "multipart": "WARNING",
    "python_multipart": "WARNING",
}

_TRACE = "Traceback (most recent call last)"
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request_id",
    "event_id",
    "is_private",
    "color_message",
}


def logging_config(
    *, level: str = "INFO", file: Path | None = None, access_file: Path | None = None, console_as_json: bool = False
) -> dict[str, Any]:
    """The dictionary for :func:`logging.config.dictConfig`: a console, and JSON files where they are named."""
    handlers: dict[str, dict[str, Any]] = {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if console_as_json else "default",
            "filters": ["private"],
            "level": level,
        }
    }
    for name, path in (("file", file), ("access_file", access_file)):
        if path is not None:
            handlers[name] = {
                "class": "logging.handlers.WatchedFileHandler",
                "filename": str(path),
                "encoding": "utf-8",
                "formatter": "json",
                "filters": ["private"],
                "level": level,
            }
    loggers: dict[str, dict[str, Any]] = {name: {"level": quiet} for name, quiet in QUIET_LOGGERS.items()}
    if access_file is not None:
        loggers[ACCESS_LOGGER] = {"handlers": ["access_file"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"private": {"()": PrivacyFilter}},
        "formatters": {"default": {"()": TextFormatter, "fmt": TEXT_FORMAT}, "json": {"()": json_formatter}},
        "handlers": handlers,
        "loggers": loggers,
        "root": {"level": level, "handlers": [name for name in handlers if name != "access_file"]},
    }


def configure_logging(
    *, level: str = "INFO", file: Path | None = None, access_file: Path | None = None, console_as_json: bool = False
) -> None:
    """Sets logging up for this process, including the handlers that a server has already installed."""
    for path in (file, access_file):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    config = logging_config(level=level.upper(), file=file, access_file=access_file, console_as_json=console_as_json)
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # its report on a line that cannot be written prints the arguments, unredacted
    _guard_server_handlers()
    _log_uncaught_exceptions()


def configure_logging_from(settings: Settings) -> None:
    """Sets logging up as the settings say."""
    configure_logging(
        level=settings.log_level,
        file=settings.log_file,
        access_file=settings.access_log_file,
        console_as_json=settings.logs_as_json,
    )


class PrivacyFilter(logging.Filter):
    """Adds the ids and takes out what must not be written. Works once per record, however many handlers see it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_body_log(record):
            return False
        if getattr(record, "is_private", False):
            return True
        record.is_private = True
        record.request_id = correlation.request_id.get()
        record.event_id = correlation.event_id.get()
        message = _message_of(record)
        if message.startswith(_TRACE):  # uvicorn's way to report a start that failed
            record.exc_text, message = message, "uncaught_exception"
        record.msg, record.args = on_one_line(redact(message)), ()
        _redact_trace(record)
        fields = vars(record)
        for name in fields.keys() - _STANDARD_FIELDS:
            fields[name] = redact_value(name, fields[name])
        return True


class TextFormatter(logging.Formatter):
    """The guide's format, followed by the ids and fields; the lines of a trace are set in."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).split("\n")
        lines[0] += "".join(f" {name}={value}" for name, value in _fields(record).items())
        return "\n  | ".join(lines)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        return timestamp(record)


class _JsonLines(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        return timestamp(record)


def json_formatter() -> logging.Formatter:
    """One JSON object per line, in UTF-8 as it is read; further fields stand at the end, in the order they were given."""
    return _JsonLines(
        JSON_FORMAT,
        rename_fields={"asctime": "timestamp", "levelname": "level", "name": "logger", "exc_info": "exception"},
        reserved_attrs=list(_STANDARD_FIELDS - {"request_id", "event_id"}),
        json_ensure_ascii=False,
    )


def timestamp(record: logging.LogRecord) -> str:
    """The record's time in UTC, to the millisecond."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    ids = {name: value for name in ("request_id", "event_id") if (value := getattr(record, name, None))}
    return ids | {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format string must neither stop the caller nor print its arguments
        return f"{record.msg} (its arguments do not fit)"


def _redact_trace(record: logging.LogRecord) -> None:
    if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    record.exc_info = None  # formatters take exc_text when there is nothing to format again
    if record.exc_text:
        record.exc_text = _trace_text(record.exc_text)
    if record.stack_info:
        record.stack_info = _trace_text(record.stack_info)


def _trace_text(text: str) -> str:
    return "\n".join(on_one_line(line) for line in re.split(r"\r\n|\r|\n", redact(text)))


def _is_body_log(record: logging.LogRecord) -> bool:
    """The Slack libraries set levels on loggers of their own making; their lines below ``ERROR`` may hold whole bodies."""
    return record.levelno < logging.ERROR and record.name.split(".")[0] in {"slack_bolt", "slack_sdk"}


def _guard_server_handlers() -> None:
    """gunicorn and uvicorn bring handlers of their own: the same filter, and one access log instead of two."""
    for name in ("gunicorn.error", "gunicorn.access", "uvicorn", "uvicorn.error"):
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(present, PrivacyFilter) for present in handler.filters):
                handler.addFilter(PrivacyFilter())
    logging.getLogger("uvicorn.access").disabled = True  # ours says more: see middleware/access_log.py
    access_files = logging.getLogger("gunicorn.access").handlers
    if access_files:
        access = logging.getLogger(ACCESS_LOGGER)
        access.handlers, access.propagate = list(access_files), False
        for handler in access_files:
            handler.setFormatter(json_formatter())


def _log_uncaught_exceptions() -> None:
    def log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logging.getLogger("app").critical("uncaught_exception", exc_info=(kind, error, trace))

    def log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def log_unraisable(arguments: Any) -> None:
        if arguments.exc_value is not None:
            log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = log_uncaught, log_uncaught_in_thread, log_unraisable


LOGGING_CONFIG = logging_config()
