"""The rules of docs/how_to/write_a_knowledge_entry.md that a program can check; each yields what is wrong with one entry."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from datasketch import MinHash

from app.i18n.detection import language_of
from app.i18n.language import Language
from app.knowledge.entry import Category, Draft

Rule = Callable[[Draft], Iterator[str]]

CHARACTERS = range(250, 2_501)  # of a Japanese or Chinese body
WORDS = range(120, 801)  # of an English body
LONGEST_OPENING = {Language.JAPANESE: 180, Language.CHINESE: 120, Language.ENGLISH: 60}  # characters, in English words
SHORTEST_SECTION = 15  # characters below a heading
MOST_VAGUE = 2  # vague expressions in one entry
MOST_ALIKE = 0.25  # estimated Jaccard similarity of two bodies; letters of one kind come to 0.1
PERMUTATIONS = 128
MARKS = ("【】", "「」", "『』", "“”", "（）", "[]")
COMPANY_SHELVES = {Category.PRODUCT, Category.CASE_STUDY, Category.COMPANY}

VAGUE = {
    Language.JAPANESE: re.compile(
        r"適切[にな]|効果的[にな]|様々[なに]|さまざま[なに]|重要です|大切です|しっかり|きちんと|積極的[にな]|最適な|円滑に|柔軟に対応|"
        r"と言えるでしょう|なるべく|最大限|万全"
    ),
    Language.ENGLISH: re.compile(
        r"\b(effectively|appropriately|various|crucial\w*|it is important to|very important|ensure|"
        r"proactive\w*|optimal\w*|robust)\b",
        re.IGNORECASE,
    ),
    Language.CHINESE: re.compile(r"适当地|有效地|各种各样|非常重要|至关重要|灵活应对|最佳的|积极地|充分地|良好的沟通"),
}
EMPTY = {
    Language.JAPANESE: re.compile(r"シナジー|ソリューションをご?提供|トータルで?サポート|ワンストップ|寄り添[うっい]"),
    Language.ENGLISH: re.compile(
        r"\b(synerg\w+|holistic\w*|leverag\w+|utili[sz]e\w*|game.?changer|world-class|cutting-edge|best-in-class|seamless\w*|delve\w*|"
        r"in today's|empower\w*|key takeaways?)\b",
        re.IGNORECASE,
    ),
    Language.CHINESE: re.compile(r"赋能|抓手|闭环|全方位|一站式|与时俱进"),
}
UNFILLED = re.compile(r"TODO|TBD|FIXME|lorem ipsum|○○|〇〇|xxx", re.IGNORECASE)
FOREIGN = {
    Language.JAPANESE: re.compile(r"[们这说时对还问题吗让觉谁该应给]"),
    Language.ENGLISH: re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]"),
    Language.CHINESE: re.compile(r"[\u3040-\u30ff]|[們這說時對還問題嗎讓覺誰該應給]"),
}
CLAIM = {
    Language.JAPANESE: re.compile(
        r"(調査|研究|統計|論文)(によ[るれ]|では|で明らか|が示)|(企業|会社|顧客|買い手|営業|商談|購買)の約?[\d.]+\s?[%％割]|"
        r"[\d.]+\s?[%％割]の(企業|会社|顧客|買い手|営業|商談|購買)"
    ),
    Language.ENGLISH: re.compile(
        r"\b(studies|research|surveys?|statistics|data) (shows?|found|finds?|suggests?|proves?)|"
        r"according to (a|research|studies)|"
        r"\d+\s?(%|per ?cent) of (all |the )?(buyers|customers|companies|deals|sellers|salespeople|people|decisions|purchases)",
        re.IGNORECASE,
    ),
    Language.CHINESE: re.compile(
        r"(调查|研究|统计|数据)(显示|表明|发现|证明)|\d+\s?[%％]的(客户|企业|公司|销售|采购)|[一二三四五六七八九]成的(客户|企业|公司)"
    ),
}
# Methods that have an author: a card on one of them names where it can be looked up.
AUTHORED = re.compile(
    r"SPIN(?![A-Za-z])|Challenger|チャレンジャー|挑战式|Sandler|サンドラー|Solution Selling|ソリューション営業|JOLT|SPICED|"
    r"MEDDICC|Gap Selling|Strategic Selling|戦略的販売|BATNA|アンカリング|クラルジック|ソーシャルスタイル"
)


def has_its_place(draft: Draft) -> Iterator[str]:
    language, category, slug = draft.slug.split("/")
    if (draft.language, draft.category) != (language, category):
        yield f"the folders say {language}/{category}, the entry {draft.language}/{draft.category}"
    if draft.category in COMPANY_SHELVES:
        yield f"the shelf {draft.category} is the company's own"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        yield f"the slug {slug} is not in lower-case Latin letters with hyphens"


def has_form(draft: Draft) -> Iterator[str]:
    if not 4 <= len(draft.title) <= 90:
        yield f"the title has {len(draft.title)} characters"
    if not 2 <= len(draft.tags) <= 6 or len(set(draft.tags)) < len(draft.tags):
        yield f"two to six different tags, not {draft.tags}"
    if re.search(r"^# ", draft.body, re.MULTILINE):
        yield "the title is the only first heading"
    headings = re.findall(r"^## *(.*)$", draft.body, re.MULTILINE)
    if len(headings) < 2 or len(set(headings)) < len(headings):
        yield f"at least two sections with headings of their own, not {headings}"
    opening, *sections = re.split(r"^## .*$", draft.body, flags=re.MULTILINE)
    if not 0 < _size(opening, draft.language) <= LONGEST_OPENING[draft.language]:
        yield f"the answer stands before the first heading in one or two sentences, not in {_size(opening, draft.language)}"
    if any(len(section.strip()) < SHORTEST_SECTION for section in sections):
        yield "a section is empty"
    if draft.category is Category.MAIL and "【" not in draft.body:
        yield "gaps in templates stand in 【 】"


def is_well_formed_markdown(draft: Draft) -> Iterator[str]:
    for opening, closing in MARKS:
        if draft.body.count(opening) != draft.body.count(closing):
            yield f"{opening} {closing} do not pair"
    for table in re.findall(r"(?:^\|.*\n?)+", draft.body, re.MULTILINE):
        rows = table.strip().splitlines()
        if len({row.count("|") for row in rows}) > 1 or len(rows) < 3 or not re.fullmatch(r"[|\s:-]+", rows[1]):
            yield f"the table {rows[0]} has rows of different width, no head, or no rows"
    if re.search(r"[ \t\u3000]+$", draft.body, re.MULTILINE):
        yield "spaces at the end of a line"


def has_a_useful_length(draft: Draft) -> Iterator[str]:
    size = _size(draft.body, draft.language)
    if size not in (WORDS if draft.language is Language.ENGLISH else CHARACTERS):
        yield f"its length is {size}"


def is_in_its_language(draft: Draft) -> Iterator[str]:
    if language_of(draft.body) is not draft.language:
        yield f"it reads as {language_of(draft.body)}"
    if strange := FOREIGN[draft.language].findall(draft.title + draft.body):
        yield f"characters of another language: {strange}"


def is_concrete(draft: Draft) -> Iterator[str]:
    vague = [match[0] for match in VAGUE[draft.language].finditer(draft.body)]
    if len(vague) > MOST_VAGUE:
        yield f"vague: {vague}"
    if empty := EMPTY[draft.language].search(draft.body):
        yield f"it says nothing: {empty[0]}"
    if unfilled := UNFILLED.search(draft.body):
        yield f"{unfilled[0]}: gaps in templates stand in 【 】"


def links_are_whole(draft: Draft) -> Iterator[str]:
    for link in [*re.findall(r"\]\(([^)]*)\)", draft.body), *([draft.url] if draft.url else [])]:
        if not re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[^\s]*)?", link):
            yield f"the link {link} is not whole"
    if re.search(r"(?<!\()\bhttps?://", draft.body):
        yield "a bare address: write [words](https://…)"


def claims_have_a_source(draft: Draft) -> Iterator[str]:
    if not draft.source and (claim := CLAIM[draft.language].search(draft.body)):
        yield f"a claim about the world names its source: {claim[0]}"
    is_card = draft.category is Category.METHODOLOGY and len(AUTHORED.findall(draft.title)) == 1
    if not draft.source and is_card:
        yield "a method is named after its author"
    if draft.source and not draft.url and not re.search(r"\b(19|20)\d\d(?!\d)", draft.source):
        yield f"the source {draft.source} can be looked up by a year or an address"


RULES: tuple[Rule, ...] = (
    has_its_place, has_form, is_well_formed_markdown, has_a_useful_length, is_in_its_language, is_concrete, links_are_whole,
    claims_have_a_source,
)  # fmt: skip


def same_titles(drafts: Iterable[Draft]) -> list[str]:
    """Titles that differ in nothing but marks and spaces."""
    titles = Counter((draft.language, re.sub(r"[\W_]", "", draft.title.lower())) for draft in drafts)
    return [title for (_, title), times in titles.items() if times > 1]


def alike(drafts: Mapping[str, Draft]) -> list[tuple[str, str]]:
    """Pairs of one language that say the same in nearly the same words."""
    prints = {path: fingerprint(draft.body) for path, draft in drafts.items()}
    return [
        (first, second)
        for first, second in combinations(prints, 2)
        if drafts[first].language is drafts[second].language and prints[first].jaccard(prints[second]) > MOST_ALIKE
    ]


def copied_sentences(drafts: Mapping[str, Draft]) -> dict[str, list[str]]:
    """Sentences that stand in more than one entry. What letters open and close with is too short to count."""
    places: dict[str, set[str]] = defaultdict(set)
    for path, draft in drafts.items():
        for sentence in re.split(r"[。！？\n|]|(?<=[.!?])\s", draft.body):
            words = re.sub(r"^[-\d.> *「“\"]+", "", sentence.strip())
            if len(words.split()) >= 9 or (draft.language is not Language.ENGLISH and len(words) >= 30):
                places[words].add(path)
    return {sentence: sorted(paths) for sentence, paths in places.items() if len(paths) > 1}


def fingerprint(text: str) -> MinHash:
    text = re.sub(r"\s", "", text)
    result = MinHash(num_perm=PERMUTATIONS)
    result.update_batch({text[place : place + 5].encode() for place in range(len(text) - 4)})
    return result


def _size(text: str, language: Language) -> int:
    return len(text.split()) if language is Language.ENGLISH else len(re.sub(r"\s", "", text))
