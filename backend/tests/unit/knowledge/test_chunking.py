"""Entries to chunks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.knowledge.chunking import LONGEST_CHUNK, chunks_of, split_text, width_of


def test_a_short_entry_stays_whole() -> None:
    body = "結論。\n\n## まず確かめること\n\n何と比べて高いのか。\n\n## 言い方\n\n例。"
    (chunk,) = chunks_of(body)
    assert chunk.text == body and chunk.heading == ""


def test_long_sections_become_chunks_with_their_path_of_headings() -> None:
    body = f"# 契約\n\n## 解約\n\n{'解約は三か月前です。' * 70}\n\n## 更新\n\n{'更新は自動です。' * 80}"
    headings = [chunk.heading for chunk in chunks_of(body)]
    assert headings == ["契約 › 解約", "契約 › 更新"]


def test_no_chunk_is_longer_than_a_model_reads() -> None:
    body = "## 長い節\n\n" + "これは例文です。" * 1_000
    chunks = chunks_of(body)
    assert len(chunks) > 5 and all(width_of(chunk.text) <= LONGEST_CHUNK for chunk in chunks)
    assert {chunk.heading for chunk in chunks} == {"長い節"}


def test_sentences_are_not_cut() -> None:
    pieces = split_text("値引きには条件を付けます。" * 200)
    assert all(piece.endswith("。") for piece in pieces)


def test_every_part_of_a_long_table_has_its_head() -> None:
    table = "| 製品 | 価格 |\n|---|---|\n" + "\n".join(f"| 製品番号{number} | {number}円 |" for number in range(200))
    pieces = split_text(table)
    assert len(pieces) > 1
    assert all(piece.startswith("| 製品 | 価格 |\n|---|---|\n") for piece in pieces)
    assert sum(piece.count("製品番号") for piece in pieces) == 200


def test_a_question_stays_with_its_answer() -> None:
    faq = "\n\n".join(
        f"Q{number}：{'質問です。' * 10}\n\nA：{'答えです。' * 40}\n\n補足：{'補足です。' * 20}" for number in range(10)
    )
    pieces = split_text(faq)
    assert len(pieces) > 1
    assert all(piece.startswith("Q") for piece in pieces)


def test_in_a_list_of_questions_each_is_a_chunk_with_its_answer_and_its_headings() -> None:
    body = """# 料金FAQ

よくある質問をまとめました。

## 支払い

### 月払いはできますか？

はい。

#### 例外

海外は年払いです。

### 割引はありますか？

年払いで15%です。

## 解約

解約は三か月前です。"""
    chunks = chunks_of(body)
    assert [chunk.heading for chunk in chunks] == [
        "料金FAQ", "料金FAQ › 支払い › 月払いはできますか？", "料金FAQ › 支払い › 割引はありますか？", "料金FAQ › 解約",
    ]  # fmt: skip
    assert "海外は年払いです" in chunks[1].text and "割引" not in chunks[1].text


def test_one_heading_that_asks_changes_nothing() -> None:
    body = "## 背景\n\n短い。\n\n## なぜ聞くのか？\n\n理由。\n\n## まとめ\n\n以上。"
    assert len(chunks_of(body)) == 1


def test_a_hash_inside_code_is_no_heading() -> None:
    (chunk,) = chunks_of("```\n# comment\n```\n")
    assert chunk.heading == ""


def test_an_empty_entry_has_one_empty_chunk() -> None:
    assert [chunk.text for chunk in chunks_of("")] == [""]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["## 見出し", "段落です。", "| a | b |", "|---|---|", "Q1: why?", "x" * 400, "長い文。" * 100, ""]),
        max_size=30,
    )
)
def test_no_text_is_lost(lines: list[str]) -> None:
    body = "\n".join(lines)
    together = "".join("".join(chunk.text.split()) for chunk in chunks_of(body))
    for line in lines:
        assert "".join(line.split())[:50] in together
