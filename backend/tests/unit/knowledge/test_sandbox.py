"""Files that want to do harm, and files that are not what they seem: one sentence each, and nothing else happens."""

import asyncio
import json
import resource
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import docx
import pytest

from app.i18n.language import Language
from app.knowledge.importing.files import read_content, read_file
from app.knowledge.importing.kinds import LARGEST_FILE, Kind
from app.knowledge.importing.problem import NotReadable
from app.knowledge.importing.sandbox import Limits, parse_in_sandbox
from tests.doubles.files import (
    archive,
    claiming,
    locked_pdf,
    pdf,
    pdf_with_many_pages,
    price_faq,
    saved,
    word_file,
    workbook,
)

LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
ZEROS = b"0" * (60 * 1024 * 1024)


def zip_bomb() -> bytes:
    return word_file(PARAGRAPH.format("x"), more={"word/more.xml": ZEROS})


def nested_bomb() -> bytes:
    inner = archive({"a.bin": ZEROS})
    return word_file(PARAGRAPH.format("x"), more={f"word/embeddings/{n}.zip": inner for n in range(20)} | {"word/a.xml": ZEROS})


def with_macros() -> bytes:
    return word_file(PARAGRAPH.format("x"), more={"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"})


def slipping() -> bytes:
    return archive({"../../../../tmp/evil.xml": b"<x/>"})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bomb.docx", zip_bomb, "bomb"),
        ("nested.docx", nested_bomb, "bomb"),
        ("header.docx", lambda: claiming(word_file(PARAGRAPH.format("x")), size=4_000_000_000), "bomb"),
        ("laughs.docx", lambda: word_file(PARAGRAPH.format("&i;"), before=LAUGHS), "entities"),
        ("wide.docx", lambda: word_file("", more={"word/x.xml": LAUGHS.encode("utf-16")}), "entities"),
        ("external.docx", lambda: word_file("", before='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "entities"),
        ("macros.docm", with_macros, "macros"),
        ("hidden-macros.docx", with_macros, "macros"),
        ("slip.docx", slipping, "not_office"),
        ("archive.docx", lambda: archive({"inner.zip": archive({"a": b"b"})}), "not_office"),
        ("sheet.docx", lambda: workbook(a=[("x", "y")]), "not_office"),
        ("cut.docx", lambda: price_faq()[:3000], "damaged"),
        ("no-xml.docx", lambda: word_file("<w:p>"), "damaged"),
        ("empty.docx", lambda: saved(docx.Document()), "no_text"),
        ("old.docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted"),
        ("letter.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "before_2007"),
        ("picture.pdf", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 600, "wrong_type"),
        ("book.pdf", lambda: pdf_with_many_pages(50_000), "too_many_pages"),
        ("locked.pdf", lambda: locked_pdf(pdf([[(11, "secret")]]), "geheim"), "encrypted"),
        ("scan.pdf", lambda: pdf([[]]), "no_text_in_pdf"),
        ("broken.pdf", lambda: b"%PDF-1.7\n" + b"garbage " * 500, "damaged"),
        ("movie.mp4", lambda: b"\0\0\0\x18ftypmp42", "kind_unknown"),
        ("pdf.txt", lambda: b"%PDF-1.7 ...", "no_text_file"),
        ("binary.csv", lambda: bytes(range(256)) * 20, "no_text_file"),
        ("nothing.html", lambda: b"<html><body><script>1</script></body></html>", "no_text"),
        ("blank.md", lambda: b" \n ", "empty"),
        ("huge.txt", lambda: b"x" * (LARGEST_FILE + 1), "too_large"),
        ("long.txt", lambda: b"title\n" + b"word " * 500_000, "too_much_text"),
        ("rows.csv", lambda: "質問,回答\n".encode() + "あ,い\n".encode() * 20_001, "too_many_rows"),
    ],
)  # fmt: skip
async def test_what_would_hurt_is_refused_with_its_reason(name: str, content, reason: str) -> None:  # type: ignore[no-untyped-def]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = content()
    grown_by_test = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    before += grown_by_test
    result = await read_content(made, name=name, slug="a")
    assert result.drafts == () and result.problem is not None
    assert result.problem.reason == reason
    assert result.problem.told_in(Language.JAPANESE) != result.problem.told_in(Language.ENGLISH)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 200 * 1024 * 1024


async def test_a_path_of_ten_gigabytes_is_not_even_read(tmp_path: Path) -> None:
    file = tmp_path / "header.pdf"
    with file.open("wb") as sparse:
        sparse.write(b"%PDF-1.7\n")
        sparse.truncate(10 * 1024**3)
    result = await read_file(file, root=tmp_path)
    assert result.problem is not None and result.problem.reason == "too_large"


async def test_pages_nested_without_end_are_read() -> None:
    page = b"<div>" * 50_000 + "価格は三千円です。".encode()
    result = await read_content(page, name="deep.html", slug="a")
    assert result.problem is not None or result.drafts[0].body == "価格は三千円です。"


async def test_a_parser_without_end_is_stopped_and_the_next_file_is_read() -> None:
    slow = Limits(cpu_seconds=1, wall_seconds=20)
    rows = "<tr><td>x</td></tr>" * 200_000
    with pytest.raises(NotReadable) as refused:
        await parse_in_sandbox(f"<table>{rows}</table>".encode(), Kind.HTML, slow)
    assert refused.value.reason == "took_too_long"
    assert (await read_content(price_faq(), name="a.docx", slug="a")).drafts


async def test_a_parser_that_waits_is_stopped_by_the_clock() -> None:
    with pytest.raises(NotReadable) as refused:
        await parse_in_sandbox(price_faq(), Kind.WORD, Limits(wall_seconds=0.01))
    assert refused.value.reason == "took_too_long"


async def test_a_parser_that_takes_all_memory_is_stopped() -> None:
    cells = "".join(f"<td>{number}</td>" for number in range(400_000))
    with pytest.raises(NotReadable) as refused:
        await parse_in_sandbox(
            f"<table><tr>{cells}</tr></table>".encode(), Kind.HTML, Limits(cpu_seconds=30, memory_bytes=150 * 1024**2)
        )
    assert refused.value.reason in {"too_much_memory", "damaged"}


async def test_too_large_a_result_is_not_taken() -> None:
    with pytest.raises(NotReadable) as refused:
        await parse_in_sandbox(price_faq(), Kind.WORD, Limits(result_bytes=300))
    assert refused.value.reason == "bomb"


async def test_inside_there_is_no_environment_no_network_and_nothing_to_write_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    program = f"""
import os, sys
from app.knowledge.importing.child import _be_limited
_be_limited(5, 700_000_000, 1_000_000)
seen = {{}}
import socket
for name, act in {{
    "connect": lambda: socket.socket(),
    "write": lambda: open({str(tmp_path / "x")!r}, "w"),
    "program": lambda: os.system("true"),
    "fork": lambda: os.fork(),
    "remove": lambda: os.remove("/nowhere"),
    "secrets": lambda: open(f"/proc/{{os.getppid()}}/environ"),
}}.items():
    try:
        act()
        seen[name] = "done"
    except PermissionError:
        seen[name] = "refused"
import json
print(json.dumps([seen, sorted(os.environ)]))
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(Path(__file__).parents[3])}
    )
    out, _ = await process.communicate()
    seen, environment = json.loads(out)
    assert seen == dict.fromkeys(("connect", "write", "program", "fork", "remove", "secrets"), "refused")
    assert "SLACK_BOT_TOKEN" not in environment
    assert not (tmp_path / "x").exists()


def test_the_bomb_of_these_tests_is_one() -> None:
    with zipfile.ZipFile(BytesIO(zip_bomb())) as file:
        assert sum(member.file_size for member in file.infolist()) > 50 * 1024 * 1024
    assert len(zip_bomb()) < 200_000
