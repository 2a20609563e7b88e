"""What a reader sees of text that a model, a colleague or the knowledge base wrote."""

import unicodedata

import pytest
from markdown_it import MarkdownIt

from app.slack.markdown import JOINER, LinkPolicy, StreamSanitizer, escape_mrkdwn, plain_text_fallback, sanitize, split_for_slack

POLICY = LinkPolicy(frozenset({"docs.example.com", ".example.jp"}), "（リンクは省略しました）")
COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def seen(text: str) -> str:
    """The sanitized text without the signs nobody sees."""
    return sanitize(text, POLICY).replace(JOINER, "")


def rendered(text: str) -> str:
    return COMMONMARK.render(sanitize(text, POLICY)).replace(JOINER, "")


@pytest.mark.parametrize(
    "text", ["<!channel>", "<@U0123>", "<#C0123|general>", "<!subteam^S1>", "<!date^1^{date}^https://x.jp|y>"]
)
def test_slacks_own_commands_are_shown_as_text(text: str):
    assert "<" not in sanitize(text)
    assert seen(text).replace("&lt;", "<").replace("&gt;", ">") == text


@pytest.mark.parametrize(
    "text",
    ["@channel", "@HERE", "＠channel", "@ｅｖｅｒｙｏｎｅ", "@\u200bhere", "@\u202echannel", "﹫channel", "@ｃhannel",
     "@cha\U000e0041nnel",
     "[@](https://evil.com)channel", "@![](https://evil.com)channel", "@[channel](https://evil.com)", "@<br>here", "x@here.com"],
)  # fmt: skip
def test_nothing_can_ping_everybody(text: str):
    shown = unicodedata.normalize("NFKC", sanitize(text)).casefold().replace("\n", "")
    assert not any(ping in shown for ping in ("@channel", "@here", "@everyone"))


def test_a_hidden_address_on_an_allowed_host_becomes_visible():
    assert seen("[料金表](https://docs.example.com/price?a=1&b=2)を参照") == (
        "料金表 (https://docs.example.com/price?a=1&amp;b=2)を参照"
    )  # fmt: skip
    assert seen("<https://a.example.jp/x|資料>") == "資料 (https://a.example.jp/x)"


@pytest.mark.parametrize(
    "url",
    ["https://evil.com/?q=1", "http://docs.example.com/", "https://docs.example.com.evil.com", "https://docs.example.com@evil.com/",
     "javascript:alert(1)", "//evil.com/x", "https://docs.example.com:8443/",
     "https://docs.example.com\\@evil.com", "data:text/html,x"],
)  # fmt: skip
def test_a_link_to_any_other_host_is_its_label_and_a_note(url: str):
    assert seen(f"[資料]({url})です") == "資料（リンクは省略しました）です"


def test_links_survive_no_parser():
    tricks = ["[a](\nhttps://evil.com)", "[a][b]\n\n[b]: https://evil.com", "[a\nb](https://evil.com)", "[[[a]]](https://evil.com)",
              "`[a](https://evil.com)`", "```\n[a](https://evil.com)\n```", "[a]\u200b(https://evil.com)", "\\[a](https://evil.com)",
              "<a href='https://evil.com'>a</a>", "[a](<https://evil.com>)", "![a][b]\n\n[b]: https://evil.com",
              "[x]![](y)(https://evil.com)", "[a] (https://evil.com)", "[`](`](https://evil.com)"]  # fmt: skip
    linkify = MarkdownIt("commonmark", {"linkify": False}).enable("table")
    for trick in tricks:
        html = linkify.render(sanitize(trick, POLICY))
        assert "<a" not in html and "<img" not in html, trick


def test_images_leave_only_their_description():
    assert seen("図: ![売上の推移](https://docs.example.com/a.png) です") == "図: 売上の推移 です"
    assert seen("[![図](https://evil.com/a.png)](https://docs.example.com/)") == "図 (https://docs.example.com/)"


@pytest.mark.parametrize("address", ["http://evil.com", "https://evil.com/a?b=c", "evil.com", "www.evil.com/x", "slack://open"])
def test_bare_addresses_elsewhere_cannot_be_clicked_but_read_the_same(address: str):
    shown = sanitize(f"見て {address} を", POLICY)
    assert shown.replace(JOINER, "") == f"見て {address} を"
    assert "://" not in shown and not any(name in shown for name in ("evil.com",))


def test_an_allowed_address_ends_where_japanese_begins():
    assert seen("https://docs.example.com/aをご覧ください。") == "https://docs.example.com/a をご覧ください。"
    assert seen("（https://docs.example.com/a(b)）") == "（https://docs.example.com/a(b) ）"


@pytest.mark.parametrize("text", ["![evil](x.png).com", "evil.![com](x.png)", "evil![](x.png).com", "http:![//evil.com](x.png)"])
def test_what_replaces_a_construct_does_not_complete_an_address(text: str):
    shown = sanitize(text, POLICY)
    assert "evil.com" not in shown and "://" not in shown


def test_mail_addresses_stay_as_they_are():
    assert sanitize("tanaka.t@example.co.jp へ") == "tanaka.t@example.co.jp へ"
    assert sanitize("[田中](mailto:tanaka@example.co.jp)") == "田中 (tanaka@example.co.jp)"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("これは**「重要」**です", "これは<strong>「重要」</strong>です"),
        ("**値引き（10%）**を求められたら", "<strong>値引き（10%）</strong>を求められたら"),
        ("**注意！ **まず", "<strong>注意！ </strong>まず"),
        ("価格は~~「1万円」~~です", "価格は<s>「1万円」</s>です"),
        ("*「例」*を", "<em>「例」</em>を"),
        ("请看**“报价”**部分", "请看<strong>“报价”</strong>部分"),
        ("**bold *it***", "<strong>bold <em>it</em></strong>"),
        ("閉じ忘れ**です", "閉じ忘れ<strong>です</strong>"),
        ("3*4=12です", "3*4=12です"),
        ("価格*（税別）", "価格*（税別）"),
    ],
)
def test_emphasis_is_right_where_it_touches_japanese_and_chinese(text: str, html: str):
    assert rendered(text) == f"<p>{html}</p>\n"


def test_headings_lists_quotes_and_tables_stay():
    text = "# 見出し\n\n* 一\n* **二**：説明\n\n1. 甲\n2. 乙\n\n> 引用\n\n| 列 | 値 |\n|---|---|\n| a<br>b | 1 |"
    html = rendered(text)
    assert all(
        tag in html for tag in ("<h1>見出し</h1>", "<li>一</li>", "<strong>二</strong>", "<ol>", "<blockquote>", "<td>a b</td>")
    )


def test_open_emphasis_ends_with_its_list_item():
    assert seen("- **未完\n- 次") == "- **未完**\n- 次"


def test_an_open_fence_is_closed():
    assert seen("```python\nif a < b:\n    x = '**'") == "```python\nif a &lt; b:\n    x = '**'\n```"
    assert seen("~~~\n``` \n~~~") == "~~~\n``` \n~~~"


def test_what_cannot_be_seen_is_removed_and_what_belongs_together_stays():
    assert sanitize("a\u200bb\u202ec\ufeffd\x00e\U000e0041f\u3164g") == "abcdefg"
    assert (
        sanitize("👩\u200d👩\u200d👧 1\ufe0f\u20e3 葛\U000e0100飾 ❤\ufe0f")
        == "👩\u200d👩\u200d👧 1\ufe0f\u20e3 葛\U000e0100飾 ❤\ufe0f"
    )
    assert sanitize("一\r\n二\u2028三\r四") == "一\n二\n三\n四"


def test_common_ampersands_are_left_alone_and_entities_are_shown():
    assert sanitize("M&AとQ&A &lt;b&gt; &") == "M&AとQ&A &amp;lt;b&amp;gt; &"


def test_only_the_undecided_word_is_held_back():
    sanitizer = StreamSanitizer(POLICY)
    assert sanitizer.feed("値引きを求められたときは") == "値引きを求められたときは"
    assert sanitizer.feed("、まず ok") == "、まず "
    assert sanitizer.feed(" です[資料](https://evil") == "ok です"
    assert sanitizer.feed(".com)。") == "資料（リンクは省略しました）。"


def test_mrkdwn_fields_get_neither_formatting_nor_commands():
    shown = escape_mrkdwn("*太字* <!here>\n@channel & https://evil.com/a_b")
    assert "<" not in shown and "\n" not in shown and "@channel" not in shown and "://" not in shown
    assert shown.replace(JOINER, "") == "*太字* &lt;!here&gt; @channel &amp; https://evil.com/a_b"
    assert escape_mrkdwn("あ" * 50, limit=10) == "あ" * 9 + "…"


def test_the_notification_text_is_plain_and_ends_with_a_sentence():
    text = sanitize("## 値引きへの返し方\n\n**まず理由を聞きます。** 次に`価値`を示します。最後に条件を出します。")
    assert plain_text_fallback(text, 200) == "値引きへの返し方 まず理由を聞きます。 次に価値を示します。最後に条件を出します。"
    assert plain_text_fallback(text, 38) == "値引きへの返し方 まず理由を聞きます。 次に価値を示します。…"


def test_long_text_is_cut_between_sentences():
    text = "これは一つの文です。" * 300
    parts = split_for_slack(text, 1000)
    assert "".join(parts) == text and all(len(part) <= 1000 and part.endswith("。") for part in parts)


def test_a_cut_fence_is_closed_and_opened_again():
    text = "前書き。\n\n```\n" + "\n".join(f"line {n}" for n in range(200)) + "\n```\n後書き。"
    parts = split_for_slack(text, 600)
    assert all(part.count("```") % 2 == 0 and len(part) <= 600 for part in parts)
    lines = [line for part in parts for line in part.splitlines() if line.startswith("line")]
    assert lines == [f"line {n}" for n in range(200)]


def test_a_table_is_kept_whole_where_it_fits():
    table = "| a | b |\n|---|---|\n" + "| 甲 | 乙 |\n" * 20
    parts = split_for_slack("説明です。\n" * 70 + "\n" + table, 500)
    assert parts[-1].strip() == table.strip()
