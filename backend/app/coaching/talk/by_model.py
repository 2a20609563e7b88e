"""Reading a message with a model. It only says which words belong to which point; the words are the person's own."""

import json
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.coaching.ask_for_json import LanguageModel, ask_for_json
from app.coaching.fence import fenced, shortened
from app.coaching.prompt_file import prompt_file
from app.coaching.talk.state import Known, Point
from app.core.errors import ModelReplyInvalid
from app.i18n.language import Language
from app.llm.interface import ModelCall, ModelRequest, PromptMessage, Role

READING_SECONDS = 8.0  # the rules have read the message at once: more is not worth waiting for
LONGEST_READ = 4000

READING_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["statements"],
    "properties": {
        "statements": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["point", "words"],
                "properties": {
                    "point": {"type": "string", "enum": [point.value for point in Point]},
                    "words": {"type": "string", "description": "copied from the message, word for word"},
                },
            },
        }
    },
}


async def read_by_model(
    llm: LanguageModel, text: str, *, by_rules: Sequence[Known], questions: Sequence[str], language: Language, turn: int,
    stated_at: datetime, team_id: str, user_id: str, calls: list[ModelCall],
) -> tuple[Known, ...]:  # fmt: skip
    """What the message tells. Where the model is late, wrong or silent, what the rules have read holds."""
    request = _request(text, questions, language, team_id=team_id, user_id=user_id)
    try:
        reply = await ask_for_json(llm, request, seconds=READING_SECONDS, calls=calls)
        found = grounded(json.loads(reply.text), text, turn=turn, stated_at=stated_at) if reply else ()
    except ModelReplyInvalid:
        found = ()
    return merged(found, by_rules)


def grounded(value: Any, text: str, *, turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """The statements whose words stand in the message; one per point. ``ModelReplyInvalid`` when the form is another one."""
    said, collected = _letters(text), dict[Point, list[str]]()
    try:
        for statement in value["statements"]:
            words = statement["words"].strip()
            if _letters(words) and _letters(words) in said:
                collected.setdefault(Point(statement["point"]), []).append(words)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelReplyInvalid("the statements are not in the form asked for") from error
    return tuple(Known(point, " ".join(dict.fromkeys(words)), turn, stated_at) for point, words in collected.items())


def merged(found: Sequence[Known], by_rules: Sequence[Known]) -> tuple[Known, ...]:
    """The model's reading, and the rules' for words it has not spoken for: an answer is never lost, and never counted twice."""
    taken = [_letters(known.text) for known in found]
    points = {known.point for known in found}

    def is_new(known: Known) -> bool:
        words = _letters(known.text)
        return known.point not in points and not any(words in other or other in words for other in taken)

    return (*found, *(known for known in by_rules if is_new(known)))


def _request(text: str, questions: Sequence[str], language: Language, *, team_id: str, user_id: str) -> ModelRequest:
    instructions, version = prompt_file("talk/read", language)
    asked = [fenced("asked", question, number=str(number)) for number, question in enumerate(questions, start=1)]
    material = "\n\n".join((*asked, fenced("message", shortened(text, LONGEST_READ))))
    return ModelRequest(
        purpose="read_talk", instructions=instructions, messages=(PromptMessage(Role.SPEAKER, material, is_expendable=False),),
        team_id=team_id, user_id=user_id, prompt_version=version, max_tokens=1500, schema=READING_SCHEMA,
    )  # fmt: skip


def _letters(text: str) -> str:
    """What two texts must share to say the same: neither spaces, signs nor the width of characters."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).lower() if character.isalnum())
