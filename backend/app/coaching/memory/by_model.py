"""Insights with a model, by strict schema. Nothing is believed that the person has not said: the evidence must be their words."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.coaching.choose_skill import GENERAL, choose_skill
from app.coaching.fence import fenced, shortened, visible_text
from app.coaching.memory.by_rules import LONGEST_SUMMARY, MOST_INSIGHTS, Statement, sentences_of
from app.coaching.memory.insight import LONGEST_TEXT, Insight, Kind
from app.coaching.memory.instruction_like import is_instruction_like
from app.coaching.remark import folded_text
from app.i18n.language import Language
from app.llm.interface import ModelRequest, PromptMessage, Role

MOST_CONFIDENT = 0.9  # certain is only what the person has confirmed
SHORTEST_EVIDENCE = 4
LONGEST_STATEMENT = 1500
VERSION = "insights-1"

_PROMPTS = Path(__file__).with_name("prompts")
_BLANKS = re.compile(r"\s+")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["summary", "insights"],
    "properties": {
        "summary": {"type": "string"},
        "insights": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "subject", "text", "evidence", "confidence"],
                "properties": {
                    "kind": {"type": "string", "enum": [kind.value for kind in Kind]},
                    "subject": {"type": "string"},
                    "text": {"type": "string"},
                    "evidence": {"type": "string"},
                    "confidence": {"type": "number"},
                },
            },
        },
    },
}


@dataclass(frozen=True)
class Digest:
    """What is left of a talk. ``summary`` is empty when there is nothing to say."""

    summary: str
    insights: tuple[Insight, ...]


def digest_request(
    statements: Sequence[Statement], *, before: str, language: Language, team_id: str, user_id: str
) -> ModelRequest:
    """``before`` is the summary so far. The rules' answer is empty: whoever asks has better rules of their own."""
    told = [fenced("said", shortened(one.text, LONGEST_STATEMENT), id=str(one.message_id)) for one in statements]
    material = [fenced("summary_so_far", before)] if before else []
    return ModelRequest(
        purpose="insights",
        instructions=_instructions(language),
        messages=(PromptMessage(Role.SPEAKER, "\n\n".join((*material, *told)), is_expendable=False),),
        team_id=team_id,
        user_id=user_id,
        prompt_version=VERSION,
        temperature=0.0,
        schema=SCHEMA,
        by_rules=lambda: "{}",
    )


def digest_from(reply: str, statements: Sequence[Statement], *, session_id: str) -> Digest:
    """What of a reply stands up to a second look; ``ValueError`` when it is not what was asked for."""
    value = json.loads(reply)
    if not isinstance(value, dict) or not isinstance(value.get("insights"), list):
        raise ValueError("the reply has another form")  # noqa: TRY004  (data from outside, not a caller's fault)
    spoken = [(one, _plain(one.text)) for one in statements]
    insights = [found for item in value["insights"] if (found := _believed(item, spoken, session_id)) is not None]
    return Digest(_harmless(str(value.get("summary") or "")), tuple(insights[:MOST_INSIGHTS]))


def _believed(item: Any, spoken: Sequence[tuple[Statement, str]], session_id: str) -> Insight | None:
    if not isinstance(item, dict) or item.get("kind") not in list(Kind):
        return None
    text, subject, evidence = (_line(item.get(name)) for name in ("text", "subject", "evidence"))
    if not text or any(is_instruction_like(part) for part in (text, subject, evidence)):
        return None
    quoted = _plain(evidence)
    statement = next((one for one, plain in spoken if len(quoted) >= SHORTEST_EVIDENCE and quoted in plain), None)
    confidence = item.get("confidence")
    if statement is None or isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return None
    skill = choose_skill(text)
    return Insight(
        kind=Kind(item["kind"]), text=text, confidence=min(max(float(confidence), 0.1), MOST_CONFIDENT), subject=subject,
        observed_at=statement.said_at, evidence=evidence, skill=None if skill == GENERAL else skill, session_id=session_id,
        message_id=statement.message_id,
    )  # fmt: skip


def _harmless(summary: str) -> str:
    sentences = [one for one in sentences_of(summary, shortest=1) if not is_instruction_like(one)]
    return shortened(" ".join(sentences), LONGEST_SUMMARY)


def _line(value: Any) -> str:
    return shortened(" ".join(visible_text(str(value or "")).split()), LONGEST_TEXT)


def _plain(text: str) -> str:
    """Blanks and width make no difference between a quotation and what was said."""
    return _BLANKS.sub("", folded_text(visible_text(text)))


@cache
def _instructions(language: Language) -> str:
    return (_PROMPTS / f"{language.value}.txt").read_text(encoding="utf-8")
