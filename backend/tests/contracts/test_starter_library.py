"""The starter library: every entry is in form, long enough to help, short enough to read, and says something of its own."""

from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from app.core.config import PROJECT_ROOT
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, Draft
from app.knowledge.importing.files import read_files
from app.knowledge.starter_library import STARTER_FOLDER
from tests.contracts import library_lint as lint

FEWEST = {Language.JAPANESE: 150, Language.ENGLISH: 100, Language.CHINESE: 40}

SOUND = Draft(
    slug="ja/objection/price-first-words",
    title="「高い」と言われたら",
    body="まず何と比べて高いのかを一つだけ聞きます。\n\n## 聞き方\n\n「ご予算との差でしょうか。」\n\n"
    + "相手の数字を紙に書きます。" * 20
    + "\n\n## 表\n\n| 返事 | 次の言葉 |\n|---|---|\n| 予算 | 「時期はいつでしょうか。」 |\n",
    category=Category.OBJECTION,
    language=Language.JAPANESE,
    updated_on=date(2026, 11, 1),
    tags=("価格", "切り返し"),
)


@cache
def library() -> dict[str, Draft]:
    """All drafts by path inside the folder; a file that cannot be read fails here with its reason."""
    results = list(read_files(STARTER_FOLDER))
    assert not [f"{result.path.name}: {result.problem}" for result in results if result.problem]
    return {draft.slug: draft for result in results for draft in result.drafts}


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.__name__)
def test_every_entry_keeps_the_rule(rule: lint.Rule) -> None:
    assert {path: problems for path, draft in library().items() if (problems := list(rule(draft)))} == {}


def test_no_two_entries_of_a_language_have_the_same_title() -> None:
    assert lint.same_titles(library().values()) == []


def test_no_two_entries_of_a_language_say_the_same() -> None:
    assert lint.alike(library()) == []


def test_no_sentence_stands_in_two_entries() -> None:
    assert lint.copied_sentences(library()) == {}


def test_there_are_enough_entries() -> None:
    counts = Counter(draft.language for draft in library().values())
    assert {language: counts[language] >= fewest for language, fewest in FEWEST.items()} == dict.fromkeys(FEWEST, True)


@pytest.mark.parametrize("language", Language)
def test_no_shelf_is_empty(language: Language) -> None:
    filled = {draft.category for draft in library().values() if draft.language is language}
    assert set(Category) - lint.COMPANY_SHELVES - filled == set()


def test_the_rules_let_a_sound_entry_pass() -> None:
    assert [problem for rule in lint.RULES for problem in rule(SOUND)] == []


BODY = SOUND.body


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        (lint.has_its_place, replace(SOUND, slug="en/objection/price")),
        (lint.has_its_place, replace(SOUND, slug="ja/objection/Price_1")),
        (lint.has_its_place, replace(SOUND, slug="ja/company/price", category=Category.COMPANY)),
        (lint.has_form, replace(SOUND, title="高い")),
        (lint.has_form, replace(SOUND, tags=("価格",))),
        (lint.has_form, replace(SOUND, body="## 聞き方\n\n" + BODY)),
        (lint.has_form, replace(SOUND, body=BODY.replace("## 表", "## 聞き方"))),
        (lint.has_form, replace(SOUND, body=BODY + "\n## 終わりに\n")),
        (lint.has_form, replace(SOUND, body="# 題\n\n" + BODY)),
        (lint.has_form, replace(SOUND, body="長い前置きです。" * 30 + BODY)),
        (lint.has_form, replace(SOUND, category=Category.MAIL)),
        (lint.is_well_formed_markdown, replace(SOUND, body=BODY + "「閉じない")),
        (lint.is_well_formed_markdown, replace(SOUND, body=BODY + "\n| 一列 |\n")),
        (lint.is_well_formed_markdown, replace(SOUND, body=BODY + "\n行末 \n")),
        (lint.has_a_useful_length, replace(SOUND, body=BODY[:200])),
        (lint.has_a_useful_length, replace(SOUND, body=BODY * 12)),
        (lint.is_in_its_language, replace(SOUND, body="Ask what it is compared with. " * 40)),
        (lint.is_in_its_language, replace(SOUND, body=BODY + "客户说")),
        (lint.is_concrete, replace(SOUND, body=BODY + "適切に、効果的に、しっかり話します。")),
        (lint.is_concrete, replace(SOUND, body=BODY + "ワンストップで支えます。")),
        (lint.is_concrete, replace(SOUND, body=BODY + "○○様")),
        (lint.links_are_whole, replace(SOUND, body=BODY + "[表](http://example.com)")),
        (lint.links_are_whole, replace(SOUND, body=BODY + "[表]()")),
        (lint.links_are_whole, replace(SOUND, body=BODY + "https://example.com/")),
        (lint.claims_have_a_source, replace(SOUND, body=BODY + "調査によると半数が迷います。")),
        (lint.claims_have_a_source, replace(SOUND, body=BODY + "70％の買い手が比べます。")),
        (lint.claims_have_a_source, replace(SOUND, source="ある本")),
        (lint.claims_have_a_source, replace(SOUND, title="SPINとは", category=Category.METHODOLOGY)),
    ],
)
def test_the_rules_find_a_spoiled_entry(rule: lint.Rule, spoiled: Draft) -> None:
    assert list(rule(spoiled)) != []


def test_a_nearly_equal_entry_is_found() -> None:
    entries = library()
    path, draft = next(iter(entries.items()))
    copy = replace(draft, body=draft.body[: len(draft.body) * 2 // 3] + SOUND.body)
    assert lint.alike({path: draft, "copy": copy}) == [(path, "copy")]
    assert lint.copied_sentences({path: draft, "copy": copy}) != {}
    assert lint.same_titles([draft, replace(draft, title=f"{draft.title} 。")]) != []


def test_every_category_has_a_name_in_every_language() -> None:
    for language in Language:
        names = [message(f"knowledge.category.{category}", language) for category in Category]
        assert len(set(names)) == len(names)


def test_the_guide_for_writers_names_every_category() -> None:
    guide = Path(PROJECT_ROOT / "docs" / "how_to" / "write_a_knowledge_entry.md").read_text(encoding="utf-8")
    assert [category for category in Category if f"`{category}`" not in guide] == []
