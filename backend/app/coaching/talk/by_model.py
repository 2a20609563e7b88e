"""Reading a message with a model. It only says which words belong to which point; the words are the person's own."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.coaching.ask_for_json import LanguageModel, ask_for_json
from app.coaching.fence import fenced, shortened
from app.coaching.prompt_file import prompt_file
from app.coaching.talk.state import Known, Point
from app.coaching.talk.understand import first_sentence, is_numbered
from app.core.errors import ModelReplyInvalid
from app.i18n.language import Language
from app.llm.interface import ModelCall, ModelRequest, PromptMessage, Role

LONGEST_READ = 4000
SHORTEST_WORDS = 2  # letters

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
    llm: LanguageModel, text: str, *, by_rules: Sequence[Known], asked: Sequence[Point], questions: Sequence[str],
    language: Language, turn: int, stated_at: datetime, team_id: str, user_id: str, calls: list[ModelCall], seconds: float,
) -> tuple[Known, ...]:  # fmt: skip
    """What the message tells. Where the model is late, wrong or silent, what the rules have read holds."""
    request = _request(text, questions, language, team_id=team_id, user_id=user_id)
    try:
        reply = await ask_for_json(llm, request, seconds=seconds, calls=calls)
        found = grounded(json.loads(reply.text), text, turn=turn, stated_at=stated_at) if reply else ()
    except ModelReplyInvalid:
        found = ()
    return merged(found, by_rules, sure=_sure(text, by_rules, asked))


def grounded(value: Any, text: str, *, turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """The statements whose words stand in the message; the same words speak for one point only.

    ``ModelReplyInvalid`` when the form is another one.
    """
    said, taken, collected = _letters(text), list[str](), dict[Point, list[str]]()
    try:
        for statement in value["statements"]:
            point, words = Point(statement["point"]), statement["words"].strip()
            letters = _letters(words)
            if len(letters) < SHORTEST_WORDS or letters not in said or _overlaps(letters, taken):
                continue
            taken.append(letters)
            collected.setdefault(point, []).append(words)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelReplyInvalid("the statements are not in the form asked for") from error
    return tuple(Known(point, " ".join(words), turn, stated_at) for point, words in collected.items())


def merged(found: Sequence[Known], by_rules: Sequence[Known], *, sure: Mapping[Point, str]) -> tuple[Known, ...]:
    """The model's reading, except where the rules are ``sure``; and the rules' for words that it has not spoken for.

    So an answer is never lost and never counted twice. A statement that swallows several of the rules' is none.
    """
    read = [_letters(known.text) for known in by_rules]
    certain = [known for known in by_rules if known.point in sure]
    taken = [_letters(words) for words in sure.values()]
    accepted = list(certain)
    for known in (*found, *(known for known in by_rules if known not in certain)):
        letters = _letters(known.text)
        is_coarse = sum(words in letters for words in read) > 1
        if not is_coarse and known.point not in {one.point for one in accepted} and not _overlaps(letters, taken):
            accepted.append(known)
            taken.append(letters)
    return tuple(accepted)


def _sure(text: str, by_rules: Sequence[Known], asked: Sequence[Point]) -> dict[Point, str]:
    """Points whose answer shows by its place: a numbered line, or the first sentence after a single question."""
    if is_numbered(text, asked):
        return {known.point: known.text for known in by_rules if known.point in asked}
    return {asked[0]: first_sentence(text)} if len(asked) == 1 else {}


def _request(text: str, questions: Sequence[str], language: Language, *, team_id: str, user_id: str) -> ModelRequest:
    instructions, version = prompt_file("talk/read", language)
    asked = [fenced("asked", question, number=str(number)) for number, question in enumerate(questions, start=1)]
    material = "\n\n".join((*asked, fenced("message", shortened(text, LONGEST_READ))))
    return ModelRequest(
        purpose="read_talk", instructions=instructions, messages=(PromptMessage(Role.SPEAKER, material, is_expendable=False),),
        team_id=team_id, user_id=user_id, prompt_version=version, max_tokens=1500, schema=READING_SCHEMA,
    )  # fmt: skip


def _overlaps(letters: str, taken: Sequence[str]) -> bool:
    return any(letters in other or other in letters for other in taken)


def _letters(text: str) -> str:
    """What two texts must share to say the same: neither spaces, signs nor the width of characters."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).lower() if character.isalnum())
