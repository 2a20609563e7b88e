"""The difference of two texts holds both of them whole and marks nothing that is equal."""

from hypothesis import given
from hypothesis import strategies as st

from app.http.console.differences import Line, Piece, differences

TEXTS = st.lists(st.text(alphabet="ab 値引き\t", max_size=12), max_size=8).map("\n".join)


def side(lines: list[Line], name: str) -> list[str]:
    pieces = [getattr(line, name) for line in lines]
    return ["".join(piece.text for piece in row) for row in pieces if row is not None]


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_in_it(before: str, after: str) -> None:
    lines = differences(before, after)
    assert side(lines, "before") == before.splitlines()
    assert side(lines, "after") == after.splitlines()


@given(TEXTS)
def test_equal_texts_show_no_change(text: str) -> None:
    assert {line.kind for line in differences(text, text)} <= {"same"}


def test_only_the_changed_words_are_marked() -> None:
    (line,) = differences("10%を超える値引き", "15%を超える値引き")
    assert line.before == (Piece("10", is_changed=True), Piece("%を超える値引き"))
    assert line.after == (Piece("15", is_changed=True), Piece("%を超える値引き"))
