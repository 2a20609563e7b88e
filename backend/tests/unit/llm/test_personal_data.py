"""Personal data is masked before a model reads it, and comes back in the answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.redaction import Redaction, StreamRestorer

PERSONAL = [
    ("EMAIL", "taro.yamada+sales@example.co.jp"),
    ("EMAIL", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ"),
    ("PHONE", "03-1234-5678"),
    ("PHONE", "０３−１２３４−５６７８"),
    ("PHONE", "０３ー１２３４ー５６７８"),
    ("PHONE", "（０３）１２３４−５６７８"),
    ("PHONE", "03(1234)5678"),
    ("PHONE", "０９０　１２３４　５６７８"),
    ("PHONE", "09012345678"),
    ("PHONE", "0312345678"),
    ("PHONE", "0120-123-456"),
    ("PHONE", "0585-22-1234"),
    ("PHONE", "050-3333-4444"),
    ("PHONE", "+81-90-1234-5678"),
    ("PHONE", "+81 3 1234 5678"),
    ("PHONE", "+86 138 1234 5678"),
    ("PHONE", "13812345678"),
    ("PHONE", "(415) 555-0132"),
    ("PHONE", "415-555-0132"),
    ("CARD", "4111 1111 1111 1111"),
    ("CARD", "5555-5555-5555-4444"),
    ("CARD", "３７８２　８２２４６３　１０００５"),
    ("CARD", "4111111111111111"),
    ("MYNUMBER", "1234 5678 9018"),
    ("MYNUMBER", "１２３４５６７８９０１８"),
    ("ID", "11010519491231002X"),
    ("POSTAL", "〒100-0005"),
    ("POSTAL", "〒１００−０００５"),
    ("ADDRESS", "東京都千代田区丸の内1-9-1"),
    ("ADDRESS", "神奈川県横浜市西区みなとみらい二丁目2番1号"),
    ("ADDRESS", "北海道札幌市中央区北３条西６丁目"),
    ("ADDRESS", "上海市浦东新区世纪大道100号"),
]
BUSINESS = [
    "2026年11月21日 10:30に10名で訪問、予算は1,200,000円です。",
    "見積 0.5% 引き、型番 A-100-2000、バージョン1.2.3、比率 3:7",
    "売上は13000000000円、前年比 103.5%",
    "2026-11-21 から 2026-12-01 まで",
    "東京都の会社で、大阪府にも支店があります",
    "注文番号 123456789012",  # twelve digits, but not a My Number: its check digit is wrong
    "4111 1111 1111 1112",  # not a card: fails Luhn
    "<@U0ABC1234> さんに #general で相談",
]
around = st.text(alphabet="はのにご連絡 くださいabc、。\n[]()⟦⟧_\\", max_size=12)


@pytest.mark.parametrize(("kind", "datum"), PERSONAL)
def test_personal_data_is_hidden_and_comes_back(kind: str, datum: str) -> None:
    redaction = Redaction()
    masked = redaction.mask(f"連絡先は{datum}です")
    assert masked == f"連絡先は⟦{kind}_1⟧です"
    assert redaction.restore(masked) == f"連絡先は{datum}です"


@pytest.mark.parametrize("text", BUSINESS)
def test_the_business_of_a_sentence_stays(text: str) -> None:
    assert Redaction().mask(text) == text


def test_a_passport_number_is_one_only_after_its_word() -> None:
    assert Redaction().mask("パスポート番号：TK1234567 型番TK1234567") == "パスポート⟦PASSPORT_1⟧ 型番TK1234567"


def test_the_same_datum_keeps_its_placeholder_within_a_request() -> None:
    redaction = Redaction()
    assert redaction.mask("a@b.co.jp と c@d.com") == "⟦EMAIL_1⟧ と ⟦EMAIL_2⟧"
    assert redaction.mask("c@d.com へ") == "⟦EMAIL_2⟧ へ"


def test_what_looks_like_a_placeholder_in_the_question_is_not_filled_with_somebody_elses_data() -> None:
    redaction = Redaction()
    text = "電話 03-1234-5678、そして ⟦PHONE_1⟧ と書くと？"
    masked = redaction.mask(text)
    assert masked == "電話 ⟦PHONE_1⟧、そして ⟦TEXT_1⟧ と書くと？"
    assert redaction.restore(masked) == text


@given(around, st.sampled_from([datum for _, datum in PERSONAL]), around)
def test_restoring_undoes_masking_whatever_stands_around(before: str, datum: str, after: str) -> None:
    redaction = Redaction()
    text = before + datum + after
    assert redaction.restore(redaction.mask(text)) == text


@given(st.text(alphabet=st.sampled_from(list("0123456789０１２３-ー−()（）+@＠.〒 県市区一⟦⟧_PHONE")), max_size=60))
def test_restoring_undoes_masking_of_anything(text: str) -> None:
    redaction = Redaction()
    assert redaction.restore(redaction.mask(text)) == text


@given(around, st.sampled_from(PERSONAL), around)
def test_a_datum_set_off_by_words_never_gets_through(before: str, found: tuple[str, str], after: str) -> None:
    assert found[1] not in Redaction().mask(f"{before}は「{found[1]}」と{after}")


@given(st.lists(st.sampled_from(["⟦PHONE_1⟧", "⟦EMAIL_1⟧", "⟦", "⟧", "⟦PHONE_", "です", "⟦PHONE_9⟧"]), max_size=8), st.data())
def test_pieces_cut_anywhere_restore_like_the_whole(parts: list[str], data: st.DataObject) -> None:
    redaction = Redaction()
    redaction.mask("03-1234-5678 a@b.co.jp")
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    restorer = StreamRestorer(redaction)
    shown = [restorer.restore(piece) for piece in pieces]
    assert "".join(shown) + restorer.rest() == redaction.restore(text)


def test_an_open_bracket_does_not_hold_the_stream_up_for_long() -> None:
    redaction = Redaction()
    redaction.mask("03-1234-5678")
    restorer = StreamRestorer(redaction)
    assert restorer.restore("数式 ⟦x") == "数式 "
    assert restorer.restore("＋y＝zという書き方をする人もいます") == "⟦x＋y＝zという書き方をする人もいます"
