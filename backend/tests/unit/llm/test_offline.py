"""Offline mode: the answer by rules, streamed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelMisconfigured
from app.llm.interface import Finished, ProviderRequest, TextPiece
from app.llm.providers.offline import Offline, pieces_of

REQUEST = ProviderRequest("offline", "", (), 100, None, 1.0)


async def test_the_rules_answer_in_sentences() -> None:
    request = replace(REQUEST, by_rules=lambda: "まず伺います。\n次に示します！")
    *pieces, finished = [event async for event in Offline().stream(request)]
    assert pieces == [TextPiece("まず伺います。"), TextPiece("\n"), TextPiece("次に示します！")]
    assert isinstance(finished, Finished)


async def test_without_rules_nobody_can_answer() -> None:
    with pytest.raises(ModelMisconfigured):
        [event async for event in Offline().stream(REQUEST)]


@given(st.text())
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces_of(text)) == text and all(pieces_of(text))
