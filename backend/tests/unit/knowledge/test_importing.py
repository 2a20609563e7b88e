"""Files to drafts."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from app.i18n.language import Language
from app.i18n.messages import catalog
from app.knowledge.entry import Category
from app.knowledge.importing.files import decoded, read_files
from app.knowledge.importing.markdown import NotReadable, draft_from_markdown

ENTRY = """---
title: 高いと言われたとき
category: objection
tags: [価格, 値引き]
language: ja
source:
  name: 営業ハンドブック
  publication: 2025年版
  url: https://example.com/handbook
updated: 2026-04-01
---

結論。

## 言い方

例。
"""


def test_front_matter_and_text_become_a_draft() -> None:
    draft = draft_from_markdown(ENTRY, slug="objection/price")
    assert (draft.title, draft.category, draft.language) == ("高いと言われたとき", Category.OBJECTION, Language.JAPANESE)
    assert draft.tags == ("価格", "値引き")
    assert (draft.source, draft.url) == ("営業ハンドブック, 2025年版", "https://example.com/handbook")
    assert draft.updated_on == date(2026, 4, 1)
    assert draft.body.startswith("結論。") and draft.body.endswith("例。")


def test_plain_markdown_takes_title_and_language_from_the_text() -> None:
    draft = draft_from_markdown("# Handling price objections\n\nAsk what they compare it with.\n", slug="a")
    assert (draft.title, draft.language, draft.body) == (
        "Handling price objections", Language.ENGLISH, "Ask what they compare it with.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: [\n---\n本文です", "YAML"),
        ("---\ntitle: a\ncategory: nonsense\n---\n本文です", "category must be one of"),
        ("---\ntitle: a\nupdated: soon\n---\n本文です", "updated must be a date"),
        ("---\ntitle: a\nurl: javascript:alert(1)\n---\n本文です", "http"),
        ("---\ntitle: a\nscope: all\n---\n本文です", "scope"),
        ("---\ntitle: a\ncolour: red\n---\n本文です", "unknown names"),
        ("---\n!!python/object/apply:os.system ['true']\n---\n本文です", "YAML"),
        ("本文だけ", "no title"),
        ("---\ntitle: a\n---\n", "no text"),
        ("# 12345\n\n67890", "language is missing"),
    ],
)
def test_a_file_in_the_wrong_form_says_why(text: str, reason: str) -> None:
    with pytest.raises(NotReadable, match=reason):
        draft_from_markdown(text, slug="a")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "shift_jis", "euc_jp", "utf-16"])
def test_japanese_encodings_are_read(encoding: str) -> None:
    text = "タイトル,本文\nお見積もりの有効期限について,見積書の有効期限は発行日から三十日です。\n" * 3
    assert decoded(text.encode(encoding)) == text


def test_a_folder_is_read_file_by_file_and_problems_stay_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_bytes(
        '質問,回答,タグ\n支払い条件は？,月末締め翌月末払いです。,"支払い、請求"\n返品は？,三十日以内です。,\n'.encode("cp932")
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Price List.md").write_text(ENTRY, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("会議の進め方\n議題を前日に送ります。\n", encoding="utf-8")
    (tmp_path / "broken.md").write_text("---\ntitle: [\n---\n", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(b"PK\x03\x04\0\0\0")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    results = {result.path.name: result for result in read_files(tmp_path)}
    assert [(draft.title, draft.tags) for draft in results["faq.csv"].drafts] == [
        ("支払い条件は？", ("支払い", "請求")), ("返品は？", ()),
    ]  # fmt: skip
    assert results["Price List.md"].drafts[0].slug == "sub/price-list"
    assert results["notes.txt"].drafts[0].title == "会議の進め方"
    assert "YAML" in str(results["broken.md"].problem)
    assert "no text file" in str(results["binary.txt"].problem)
    assert "picture.png" not in results


def test_rows_keep_their_names_when_others_are_inserted(tmp_path: Path) -> None:
    def slugs(text: str) -> dict[str, str]:
        (tmp_path / "faq.csv").write_text(text, encoding="utf-8")
        (result,) = read_files(tmp_path / "faq.csv")
        return {draft.title: draft.slug for draft in result.drafts}

    before = slugs("質問,回答\n返品は？,三十日以内です。\n返品は？,未開封に限ります。\n")
    after = slugs("質問,回答\n支払いは？,月末です。\n返品は？,三十日以内です。\n返品は？,未開封に限ります。\n")
    assert after["返品は？"] == before["返品は？"] and len(set(after.values())) == len(after)


def test_a_csv_of_another_kind_is_a_table_whose_rows_say_their_columns(tmp_path: Path) -> None:
    (tmp_path / "料金.csv").write_text("プラン,月額\nスタンダードのプラン,三万円です\n", encoding="utf-8")
    (result,) = read_files(tmp_path / "料金.csv")
    assert [(draft.title, draft.body) for draft in result.drafts] == [
        ("料金", "- プラン: スタンダードのプラン / 月額: 三万円です")
    ]


def test_a_question_without_an_answer_names_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("質問,回答\n返品は？,三十日以内です。\n支払いは？,\n", encoding="utf-8")
    (result,) = read_files(tmp_path / "a.csv")
    assert result.problem is not None and result.problem.told_in(Language.JAPANESE).startswith("3 行目")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "支払い条件は月末締めです。"),
        ("cp932", "①支払い条件：㈱ﾃｽﾄ商事、髙橋様"),
        ("euc_jp", "支払い条件は月末締めです。"),
        ("gb18030", "付款条件是月底结算，发票随后寄出。"),
        ("utf-16-le", "支払い条件は月末締めです。Net 30\n"),
        ("utf-16-be", "支払い条件は月末締めです。Net 30\n"),
    ],
)
def test_short_texts_in_older_encodings_are_read_right(encoding: str, text: str) -> None:
    assert decoded(text.encode(encoding)) == text


def test_front_matter_that_unfolds_without_end_is_refused_at_once() -> None:
    laughs = ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    laughs += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise("abcdefghij")]
    text = "---\n" + "\n".join(laughs) + "\ntitle: *j\n---\n本文です。"
    with pytest.raises(NotReadable):
        draft_from_markdown(text, slug="a")
    with pytest.raises(NotReadable, match="lists of texts"):
        draft_from_markdown(
            text.replace("\n", "\n", 1).replace("a: &a", "tags: &a").split("\nb:")[0] + "\ntitle: [[*a]]\n---\n本文", slug="a"
        )


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_is_told_in_every_language(language: Language) -> None:
    reasons = {key.removeprefix("imports.problem.") for key in catalog(Language.ENGLISH) if key.startswith("imports.problem.")}
    names = ("kinds", "suffix", "megabytes", "pages", "most", "error", "row", "names", "name", "known", "count")
    gaps = dict.fromkeys(names, "値")
    assert len(reasons) > 20
    assert all(NotReadable(reason, **gaps).told_in(language) for reason in reasons)
