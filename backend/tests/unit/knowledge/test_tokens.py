"""Text to terms."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.i18n.language import Language
from app.knowledge.tokens import LONGEST_TERM, Tokenizer

TOKENIZER = Tokenizer()


@pytest.mark.parametrize("spelling", ["見積", "見積もり", "見積り", "お見積もり", "ｵ見積り"])
def test_spellings_of_one_word_are_one_term(spelling: str) -> None:
    assert "見積もり" in TOKENIZER.question_terms(f"{spelling}について")


@pytest.mark.parametrize("spelling", ["値引き", "値引", "ねびき", "ネビキ", "ﾈﾋﾞｷ"])
def test_kana_of_either_kind_and_width_find_the_word(spelling: str) -> None:
    assert "値引き" in TOKENIZER.question_terms(f"{spelling}のお願い")


def test_grammar_and_words_of_every_question_are_left_out() -> None:
    assert TOKENIZER.question_terms("値引きを求められたらどうすればよいですか？") == ["値引き", "求める"]
    assert TOKENIZER.question_terms("What should I do about the price?") == ["price"]


def test_english_is_stemmed_and_full_width_letters_are_folded() -> None:
    assert TOKENIZER.question_terms("Ｏｂｊｅｃｔｉｏｎｓ about pricing") == TOKENIZER.question_terms("objection prices")


def test_an_english_name_in_japanese_text_is_found_from_english() -> None:
    japanese = TOKENIZER.terms_of("SPINの質問の順番", Language.JAPANESE)
    assert set(TOKENIZER.question_terms("SPIN questions")) & set(japanese)


def test_chinese_is_cut_into_pairs() -> None:
    assert TOKENIZER.terms_of("客户说太贵了", Language.CHINESE) == ["客户", "户说", "说太", "太贵", "贵了"]


def test_a_question_in_shared_characters_is_cut_for_both_languages() -> None:
    terms = TOKENIZER.question_terms("交渉戦略会議")
    assert "交渉" in terms
    assert TOKENIZER.question_terms("客户") == ["客户"]


def test_a_term_is_asked_once_and_counted_as_often_as_it_occurs() -> None:
    assert TOKENIZER.question_terms("価格と価格") == ["価格"]
    assert TOKENIZER.terms_of("価格と価格", Language.JAPANESE) == ["価格", "価格"]


def test_very_long_texts_are_cut_whole() -> None:
    assert TOKENIZER.terms_of("価格。" * 20_000, Language.JAPANESE) == ["価格"] * 20_000


def test_threads_may_share_a_tokenizer() -> None:
    tokenizer = Tokenizer()
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: tuple(tokenizer.question_terms("値引きの交渉" * 20)), range(100)))
    assert set(results) == {("値引き", "交渉")}


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_becomes_storable_terms(text: str) -> None:
    terms = TOKENIZER.question_terms(text)
    for language in Language:
        terms += TOKENIZER.terms_of(text, language)
    assert all(0 < len(term) <= LONGEST_TERM and "\0" not in term for term in terms)
