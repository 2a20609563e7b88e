"""Every builder, in every language, with the worst that may be put into it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.assistant.question import Answer
from app.i18n.language import Language
from app.knowledge.passage import Passage
from app.knowledge.snippet import Piece
from app.slack.blocks.answer import answer_footer
from app.slack.blocks.ask import ask_modal
from app.slack.blocks.feedback import feedback_buttons, reason_modal
from app.slack.blocks.help import About, HelpEntry, help_blocks
from app.slack.blocks.home import help_modal
from app.slack.blocks.knowledge import knowledge_results, results_modal, search_modal, shared_knowledge
from app.slack.blocks.prompts import prompt_buttons, suggested_prompts
from app.slack.blocks.trouble import offer_to_answer, trouble, trouble_footer
from app.slack.blocks.validate import problems_of, problems_of_view
from app.slack.markdown import NO_LINKS, LinkPolicy

DAY = date(2026, 4, 1)
LINKS = LinkPolicy(frozenset({"wiki.example.com"}))
WORST = [
    "", " ", "値引き", "あ" * 20_000, "&" * 5_000, "<!channel>" * 400, "a\n" * 3_000, "<@U1> <https://evil.example|click>",
    "*_~`" * 900, "👨‍👩‍👧‍👦" * 2_000, '"\\' * 3_000,
]  # fmt: skip


def passage(text: str = "本文", *, url: str | None = "https://wiki.example.com/a?b=1&c=2", number: int = 1) -> Passage:
    return Passage(
        entry_id=number, title=text, heading=text, text=text, source=text, url=url, category=text, updated_on=DAY,
        language=Language.JAPANESE, score=1.0,
    )  # fmt: skip


def answer(text: str = "本文", *, sources: int = 1, **more: Any) -> Answer:
    return Answer(
        text=text, language=more.pop("language", Language.JAPANESE), sources=tuple(passage(text) for _ in range(sources)),
        is_by_rules=more.pop("is_by_rules", False), model="m", skill="s", **more,
    )  # fmt: skip


def about(text: str) -> About:
    return About(name=text, version=text, is_offline=True)


MESSAGES: dict[str, Callable[[str, Language], list[dict[str, Any]]]] = {
    "answer": lambda text, language: answer_footer(answer(text, sources=9, is_by_rules=True, language=language), links=LINKS),
    "answer after a model failed": lambda text, language: answer_footer(
        answer(text, is_by_rules=True, language=language), links=LINKS, retry=7
    ),
    "answer without sources": lambda text, language: answer_footer(
        answer(text, sources=0, found_nothing=True, language=language)
    ),
    "feedback": lambda _, language: [feedback_buttons(language)],
    "help": lambda text, language: help_blocks([HelpEntry("/ai_help", "使い方を表示します")] * 3, about(text), language),
    "knowledge": lambda text, language: knowledge_results(
        text, [passage(text, number=n) for n in range(9)], language, links=LINKS
    ),
    "no knowledge": lambda text, language: knowledge_results(text, [], language),
    "shared": lambda text, language: shared_knowledge(passage(text), language, name=text, links=LINKS),
    "trouble": lambda text, language: trouble("問題です", language, reference=text, retry=2**62),
    "offer": lambda _, language: offer_to_answer(language, event=2**62),
    "prompts": lambda _, language: [prompt_buttons(language)],
}
VIEWS: dict[str, Callable[[str, Language], dict[str, Any]]] = {
    "ask": lambda text, language: ask_modal(language, text=text),
    "help": lambda text, language: help_modal(help_blocks([HelpEntry("/ai_help", "x")], about(text), language), language),
    "reason": lambda text, language: reason_modal(language, about=text[:3000]),
    "search": lambda text, language: search_modal(language, channel_id="C1"),
    "results": lambda text, language: results_modal(text, [passage(text, number=n) for n in range(9)], language, links=LINKS),
}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
@pytest.mark.parametrize("name", MESSAGES)
def test_slack_would_take_every_message(name: str, text: str, language: Language) -> None:
    assert problems_of(MESSAGES[name](text, language)) == []


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("text", WORST, ids=range(len(WORST)))
@pytest.mark.parametrize("name", VIEWS)
def test_slack_would_take_every_view(name: str, text: str, language: Language) -> None:
    view = VIEWS[name](text, language)
    assert problems_of_view(view) == []
    assert len(json.dumps(view, ensure_ascii=False).encode()) < 250_000


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=400) | st.text("<>!@#|&*_`~ .:/channelhttpsU", max_size=200))
def test_nothing_from_outside_pings_or_links(text: str) -> None:
    for name in ("answer", "knowledge", "no knowledge", "shared", "help"):
        for written in mrkdwn_in(MESSAGES[name](text, Language.JAPANESE)):
            assert not any(sign in written for sign in ("<!", "<@", "<#"))
            assert written.count("<") == written.count("<https://wiki.example.com/")


def mrkdwn_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for inner in value.values() for text in mrkdwn_in(inner)]
    return [text for inner in value for text in mrkdwn_in(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://wiki.example.com/", "https://wiki.example.com@evil.example/", "javascript:alert(1)",
            "https://wiki.example.com/a b", "https://wiki.example.com/<!channel>", "https://wiki.example.com/|x>", None]
)  # fmt: skip
def test_an_address_that_may_not_be_linked_is_left_out(url: str | None) -> None:
    assert "<" not in texts(shared_knowledge(passage("値引き", url=url), Language.JAPANESE, name="田中", links=LINKS))


def test_the_footer_names_title_source_and_date_of_what_was_used() -> None:
    shown = texts(answer_footer(answer("値引き承認ルール"), links=LINKS))
    assert "[1] <https://wiki.example.com/a?b=1&amp;c=2|値引き承認ルール › 値引き承認ルール>" in shown
    assert "2026年4月1日" in shown
    assert "2026-04-01" in texts(answer_footer(answer("Rule", language=Language.ENGLISH)))


def test_an_answer_says_when_nothing_was_found_and_when_no_model_answered() -> None:
    shown = texts(answer_footer(answer(sources=0, found_nothing=True, is_by_rules=True)))
    assert "見つかりませんでした" in shown and "オフラインモード" in shown
    assert "オフラインモード" not in texts(answer_footer(answer(sources=0)))


def test_trouble_shows_a_reference_and_a_button_that_carries_the_event() -> None:
    reference, row = trouble_footer(Language.JAPANESE, reference="E-7KM3QX9A", retry=42)
    assert "E-7KM3QX9A" in texts([reference])
    assert row["elements"][0]["value"] == "42"


def test_results_show_source_date_category_and_are_private() -> None:
    found = Passage(
        1, "承認ルール", "", "10%を超える値引きは部長の承認が必要です。", "営業規程", None, "規程", DAY, Language.JAPANESE, 1.0
    )
    snippet = [Piece("10%を超える"), Piece("値引き", is_match=True)]
    shown = json.dumps(knowledge_results("値引き", [found], Language.JAPANESE, snippets=[snippet]), ensure_ascii=False)
    for part in ("承認ルール", "10%を超える", "営業規程", "規程", "2026年4月1日", "あなただけ"):
        assert part in shown.replace("\u2060", "")


def test_suggestions_are_at_most_four_and_differ_by_language() -> None:
    by_language = {tuple(suggested_prompts(language)) for language in Language}
    assert len(by_language) == len(Language)
    assert all(0 < len(prompts) <= 4 for prompts in by_language)


@pytest.mark.parametrize(
    "blocks, part",
    [
        ([], "0 blocks"),
        ([{"type": "divider"}] * 51, "51 blocks"),
        ([{"type": "section"}], "neither"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "3001"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], "2001"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "mrkdwn"),
        ([{"type": "actions", "elements": []}], "0 elements"),
        ([{"type": "typo"}], "unknown"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "14000"),
        (
            [
                {
                    "type": "actions",
                    "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x"}}] * 2,
                }
            ],
            "2 times",
        ),
        (
            [
                {
                    "type": "actions",
                    "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x" * 76}, "action_id": "a"}],
                }
            ],
            "76",
        ),
        ([{"type": "table", "rows": []}] * 2, "table"),
    ],
)
def test_the_validator_sees_what_slack_refuses(blocks: list[dict[str, Any]], part: str) -> None:
    assert any(part in problem for problem in problems_of(blocks))


def test_the_validator_knows_the_surfaces() -> None:
    assert problems_of([{"type": "markdown", "text": "x"}], "home")
    assert problems_of_view({"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": [{"type": "divider"}]})
    form = ask_modal(Language.JAPANESE)
    del form["submit"]
    assert "inputs without submit" in problems_of_view(form)


def test_links_are_off_unless_allowed() -> None:
    assert "<" not in texts(answer_footer(answer("値引き"), links=NO_LINKS))


def texts(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(mrkdwn_in(blocks))
