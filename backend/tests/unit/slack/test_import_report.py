"""What is shown about imported files stays within Slack's limits, whatever the files are called."""

from datetime import UTC, datetime

import pytest

from app.assistant.import_knowledge import Imported, Upload
from app.i18n.language import Language
from app.knowledge.importing.problem import NotReadable
from app.slack.blocks.import_report import UndoWish, import_report, summary_of
from app.slack.blocks.validate import problems_of
from app.slack.listeners.files import brings_files
from app.slack.payloads import SharedFile, Spoken, spoken_in

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LONG = "とても長い名前&<!channel>*_~`" * 30 + ".docx"


@pytest.mark.parametrize("language", list(Language))
def test_the_report_is_valid_for_few_and_many_and_strange_names(language: Language) -> None:
    slug = Upload(LONG, b"").slug
    results = [
        Imported("a.md", "upload/a.md", created=("一つ",), since=NOW, until=NOW),
        Imported(LONG, slug, created=(LONG,) * 300, changed=("x",), unchanged=7, since=NOW, until=NOW),
        Imported(LONG, slug, problem=NotReadable("row_incomplete", row=3)),
        Imported("b.csv", "upload/b.csv", unchanged=4, since=NOW, until=NOW),
        Imported("c.csv", "upload/c.csv", proposed=("x",) * 9, problem=NotReadable("proposals_waiting")),
    ] + [Imported("d.pdf", "", problem=NotReadable("damaged"))] * 6
    blocks = import_report(results, language, author_id="U0YOKO00001")
    assert problems_of(blocks) == []
    assert sum(block["type"] == "actions" for block in blocks) == 2
    assert not any("<!channel>" in block["text"]["text"] for block in blocks if block["type"] == "section")
    assert summary_of(results, language)


def test_what_the_button_carries_comes_back_whole() -> None:
    wish = UndoWish("価格.docx", "upload/価格.docx", "U0YOKO00001", NOW, NOW)
    assert UndoWish.from_json(wish.to_json()) == wish


def spoken(text: str, *, files: bool = True) -> Spoken:
    event = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": text, "ts": "1.000001"}
    shared = {"files": [{"id": "F1", "name": "a.csv"}, {"id": "F2"}, {"id": 3}, {"name": "x"}, "nonsense"]} if files else {}
    return spoken_in({"team_id": "T1", "event": event | shared})


def test_only_the_ids_of_files_are_read_from_a_message() -> None:
    assert spoken("").files == (SharedFile("F1", "a.csv"), SharedFile("F2", "F2"))
    assert spoken("", files=False).files == ()


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("", True),
        ("この資料をナレッジに取り込んでください", True),
        ("ナレッジに登録お願いします。", True),
        ("please add this to the knowledge base", True),
        ("请导入这份资料", True),
        ("この提案書を見てください", False),
        ("ナレッジに同じ資料はありますか？", False),
        ("Can you add a closing paragraph to this?", False),
        ("取り込み" + "と" * 300, False),
    ],
)
def test_files_are_brought_in_when_nothing_else_is_asked(text: str, is_meant: bool) -> None:
    assert brings_files(spoken(text)) is is_meant
    assert not brings_files(spoken(text, files=False))
