"""Blocks Slack refuses."""

from typing import Any

import pytest

from app.playground.validation import Refused, check_message_blocks, text_of_block

PLAIN = {"type": "plain_text", "text": "押す"}
MRKDWN = {"type": "mrkdwn", "text": "文"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "a"}


def feedback(**change: Any) -> dict[str, Any]:
    one = {"text": PLAIN, "value": "good"}
    return {"type": "feedback_buttons", "action_id": "f", "positive_button": one, "negative_button": one, **change}


GOOD: list[dict[str, Any]] = [
    {"type": "section", "text": MRKDWN, "accessory": BUTTON},
    {"type": "section", "fields": [MRKDWN] * 10},
    {"type": "header", "text": PLAIN},
    {"type": "divider"},
    {"type": "context", "elements": [MRKDWN, {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}]},
    {"type": "actions", "elements": [BUTTON]},
    {"type": "context_actions", "elements": [feedback()]},
    {"type": "markdown", "text": "字" * 12_000},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
]
BAD: list[dict[str, Any]] = [
    {"type": "sectoin", "text": MRKDWN},
    {"type": "section"},
    {"type": "section", "text": "文"},
    {"type": "section", "text": {"type": "mrkdwn", "text": "字" * 3_001}},
    {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
    {"type": "section", "fields": [MRKDWN] * 11},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "字" * 2_001}]},
    {"type": "section", "text": MRKDWN, "accessory": feedback()},
    {"type": "header", "text": MRKDWN},
    {"type": "header", "text": {"type": "plain_text", "text": "字" * 151}},
    {"type": "context", "elements": [MRKDWN] * 11},
    {"type": "context", "elements": []},
    {"type": "actions", "elements": []},
    {"type": "actions", "elements": [{**BUTTON, "action_id": str(number)} for number in range(26)]},
    {"type": "actions", "elements": [BUTTON, BUTTON]},
    {"type": "actions", "elements": [{**BUTTON, "text": {"type": "plain_text", "text": "字" * 76}}]},
    {"type": "actions", "elements": [{**BUTTON, "value": "字" * 2_001}]},
    {"type": "actions", "elements": [{**BUTTON, "style": "red"}]},
    {"type": "context_actions", "elements": [BUTTON]},
    {"type": "context_actions", "elements": [feedback(negative_button=None)]},
    {"type": "markdown", "text": "字" * 12_001},
    {"type": "markdown", "text": ""},
    {"type": "input", "label": MRKDWN, "element": {"type": "plain_text_input", "action_id": "a"}},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 21]},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 101},
    {"type": "image", "image_url": "https://example.com/a.png"},
    {"type": "divider", "block_id": "b" * 256},
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_good_blocks_pass(block: dict[str, Any]):
    assert check_message_blocks([block]) == [block]


@pytest.mark.parametrize("block", BAD, ids=lambda block: str(block)[:60])
def test_bad_blocks_are_refused(block: dict[str, Any]):
    with pytest.raises(Refused, match="invalid_blocks"):
        check_message_blocks([block])


def test_block_ids_are_unique():
    with pytest.raises(Refused, match="invalid_blocks"):
        check_message_blocks([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}])


def test_one_table_per_message():
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
    with pytest.raises(Refused, match="invalid_attachments"):
        check_message_blocks([table, table])


def test_words_of_blocks_are_read_in_order():
    assert text_of_block({"type": "section", "text": MRKDWN, "accessory": BUTTON}) == "文\n押す"
    assert text_of_block({"type": "context_actions", "elements": [feedback()]}) == "押す\n押す"
