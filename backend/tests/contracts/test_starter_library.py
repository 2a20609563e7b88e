"""The starter library: every entry is in form, long enough to help, short enough to read, and says something of its own."""

import re
from collections import Counter
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from datasketch import MinHash

from app.core.config import PROJECT_ROOT
from app.i18n.detection import language_of
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.entry import Category, Draft
from app.knowledge.importing.files import read_files
from app.knowledge.starter_library import STARTER_FOLDER

# Switched on by the lead when the content is there: 150, 100 and 40.
FEWEST = {Language.JAPANESE: 5, Language.ENGLISH: 2, Language.CHINESE: 0}

CHARACTERS = range(250, 2_501)  # of a Japanese or Chinese body
WORDS = range(120, 801)  # of an English body
MOST_ALIKE = 0.5  # estimated Jaccard similarity of two bodies
MOST_VAGUE = 2  # vague expressions in one entry
VAGUE = {
    Language.JAPANESE: re.compile(
        r"適切[にな]|効果的[にな]|様々[なに]|さまざま[なに]|重要です|大切です|しっかり|最適な|円滑に|柔軟に対応|と言えるでしょう"
    ),
    Language.ENGLISH: re.compile(
        r"\b(effectively|appropriately|various|leverage|crucial|it is important to|very important|best-in-class|seamless\w*)\b",
        re.IGNORECASE,
    ),
    Language.CHINESE: re.compile(r"适当地|有效地|各种各样|非常重要|至关重要|灵活应对|最佳的"),
}
COMPANY_SHELVES = {Category.PRODUCT, Category.CASE_STUDY, Category.COMPANY}


@cache
def library() -> dict[str, Draft]:
    """All drafts by path inside the folder; a file that cannot be read fails here with its reason."""
    results = list(read_files(STARTER_FOLDER))
    assert not [f"{result.path.name}: {result.problem}" for result in results if result.problem]
    return {draft.slug: draft for result in results for draft in result.drafts}


def paths() -> list[str]:
    return sorted(file.relative_to(STARTER_FOLDER).with_suffix("").as_posix() for file in STARTER_FOLDER.rglob("*.md"))


@pytest.mark.parametrize("path", paths())
def test_an_entry_is_in_form(path: str) -> None:
    draft = library()[path]
    language, category, slug = path.split("/")
    assert (draft.language, draft.category) == (language, category), "the folders say language and category"
    assert draft.category not in COMPANY_SHELVES
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert 4 <= len(draft.title) <= 90
    assert len(draft.tags) <= 6
    assert not re.search(r"^# ", draft.body, re.MULTILINE), "the title is the only first heading"
    assert len(re.findall(r"^## ", draft.body, re.MULTILINE)) >= 2, "at least two sections"
    assert not draft.body.lstrip().startswith("#"), "the answer comes before the first heading"
    assert language_of(draft.body) is draft.language


@pytest.mark.parametrize("path", paths())
def test_an_entry_has_a_useful_length(path: str) -> None:
    draft = library()[path]
    if draft.language is Language.ENGLISH:
        assert len(draft.body.split()) in WORDS
    else:
        assert len(re.sub(r"\s", "", draft.body)) in CHARACTERS


@pytest.mark.parametrize("path", paths())
def test_an_entry_is_concrete(path: str) -> None:
    draft = library()[path]
    vague = VAGUE[draft.language].findall(draft.body)
    assert len(vague) <= MOST_VAGUE, f"vague: {vague}"
    assert not re.search(r"TODO|TBD|lorem ipsum|○○|〇〇|xxx", draft.body, re.IGNORECASE), "gaps in templates stand in 【 】"


@pytest.mark.parametrize("path", paths())
def test_links_are_whole_and_percentages_have_a_source(path: str) -> None:
    draft = library()[path]
    for link in re.findall(r"\]\(([^)]*)\)", draft.body):
        assert re.fullmatch(r"https://[^\s]+", link)
    if re.search(
        r"調査によると|研究によると|統計では|(studies|research|survey)s? (show|found|suggest)|(调查|研究)(显示|表明)", draft.body
    ):
        assert draft.source, "a claim about the world names its source"


def test_no_two_entries_of_a_language_have_the_same_title() -> None:
    titles = Counter((draft.language, draft.title) for draft in library().values())
    assert [title for title, times in titles.items() if times > 1] == []


def test_no_two_entries_of_a_language_say_the_same() -> None:
    prints = {slug: fingerprint(draft.body) for slug, draft in library().items()}
    alike = [
        (first, second)
        for first, second in combinations(prints, 2)
        if first[:2] == second[:2] and prints[first].jaccard(prints[second]) > MOST_ALIKE
    ]
    assert alike == []


def fingerprint(text: str) -> MinHash:
    text = re.sub(r"\s", "", text)
    result = MinHash(num_perm=64)
    result.update_batch({text[place : place + 5].encode() for place in range(len(text) - 4)})
    return result


def test_there_are_enough_entries() -> None:
    counts = Counter(draft.language for draft in library().values())
    assert {language: counts[language] >= fewest for language, fewest in FEWEST.items()} == dict.fromkeys(FEWEST, True)


def test_every_category_has_a_name_in_every_language() -> None:
    for language in Language:
        names = [message(f"knowledge.category.{category}", language) for category in Category]
        assert len(set(names)) == len(names)


def test_the_guide_for_writers_names_every_category() -> None:
    guide = Path(PROJECT_ROOT / "docs" / "how_to" / "write_a_knowledge_entry.md").read_text(encoding="utf-8")
    assert [category for category in Category if f"`{category}`" not in guide] == []
