"""The window of memories and the answer to "why?": within Slack's limits, empty, usual and very full, in every language."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.assistant.memories import PAGE, MemoryPage
from app.assistant.provenance import Provenance
from app.coaching.memory.insight import LONGEST_TEXT, Kind, StatedBy
from app.coaching.memory.repository import ShownMemory
from app.dialogue.conversation import Conversation
from app.dialogue.turn import MadeWith, RecordedAnswer
from app.i18n.language import Language
from app.knowledge.passage import Passage
from app.slack.blocks.memory import edit_view, memory_view
from app.slack.blocks.validate import problems_of, problems_of_view
from app.slack.blocks.why import why_blocks, why_button

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 4, 1, 20, 0, tzinfo=UTC)
HERE = Conversation("T1", "D1", "1.1", is_direct=True)
NASTY = "<!channel> *太字* & <https://evil.example|こちら> ` " * 20


def memory(number: int, text: str = "価格交渉が苦手です", **more: object) -> ShownMemory:
    values = {"confidence": 0.6, "stated_by": StatedBy.COACH, "observed_at": NOW - timedelta(days=number), "said_in": HERE}
    return ShownMemory(number, list(Kind)[number % 6], text, **{**values, **more})  # type: ignore[arg-type]


def page(*memories: ShownMemory, number: int = 1, pages: int = 1) -> MemoryPage:
    return MemoryPage(memories, number, pages, len(memories) * pages)


def text_of(view: object) -> str:
    return json.dumps(view, ensure_ascii=False).replace("\u2060", "")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "shown", [page(), page(memory(1)), page(*(memory(n, NASTY[:LONGEST_TEXT]) for n in range(PAGE)), number=2, pages=250)]
)
def test_every_page_is_what_slack_takes(shown: MemoryPage, language: Language) -> None:
    links = {one.id: f"https://example.slack.com/archives/D1/p{one.id}" for one in shown.memories}
    view = memory_view(shown, language, zone=TOKYO, links=links)
    assert problems_of_view(view) == []
    assert "<!channel>" not in json.dumps(view) and "|こちら>" not in text_of(view)


def test_a_memory_shows_who_sees_it_when_it_was_said_and_where() -> None:
    view = text_of(memory_view(page(memory(1)), Language.JAPANESE, zone=TOKYO, links={1: "https://x.slack.com/archives/D1/p1"}))
    assert "非公開" in view and "2026年4月1日" in view and "https://x.slack.com/archives/D1/p1" in view
    corrected = page(memory(1, stated_by=StatedBy.PERSON, confidence=1.0))
    shown = text_of(memory_view(corrected, Language.JAPANESE, zone=TOKYO, links={}))
    assert "あなたが修正" in shown and "確か" in shown


@pytest.mark.parametrize(
    "number, wanted", [(1, {"memory_page_older"}), (2, {"memory_page_newer", "memory_page_older"}), (3, {"memory_page_newer"})]
)
def test_pages_are_turned_as_far_as_there_are_any(number: int, wanted: set[str]) -> None:
    view = memory_view(page(memory(1), number=number, pages=3), Language.JAPANESE, zone=TOKYO, links={})
    ids = {element["action_id"] for block in view["blocks"] for element in block.get("elements", ()) if "action_id" in element}
    assert {one for one in ids if one.startswith("memory_page")} == wanted


@pytest.mark.parametrize("language", list(Language))
def test_the_form_holds_what_is_remembered_now(language: Language) -> None:
    view = edit_view(memory(1, "あ" * LONGEST_TEXT), language, about="{}")
    assert problems_of_view(view) == []
    assert "あ" * LONGEST_TEXT in text_of(view)


def found(*, memories: tuple[ShownMemory, ...] | None = (), gone: int = 0, **made: object) -> Provenance:
    answer = RecordedAnswer(1, "U1", "答え", Language.JAPANESE, "negotiation", MadeWith(**made), NOW)  # type: ignore[arg-type]
    passage = Passage(1, NASTY, "見出し", "", "規程集", None, "company", date(2026, 4, 1), Language.JAPANESE, 0.0)
    return Provenance(answer, (passage,) * 5, memories, gone)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    "provenance",
    [
        None, found(), found(memories=None, model="m-1", prompt_version="v1"), found(is_by_rules=True),
        found(memories=tuple(memory(n, NASTY) for n in range(8)), gone=3, model=NASTY, prompt_version=NASTY),
    ],
)  # fmt: skip
def test_why_is_what_slack_takes(provenance: Provenance | None, language: Language) -> None:
    blocks = why_blocks(provenance, language)
    assert problems_of(blocks) == []
    assert problems_of([why_button(language)]) == []
    assert "<!channel>" not in json.dumps(blocks)


def test_why_says_who_answered_what_was_used_and_what_is_gone() -> None:
    shown = text_of(why_blocks(found(memories=(memory(1),), gone=2, model="m-1", prompt_version="v1"), Language.JAPANESE))
    for part in ("m-1", "v1", "価格", "価格交渉が苦手です", "2件", "非公開"):
        assert part in shown
    assert "AIモデルを使わず" in text_of(why_blocks(found(is_by_rules=True), Language.JAPANESE))
    assert "記憶" not in text_of(why_blocks(found(memories=None), Language.JAPANESE))
