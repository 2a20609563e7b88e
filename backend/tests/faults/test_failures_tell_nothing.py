"""T13 over the whole product: what fails is logged, counted and kept, and none of it repeats a secret or what somebody wrote."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.core import metrics
from app.core.logging_config import QUIET_LOGGERS, TEXT_FORMAT, PrivacyFilter, TextFormatter, json_formatter
from app.playground.demo_workspace import KENTA, TEAM, YOKO
from app.playground.small_slack import visible_text
from tests.doubles.files import price_faq
from tests.doubles.product import Product, open_product
from tests.unit.core.canaries import CANARIES

WORDS = "甲乙丙商事の極秘案件"
"""What somebody wrote, and no pattern could know. It must not even reach a filter."""


@dataclass
class Lines:
    """All that is logged: as it was said, and as the console and the file show it."""

    said: io.StringIO = field(default_factory=io.StringIO)
    console: io.StringIO = field(default_factory=io.StringIO)
    file: io.StringIO = field(default_factory=io.StringIO)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The handlers of a deployed process, at their most talkative; the libraries' loggers are as quiet as there."""
    collected, root = Lines(), logging.getLogger()
    said = logging.StreamHandler(collected.said)
    console, file = logging.StreamHandler(collected.console), logging.StreamHandler(collected.file)
    console.setFormatter(TextFormatter(TEXT_FORMAT))
    file.setFormatter(json_formatter())
    handlers = [said, console, file]
    for handler in (console, file):
        handler.addFilter(PrivacyFilter())
    before = {name: logging.getLogger(name).level for name in (None, "app", *QUIET_LOGGERS)}
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    root.setLevel(logging.DEBUG)
    logging.getLogger("app").setLevel(logging.DEBUG)
    root.handlers[:0] = handlers
    yield collected
    for handler in handlers:
        root.removeHandler(handler)
    for name, kept in before.items():
        logging.getLogger(name).setLevel(kept)


@pytest.fixture
async def product(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Product]:
    async with open_product(database_url, redis_url, tmp_path) as opened:
        yield opened


def texts() -> list[str]:
    return [f"{WORDS} {canary.text}" for canary in CANARIES.values()]


async def fail_with_secrets(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is called breaks with an error that repeats a secret: as drivers and vendors do."""
    secrets = [canary.text for canary in CANARIES.values()]
    product.door.failures += [RuntimeError(secret) for secret in secrets * 3]

    def broken(number: int = 0) -> Any:
        async def fail(*_: Any, **__: Any) -> Any:
            nonlocal number
            number += 1
            raise RuntimeError(secrets[number % len(secrets)])

        return fail

    monkeypatch.setattr(product.edge.knowledge, "search", broken())
    monkeypatch.setattr(product.edge.change_plan, "tick", broken(5))
    monkeypatch.setattr(product.edge.import_knowledge, "undo", broken(10))


async def bring_in(product: Product) -> dict[str, Any]:
    file = product.slack.new_file("価格FAQ.docx", price_faq(), user=YOKO)
    [report] = await product.final(await product.slack.dm("", files=[file], user=YOKO))
    return report


async def messages_fail(product: Product) -> None:
    for text in texts():
        await product.slack.dm(f"{text} への値引きはどうすればよいですか？")


async def commands_fail(product: Product) -> None:
    for text in texts():
        answer = await product.slack.command("/ai_knowledge", text)
        assert "E-" in json.dumps(answer.json())


async def actions_fail(product: Product, report: dict[str, Any]) -> None:
    """One that fails while Slack waits, for each secret in its value; and one that a worker gives up."""
    for number, text in enumerate(texts()):
        answer = await product.slack.deliveries.interaction(
            {
                "type": "block_actions", "api_app_id": product.slack.workspace().app_id, "team": {"id": TEAM},
                "user": {"id": KENTA}, "trigger_id": f"forged.{number}", "container": {"type": "view"},
                "view": {"type": "home", "id": "VH", "callback_id": "home", "private_metadata": text},
                "actions": [{"type": "button", "block_id": "b", "action_id": "plan_item_done", "value": text}],
            }
        )  # fmt: skip
        assert not answer.is_ok
    channel = product.slack.workspace().direct(YOKO).id
    button = next(block for block in report["blocks"] if block["type"] == "actions")["elements"][0]
    assert (await product.slack.click(button["action_id"], ts=report["ts"], channel=channel, user=YOKO)).is_ok


async def columns_in_the_clear(product: Product) -> str:
    """Every value of every table, also of the queue's. What is encrypted is there as it is stored."""
    values: list[str] = []
    for table in [row["tablename"] for row in await product.rows("select tablename from pg_tables where schemaname = 'public'")]:
        for row in await product.rows(f'select * from "{table}"'):
            values += [
                f"{table}.{name}: " + (value.decode("utf-8", "ignore") if isinstance(value, bytes) else repr(value))
                for name, value in row.items()
            ]
    return "\n".join(values)


def found_in(text: str) -> list[str]:
    return [name for name, canary in CANARIES.items() if canary.secret in text] + (["words"] if WORDS in text else [])


async def test_nothing_that_was_written_or_that_an_error_says_gets_out(
    product: Product, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await bring_in(product)
    await fail_with_secrets(product, monkeypatch)
    await messages_fail(product)
    await commands_fail(product)
    await actions_fail(product, report)
    await product.until_quiet()

    letters = await product.services.inbox.dead_letters(TEAM, limit=100)
    assert [letter.kind for letter in letters].count("message") == len(CANARIES)
    assert [letter.kind for letter in letters].count("action") == 1
    for name in ("event_given_up", "interaction_failed"):
        assert name in lines.console.getvalue() and name in lines.file.getvalue()
    assert found_in(lines.said.getvalue()) == list(CANARIES)  # the errors did say it, and none of them what was written
    assert found_in(lines.console.getvalue()) == found_in(lines.file.getvalue()) == []
    assert found_in(metrics.exposition().decode()) == []
    assert found_in(repr(letters)) == []
    assert found_in(await columns_in_the_clear(product)) == []
    for user in (KENTA, YOKO):
        place = product.slack.workspace().direct(user)
        ours = [one for one in (*place.messages.values(), *place.ephemerals.values()) if one.get("bot_id")]
        assert ours and found_in("\n".join(map(visible_text, ours))) == []


async def test_the_events_of_an_ordinary_day_are_logged_without_what_was_said(product: Product, lines: Lines) -> None:
    for text in texts():
        await product.slack.dm(f"{text} への値引きはどうすればよいですか？")
        await product.slack.command("/ai_knowledge", text)
    await product.until_quiet()
    assert set(await product.outcomes()) == {"answered"}
    assert found_in(lines.said.getvalue()) == []
    assert found_in(await columns_in_the_clear(product)) == []
