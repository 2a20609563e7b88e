"""Replies in JSON, and replies with thoughts before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelReplyInvalid
from app.llm.providers.openai_compatible import ThoughtFilter
from app.llm.structured import json_object

SCHEMA = {"type": "object", "required": ["plan"]}


@pytest.mark.parametrize("text", ['{"plan": 1}', ' {"plan": 1}\n', '```json\n{"plan": 1}\n```', '```\n{"plan": 1}```'])
def test_json_is_taken_out_of_its_fence(text: str) -> None:
    assert json_object(text, SCHEMA) == '{"plan": 1}'


@pytest.mark.parametrize("text", ["計画です", '{"plan": ', "[1]", '"plan"', '{"other": 1}', ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ModelReplyInvalid):
        json_object(text, SCHEMA)


@given(
    st.sampled_from(
        ["<think>理由は…</think>\n\n答え", "答え", "  答え", "<b>答え", "<think></think>答え", "<think>未完", "", "<thi"]
    ),
    st.data(),
)
def test_thoughts_are_left_out_however_they_are_cut(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    thoughts = ThoughtFilter()
    pieces = [thoughts.without(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = "".join(pieces) + thoughts.rest()
    if text.startswith("<think>"):
        assert shown == text.partition("</think>")[2]
    else:
        assert shown == text
