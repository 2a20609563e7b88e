"""Log lines: what they look like, and that nothing private gets into them by any path (threat T13)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.logging_config import logging_config
from tests.unit.core.canaries import CANARIES

BACKEND = Path(__file__).parents[3]

EVERY_PATH = """
import asyncio, json, logging, pathlib, sys, threading, warnings
from app.core.logging_config import configure_logging

texts = json.load(sys.stdin)
configure_logging(level="DEBUG", file=pathlib.Path(sys.argv[1]), console_as_json=sys.argv[2] == "json")
logger = logging.getLogger("app.somewhere")

class Careless(Exception):
    pass

class Unraisable:
    def __init__(self, text): self.text = text
    def __del__(self): raise Careless(self.text)

async def lose_a_task(text):
    async def fail(): raise Careless(text)
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task

for text in texts:
    logger.info(text)
    logger.info("in arguments: %s %r", text, {"x": text})
    logger.info("in_a_field", extra={"anything": text, "nested": {"deep": [text]}})
    logger.info("fields_by_name", extra={"slack_bot_token": text, "text": text, "payload": {"a": text}})
    logger.info("%d", text)
    logger.info("too many", text)
    logger.info("with_the_stack " + text, stack_info=True)
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            error.add_note(text)
            raise Careless(text) from error
    except Careless:
        logger.exception("it_failed")
        logging.getLogger("app.other").error("again", exc_info=True, extra={"why": sys.exc_info()[1]})
    warnings.warn(text, stacklevel=1)
    for library in ("slack_bolt.AsyncApp", "slack_sdk.web.async_client", "openai._base_client", "procrastinate"):
        child = logging.getLogger(library)
        child.debug("body: %s", text)
        child.error("failed with %s", text)
    eager = logging.getLogger("slack_bolt.MyListener")
    eager.setLevel("DEBUG")
    eager.warning("unhandled request: MESSAGE-BODY")
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(Careless(text)))
    thread.start(); thread.join()
    unraisable = Unraisable(text)
    del unraisable
    asyncio.run(lose_a_task(text))
raise Careless(" ".join(texts))
"""


def run(program: str, *arguments: str, stdin: str = "") -> str:
    """What a program wrote to both streams."""
    environment = {"PYTHONPATH": str(BACKEND), "PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=stdin, capture_output=True, text=True, encoding="utf-8", env=environment, check=False, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("console", ["text", "json"])
def test_no_planted_secret_reaches_any_stream_by_any_path(console: str, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "app.log"
    streams = run(EVERY_PATH, str(file), console, stdin=json.dumps([canary.text for canary in CANARIES.values()]))
    written = streams + file.read_text(encoding="utf-8")
    assert "uncaught_exception" in streams, streams[-2000:]
    assert written.count("it_failed") == 2 * len(CANARIES)
    assert [kind for kind, canary in CANARIES.items() if canary.secret in written] == []
    assert "CANARY" not in written
    assert "MESSAGE-BODY" not in written


def test_json_lines_carry_time_level_logger_and_ids_in_utf_8(tmp_path: Path) -> None:
    program = """
import logging, pathlib, sys
from app.core.correlation import working_for
from app.core.logging_config import configure_logging
configure_logging(file=pathlib.Path(sys.argv[1]))
with working_for(request="r1", event="Ev1"):
    logging.getLogger("app.x").warning("値引き", extra={"seconds": 0.5, "skill": "商談"})
logging.getLogger("app.x").info("later")
"""
    file = tmp_path / "app.log"
    console = run(program, str(file))
    first, second = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("WARNING", "app.x", "値引き")
    assert (first["request_id"], first["event_id"]) == ("r1", "Ev1")
    assert (first["seconds"], first["skill"]) == (0.5, "商談")
    assert first["timestamp"].endswith("Z")
    assert "商談" in file.read_text(encoding="utf-8")
    assert second["request_id"] is None
    assert " - app.x - WARNING - 値引き request_id=r1 event_id=Ev1 seconds=0.5 skill=商談" in console


def test_nobody_can_forge_a_log_line(tmp_path: Path) -> None:
    program = r"""
import logging, pathlib, sys
from app.core.logging_config import configure_logging
configure_logging(file=pathlib.Path(sys.argv[1]))
log = logging.getLogger("app.x")
forged = "a\n2026-01-01 - app - INFO - forged\r\x1b[2Jb\u2028c"
log.info(forged); log.info("%s", forged); log.info("field", extra={"who": forged})
try: raise ValueError(forged)
except ValueError: log.exception("failed")
"""
    file = tmp_path / "app.log"
    console = run(program, str(file))
    assert not [line for line in console.splitlines() if line.startswith(("2026-01-01", "c"))]
    assert "\x1b" not in console
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4


def test_a_file_moved_away_by_logrotate_is_opened_anew(tmp_path: Path) -> None:
    program = """
import logging, pathlib, sys
from app.core.logging_config import configure_logging
file = pathlib.Path(sys.argv[1])
configure_logging(file=file)
logging.getLogger("app").info("before")
file.rename(file.with_suffix(".1"))
logging.getLogger("app").info("after")
"""
    file = tmp_path / "app.log"
    run(program, str(file))
    assert "before" in file.with_suffix(".1").read_text()
    assert "after" in file.read_text()


def test_the_names_are_those_of_the_operators_guide() -> None:
    config = logging_config(file=Path("/var/log/ai-sales-agent/app.log"))
    assert set(config["formatters"]) == {"default", "json"}
    assert set(config["handlers"]) == {"console", "file"}
    assert config["root"]["handlers"] == ["console", "file"]
    assert config["formatters"]["default"]["fmt"] == "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
