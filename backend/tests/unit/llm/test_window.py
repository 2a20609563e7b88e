"""A prompt is made to fit: the oldest expendable turns go first, the question never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import TooLong
from app.llm.interface import PromptMessage, Role
from app.llm.window import estimated_tokens, fit_into_window, in_turns

texts = st.text(alphabet="値引きabc 🙂", min_size=1, max_size=200).map(str.strip)
turns = st.lists(st.builds(PromptMessage, st.sampled_from(Role), texts, st.booleans()), max_size=12)
QUESTION = PromptMessage(Role.SPEAKER, "どう返せばいいですか？", is_expendable=False)


def sizes(messages: tuple[PromptMessage, ...]) -> int:
    return sum(estimated_tokens(message.text) for message in messages)


def test_the_oldest_turns_go_first() -> None:
    history = [PromptMessage(Role.SPEAKER if number % 2 == 0 else Role.COACH, f"{number}番目" * 20) for number in range(6)]
    kept = fit_into_window("", [*history, QUESTION], context_tokens=400, reply_tokens=100)
    assert kept[-1] == QUESTION
    assert [message.text[0] for message in kept[:-1]] == ["4", "5"]


def test_a_question_that_cannot_fit_is_too_long() -> None:
    with pytest.raises(TooLong):
        fit_into_window(
            "指示", [PromptMessage(Role.SPEAKER, "長" * 5000, is_expendable=False)], context_tokens=4000, reply_tokens=500
        )


def test_instructions_count() -> None:
    with pytest.raises(TooLong):
        fit_into_window("長" * 5000, [QUESTION], context_tokens=4000, reply_tokens=500)


@given(turns, st.integers(600, 3000))
def test_what_is_kept_fits_in_order_and_alternates(history: list[PromptMessage], context_tokens: int) -> None:
    needed = [message for message in history if not message.is_expendable]
    try:
        kept = fit_into_window("指示", [*history, QUESTION], context_tokens=context_tokens, reply_tokens=200)
    except TooLong:
        assert sum(estimated_tokens(message.text) + 8 for message in [*needed, QUESTION]) > context_tokens - 300
        return
    assert sizes(kept) <= context_tokens - 200 + 8 * len(history)
    assert kept[-1].text.endswith(QUESTION.text)
    assert [message.role for message in kept] == [Role.SPEAKER if place % 2 == 0 else Role.COACH for place in range(len(kept))]
    said = "\n".join(message.text for message in kept)
    assert all(message.text in said for message in needed)


@given(turns)
def test_with_room_for_all_nothing_but_a_leading_answer_is_left_out(history: list[PromptMessage]) -> None:
    first = next((place for place, turn in enumerate(history) if turn.text and turn.role is Role.SPEAKER), len(history))
    kept = in_turns([*history, QUESTION])
    said = "\n".join(message.text for message in kept)
    assert all(message.text in said for message in history[first:])


@given(st.text(max_size=300), st.text(max_size=50))
def test_a_longer_text_never_counts_less(text: str, more: str) -> None:
    assert estimated_tokens(text) <= estimated_tokens(text + more) <= estimated_tokens(text) + estimated_tokens(more) + 1


def test_the_estimate_is_on_the_high_side() -> None:
    # Tokenizers of today need about one token per Japanese character at most, and one per four Latin letters.
    assert estimated_tokens("値引きを求められたときは、まず理由を伺います。") >= 23
    assert estimated_tokens("When a customer asks for a discount, ask why first.") >= 12
    assert estimated_tokens("🙂") >= 3
