"""F6 over the whole product: whatever the models' servers do, each question gets one whole answer or a reason, in time.

All faults of a kind are shown at once, each to a question of its own, in one product.
"""

import asyncio
import itertools
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs import handle_event
from app.llm import circuit
from app.llm.providers import anthropic, chat_completions
from app.playground.small_slack import visible_text
from tests.doubles.model_server import ModelServer, Script, closed_address, cut, fails, hangs, says
from tests.doubles.product import Json, Product, open_product

WHOLE = ("まず理由を伺い、", "次に価値を示し、", "最後に条件を話します。")
BACKUP = ("別のモデルが、", "代わりに答えます。")
BY_RULES = "オフラインモード"
AT_ONCE = {
    "429 with Retry-After": fails(429, retry_after=1),
    "429": fails(429),
    "500": fails(500),
    "529": fails(529),
    "empty": says(),
    "invalid JSON": Script(pieces=WHOLE, corrupt_after=0),
    "invalid JSON after words": Script(pieces=WHOLE, corrupt_after=2),
    "error event": Script(pieces=WHOLE, error_event_after=2),
    **{
        f"{how} cut after {n}": cut(n, *WHOLE, abrupt=how == "hard")
        for n, how in itertools.product(range(len(WHOLE) + 1), ("soft", "hard"))
    },
}
SILENT = {"hang": hangs(), **{f"silent after {n}": Script(pieces=WHOLE, hang_after=n) for n in range(len(WHOLE) + 1)}}
FAULTS = [*({"kind": "at once", "faults": AT_ONCE, "patience": 20.0}, {"kind": "silent", "faults": SILENT, "patience": 1.0})]


@dataclass
class Models:
    """What the first model and the one behind it say to each question, by its number; calls are counted by number too."""

    first: dict[int, Script] = field(default_factory=dict)
    second: dict[int, Script] = field(default_factory=dict)
    only_once: bool = False
    first_calls: list[int] = field(default_factory=list)
    second_calls: list[int] = field(default_factory=list)

    def of_first(self, body: Json) -> Script:
        return self._say(_number_in(body), self.first, self.first_calls, WHOLE)

    def of_second(self, body: Json) -> Script:
        return self._say(_number_in(body), self.second, self.second_calls, BACKUP)

    def _say(self, number: int, faults: dict[int, Script], calls: list[int], otherwise: tuple[str, ...]) -> Script:
        is_over = self.only_once and number in calls
        calls.append(number)
        return says(*otherwise, piece_seconds=0.02) if is_over or number not in faults else faults[number]


def _number_in(body: Json) -> int:
    return int(re.findall(r"番号(\d+)", json.dumps(body["messages"][-1], ensure_ascii=False))[-1])


@pytest.fixture(autouse=True)
def _no_model_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The faults of one question shall not spare the others theirs."""
    monkeypatch.setattr(circuit, "FAILURES_TO_OPEN", 10_000)


@pytest.fixture
def open_with(database_url: str, redis_url: str, tmp_path: Path) -> Callable[..., Any]:
    """Opens the product with a first model and another behind it."""

    @asynccontextmanager
    async def opened(models: Models, **settings: Any) -> AsyncIterator[Product]:
        async with ModelServer(models.of_second) as second:
            given = {
                "llm_provider": "openai_compatible", "llm_fallbacks": ("anthropic",), "llm_max_retries": 2,
                "anthropic_api_key": "test-key", "anthropic_base_url": second.anthropic_url,
                "slack_stream_starts_per_minute": 1000, "slack_edits_per_minute": 1000, **settings,
            }  # fmt: skip
            async with open_product(database_url, redis_url, tmp_path, **given) as product:
                product.model.respond = models.of_first
                yield product

    return opened


async def ask_all(product: Product, count: int) -> list[tuple[str, Json]]:
    """The text and the whole of the one answer to each question."""
    sent = [await product.slack.mention(f"質問番号{number} 値引きを求められたらどうしますか？") for number in range(count)]
    await asyncio.gather(*(product.slack.wait_for_final(one) for one in sent))
    await product.until_quiet()
    assert [len(product.slack.answers_to(one)) for one in sent] == [1] * count
    answers = [product.slack.answers_to(one)[0] for one in sent]
    return [(words_of(answer), answer) for answer in answers]


def words_of(answer: Json) -> str:
    """What the model has said, without what stands under it."""
    return "".join(block["text"] for block in answer["blocks"] if block["type"] == "markdown")


def is_part_of_an_answer(text: str) -> bool:
    return any(piece in text for piece in (*WHOLE, *BACKUP))


@pytest.mark.parametrize("given", FAULTS, ids=lambda given: given["kind"])
async def test_a_passing_fault_ends_in_a_whole_answer(open_with: Callable[..., Any], given: dict[str, Any]) -> None:
    models = Models(dict(enumerate(given["faults"].values())), only_once=True)
    async with open_with(models, llm_request_timeout=given["patience"]) as product:
        answers = await ask_all(product, len(given["faults"]))
        for name, (text, _) in zip(given["faults"], answers, strict=True):
            assert text in {"".join(WHOLE), "".join(BACKUP)}, name
        assert set(await product.outcomes()) == {"answered"}


@pytest.mark.parametrize("streams", [1000, 0], ids=["streamed", "by edits"])
@pytest.mark.parametrize("given", FAULTS, ids=lambda given: given["kind"])
async def test_a_lasting_fault_is_answered_by_the_model_behind_after_one_more_try_at_most(
    open_with: Callable[..., Any], given: dict[str, Any], streams: int
) -> None:
    models = Models(dict(enumerate(given["faults"].values())))
    settings = {"llm_request_timeout": given["patience"], "slack_stream_starts_per_minute": streams}
    async with open_with(models, **settings) as product:
        answers = await ask_all(product, len(given["faults"]))
        for number, (name, (text, _)) in enumerate(zip(given["faults"], answers, strict=True)):
            assert text == "".join(BACKUP), name
            assert 1 <= models.first_calls.count(number) <= 2, name
        assert set(await product.outcomes()) == {"answered"}
        assert {row["attempts"] for row in await product.rows("select attempts from inbox")} == {1}


@pytest.mark.parametrize("given", FAULTS, ids=lambda given: given["kind"])
async def test_with_both_models_down_the_rules_answer_and_no_part_of_a_reply_is_left(
    open_with: Callable[..., Any], given: dict[str, Any]
) -> None:
    faults = dict(enumerate(given["faults"].values()))
    models = Models(faults, faults)
    async with open_with(models, llm_request_timeout=given["patience"]) as product:
        answers = await ask_all(product, len(given["faults"]))
        for number, (name, (text, answer)) in enumerate(zip(given["faults"], answers, strict=True)):
            assert text and not is_part_of_an_answer(visible_text(answer)), name
            assert BY_RULES in visible_text(answer), name
            assert models.first_calls.count(number) <= 2, name
        said = [
            row["outcome"] for row in await product.rows("select distinct outcome from model_usage where provider <> 'offline'")
        ]
        assert said and "ok" not in said  # all of it is in the books, and none of it as an answer


async def test_who_was_answered_by_rules_can_ask_the_model_again_when_it_is_back(open_with: Callable[..., Any]) -> None:
    models = Models({0: fails(500)}, {0: fails(500)})
    async with open_with(models) as product:
        asked = await product.slack.mention("質問番号0 値引きを求められたらどうしますか？")
        [by_rules] = await product.final(asked)
        models.first.clear()
        assert (await product.slack.click("retry_question", ts=by_rules["ts"])).is_ok
        await product.until_asked(2)
        by_rules, answer = await product.final(asked)
        assert words_of(answer) == "".join(WHOLE) and "retry_question" not in json.dumps(answer)


@pytest.fixture
def unreachable() -> Iterator[str]:
    """An address that neither takes nor refuses connections: its queue is full, and nobody empties it."""
    with socket.socket() as listening, socket.socket() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting.setblocking(False)
        waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "timeout"])
async def test_a_model_that_cannot_be_connected_to_is_replaced_by_the_one_behind_it_and_that_one_by_the_rules(
    open_with: Callable[..., Any], unreachable: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in (anthropic, chat_completions):
        monkeypatch.setattr(provider, "CONNECT_SECONDS", 0.3)
    address = closed_address() if is_refused else unreachable
    async with open_with(Models(), llm_base_url=f"{address}/v1") as product:
        [(text, _)] = await ask_all(product, 1)
        assert text == "".join(BACKUP)


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "timeout"])
async def test_with_no_model_to_connect_to_the_rules_answer(
    open_with: Callable[..., Any], unreachable: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in (anthropic, chat_completions):
        monkeypatch.setattr(provider, "CONNECT_SECONDS", 0.3)
    address = closed_address() if is_refused else unreachable
    async with open_with(Models(), llm_base_url=f"{address}/v1", anthropic_base_url=address) as product:
        [(_, answer)] = await ask_all(product, 1)
        assert BY_RULES in visible_text(answer)


async def test_when_the_time_of_a_turn_is_over_the_rules_answer_instead_of_half_a_reply(open_with: Callable[..., Any]) -> None:
    """A model that never falls silent long enough to be given up, and never comes to its end either."""
    endless = Script(pieces=WHOLE * 500, piece_seconds=0.05)
    async with open_with(Models({0: endless}, {0: endless}), llm_total_timeout=1.0) as product:
        [(text, answer)] = await ask_all(product, 1)
        assert not is_part_of_an_answer(text) and BY_RULES in visible_text(answer)


async def test_what_takes_longer_than_people_wait_ends_in_one_apology_with_a_reference_and_a_button(
    open_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle_event, "GIVE_UP_AFTER", timedelta(seconds=1.0))
    models = Models({0: Script(pieces=WHOLE, hang_after=2)}, only_once=True)
    async with open_with(models) as product:
        asked = await product.slack.mention("質問番号0 値引きを求められたらどうしますか？")
        [apology] = await product.final(asked)
        assert not is_part_of_an_answer(visible_text(apology)) and "応答していません" in visible_text(apology)
        [row] = await product.rows("select outcome, reference from inbox")
        assert row["outcome"] == "explained" and row["reference"] in visible_text(apology)
        monkeypatch.setattr(handle_event, "GIVE_UP_AFTER", timedelta(seconds=150))
        assert (await product.slack.click("retry_question", ts=apology["ts"])).is_ok
        await product.until_asked(2)
        apology, answer = await product.final(asked)
        assert words_of(answer) == "".join(WHOLE)


@pytest.mark.parametrize("pieces", [(), WHOLE], ids=["at once", "after words"])
async def test_a_model_that_declines_is_told_of_once_and_nobody_else_is_asked(
    open_with: Callable[..., Any], pieces: tuple[str, ...]
) -> None:
    models = Models({0: Script(pieces=pieces, end="refusal")})
    async with open_with(models) as product:
        [(_, apology)] = await ask_all(product, 1)
        assert "言い方を変えて" in visible_text(apology) and "E-" in visible_text(apology)
        assert not is_part_of_an_answer(visible_text(apology)) and "retry_question" in json.dumps(apology)
        assert models.second_calls == [] and len(models.first_calls) == 1


@pytest.mark.parametrize("fault", [says('{"facts": [{"na'), says("これはJSONではありません"), fails(500), cut(1, '{"', '"}')],
                         ids=["broken JSON", "no JSON", "500", "cut"])  # fmt: skip
async def test_a_guided_talk_goes_on_by_rules_when_a_model_gives_no_usable_json(
    open_with: Callable[..., Any], fault: Script
) -> None:
    async with open_with(Models()) as product:
        product.model.respond = lambda _body: fault
        asked = await product.slack.dm("提案のあと、お客様からの返事が来なくなって困っています。番号0")
        [turn] = await product.final(asked)
        assert "？" in words_of(turn) and "これはJSON" not in visible_text(turn) and '{"' not in visible_text(turn)
        assert await product.outcomes() == ["answered"]
