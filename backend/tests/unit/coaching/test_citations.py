"""Only what was given is cited, and what streams is what stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.coaching.citations import CitationFilter, with_verified_citations, without_citations

GIVEN = ("a", "b", "c")


@pytest.mark.parametrize(
    "text, verified, sources",
    [
        ("理由を聞く [2]。次に [1] と [2]。", "理由を聞く[1]。次に[2] と[1]。", ("b", "a")),
        ("知らない[4]番号[0]と[99]。", "知らない番号と。", ()),
        ("まとめて[1, 3][2]。", "まとめて[1][2][3]。", ("a", "c", "b")),
        ("全角［３］と【1】", "全角[1]と[2]", ("c", "a")),
        ("半分だけ[1,7]", "半分だけ[1]", ("a",)),
        ("[リンク](https://example.com) と [TODO]", "[リンク](https://example.com) と [TODO]", ()),
        ("途中[1", "途中[1", ()),
        ("長い[" + "1," * 30 + "2]", "長い[" + "1," * 30 + "2]", ()),
        ("", "", ()),
    ],
)
def test_markers_are_checked_and_renumbered(text: str, verified: str, sources: tuple[str, ...]) -> None:
    assert with_verified_citations(text, GIVEN) == (verified, sources)


@given(
    st.lists(st.sampled_from(["[", "1", "2", "7", "]", "［", "】", ",", " ", "あ", "。", "[1]", " [3, 2]", "\n"]), max_size=40)
)
def test_streaming_shows_exactly_the_final_text(pieces: list[str]) -> None:
    citations = CitationFilter(GIVEN)
    shown = "".join(citations.feed(piece) for piece in pieces) + citations.finish()
    assert (shown, citations.sources) == with_verified_citations("".join(pieces), GIVEN)


def test_a_marker_too_long_to_be_one_is_the_same_text_in_a_stream() -> None:
    text = "長い[" + "1," * 30 + "2]と[2]"
    citations = CitationFilter(GIVEN)
    shown = "".join(citations.feed(letter) for letter in text) + citations.finish()
    assert (shown, citations.sources) == with_verified_citations(text, GIVEN)


def test_text_flows_unless_a_marker_is_under_way() -> None:
    citations = CitationFilter(GIVEN)
    assert citations.feed("まず") == "まず"
    assert citations.feed("理由 [") == "理由"
    assert citations.feed("1") == ""
    assert citations.feed("]を聞く") == "[1]を聞く"
    assert citations.feed("[注意]") == "[注意]"


def test_quoting_without_markers() -> None:
    assert without_citations("理由を聞く [2]。") == "理由を聞く。"
