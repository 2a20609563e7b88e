"""Fits a prompt into a model's window.

Counting exactly would need each vendor's tokenizer, which are downloads of megabytes at run time. The estimate here errs
towards more: a message too many is dropped rather than a request refused.
"""

from collections.abc import Sequence

from app.core.errors import TooLong
from app.llm.interface import PromptMessage, Role

# Tokens per character, on the high side. English prose has about 4 characters per token, code and numbers 2 to 3;
# Japanese and Chinese run from 0.7 to 1.3 tokens per character, depending on the vendor; emoji and rare characters outside
# the basic plane take up to 4.
_ASCII = 0.4
_WIDE = 1.4
_ASTRAL = 4.0
_PER_MESSAGE = 8


def estimated_tokens(text: str) -> int:
    """An upper guess; never less for a longer text."""
    narrow = len(text.encode("ascii", "ignore"))
    astral = len(text.encode("utf-16-le", "surrogatepass")) // 2 - len(text)
    wide = len(text) - narrow - astral
    return -int(-(narrow * _ASCII + wide * _WIDE + astral * _ASTRAL) // 1)


def fit_into_window(
    instructions: str, messages: Sequence[PromptMessage], *, context_tokens: int, reply_tokens: int
) -> tuple[PromptMessage, ...]:
    """``messages`` without the oldest expendable ones that do not fit beside the reply, in alternating turns.

    The last one, the question, is never expendable. ``TooLong`` when even what may not be left out is too much.
    """
    room = context_tokens - reply_tokens - estimated_tokens(instructions) - _PER_MESSAGE
    costs = [estimated_tokens(message.text) + _PER_MESSAGE for message in messages]
    excess = sum(costs) - room
    kept = list(messages)
    for message, cost in zip(messages[:-1], costs, strict=False):
        if excess <= 0:
            break
        if message.is_expendable:
            kept.remove(message)
            excess -= cost
    if excess > 0:
        raise TooLong(f"the prompt exceeds the model's window of {context_tokens} tokens by about {excess}")
    return in_turns(kept)


def in_turns(messages: Sequence[PromptMessage]) -> tuple[PromptMessage, ...]:
    """Speaker first, then in turns, as some vendors insist: neighbours of one role are joined, a leading reply goes.

    A reply whose question was dropped means little; one that may not be dropped gets an ellipsis before it.
    """
    turns: list[PromptMessage] = []
    for message in messages:
        if not message.text.strip():
            continue
        if not turns and message.role is Role.COACH:
            if message.is_expendable:
                continue
            turns.append(PromptMessage(Role.SPEAKER, "…"))
        is_same = bool(turns) and turns[-1].role is message.role
        turns.append(_joined(turns.pop(), message) if is_same else message)
    return tuple(turns)


def _joined(first: PromptMessage, second: PromptMessage) -> PromptMessage:
    return PromptMessage(first.role, f"{first.text}\n\n{second.text}", first.is_expendable and second.is_expendable)
