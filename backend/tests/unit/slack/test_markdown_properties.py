"""Threat T5: whatever is written, nothing of it acts. 10,000 examples altogether."""

import itertools
import re
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.slack.markdown import JOINER, LinkPolicy, StreamSanitizer, escape_mrkdwn, plain_text_fallback, sanitize, split_for_slack

POLICY = LinkPolicy(frozenset({"ok.example"}), "（リンクは省略しました）")
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

TRICKS = st.sampled_from(
    [
        "<!channel>", "<@U1>", "<#C1|x>", "<https://evil.com|x>", "<", ">", "&lt;", "&", "&#60;", "!", "[", "]", "(",
        ")", "](", "]:", "![", "[a](https://evil.com/?q=1)", "[a](https://ok.example/x)",
        "![i](http://evil.com/i.png)", "https://", "http", ":", "//", "/", "https://ok.example/a",
        "https://ok.example@evil.com", "evil.com", ".com", ".", "a@b.co", "@", "＠", "﹫", "channel", "here",
        "everyone", "ｅｖｅｒｙｏｎｅ", "ｃｈａｎｎｅｌ", "\u200b", "\u2060", "\u202e", "\u200d", "\ufe0f",
        "\U000e0041", "\U000e0100", "葛", "👩", "1", "**", "*", "***", "~~", "`", "``", "```", "~~~", "\n", "\n\n",
        "\r", "\r\n", "\n- ", "\n> ", "\n| a | b |\n|---|---|\n", "\n# ", "\\", "<br>", "「重要」", "です。", "値引き",
        "報価", "报价，", "price. ", "!?", "_", "　", " ", "|", "py", "javascript:", "mailto:a@b.co", "%", "\x00",
        "ﾊﾝｶｸ", "１２３",
    ]
)  # fmt: skip
TEXTS = st.lists(TRICKS | st.text(max_size=6), max_size=25).map("".join)


def assert_harmless(shown: str) -> None:
    assert "<" not in shown
    assert "](" not in shown and "]:" not in shown
    for found in re.finditer(r"[A-Za-z0-9]+://", shown):
        assert re.match(r"https://ok\.example(?::443)?(?![A-Za-z0-9.@:-])", shown[found.start() :], re.IGNORECASE), shown
    without_lines = unicodedata.normalize("NFKC", shown).casefold()
    assert not any(ping in without_lines for ping in ("@channel", "@here", "@everyone"))
    shown.encode()  # no lone surrogate


@settings(max_examples=5000)
@given(TEXTS)
@example("@[channel](https://evil.com)")
def test_nothing_that_acts_survives(text: str):
    shown = sanitize(text, POLICY)
    assert_harmless(shown)
    assert not re.search(r"[\x00-\x08\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", shown)


@settings(max_examples=3000)
@given(TEXTS, st.lists(st.integers(0, 200), max_size=12))
@example("mailto:a@b.co", [9])
def test_pieces_come_to_the_same_as_the_whole(text: str, cuts: list[int]):
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    sanitizer = StreamSanitizer(POLICY)
    pieces = [sanitizer.feed(text[start:end]) for start, end in itertools.pairwise(edges)]
    assert "".join(pieces) + sanitizer.finish() == sanitize(text, POLICY)


@settings(max_examples=1000)
@given(TEXTS)
def test_a_markdown_parser_finds_no_link_image_or_html(text: str):
    html = PARSER.render(sanitize(text, POLICY))
    assert "<a" not in html and "<img" not in html


@settings(max_examples=500)
@given(TEXTS, st.integers(60, 400))
def test_parts_are_harmless_and_within_the_limit(text: str, limit: int):
    for part in split_for_slack(sanitize(text * 4, POLICY), limit):
        assert len(part) <= limit
        assert_harmless(part)
    assert len(plain_text_fallback(sanitize(text, POLICY), limit)) <= limit


@settings(max_examples=500)
@given(TEXTS)
def test_mrkdwn_fields_are_harmless(text: str):
    shown = escape_mrkdwn(text)
    assert "<" not in shown and "://" not in shown and "\n" not in shown
    assert not re.search(r"[@＠﹫](?!" + JOINER + ")", shown)
