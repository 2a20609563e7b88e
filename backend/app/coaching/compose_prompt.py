"""The prompt of an answer: instructions that never change within a skill, then the talk, then material and question."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.coaching.citations import without_citations
from app.coaching.fence import fenced, shortened, visible_text
from app.coaching.memory.remembered import NOTHING, Remembered
from app.dialogue.turn import Turn, TurnRole
from app.i18n.language import Language
from app.knowledge.passage import Passage
from app.llm.interface import PromptMessage, Role
from app.people.person import Dose, Persona

_FOLDER = Path(__file__).parent / "prompts"
_LAYOUT = "3"  # grows when this file changes what a model sees
MOST_TURNS = 10
LONGEST_TURN = 1200
LONGEST_PASSAGE = 1500
SURE_PASSAGES = 2  # the best ones; where a model's window is small, the others are left out, the worst first


@dataclass(frozen=True)
class Prompt:
    """``version`` changes with every change of the instructions or of how a prompt is laid out."""

    instructions: str
    messages: tuple[PromptMessage, ...]
    version: str


def compose_prompt(
    question: str, *, skill: str, language: Language, turns: Sequence[Turn], passages: Sequence[Passage],
    dose: Dose = Dose.FEW, persona: Persona = Persona.SUPPORTIVE, remembered: Remembered = NOTHING,
) -> Prompt:  # fmt: skip
    """``passages`` are numbered from 1 in the order given. What is remembered stands before them, as material too."""
    instructions, version = _instructions(skill, language, dose, persona)
    quoted = [_quoted(number, passage) for number, passage in enumerate(passages, start=1)]
    further = [PromptMessage(Role.SPEAKER, text) for text in reversed(quoted[SURE_PASSAGES:])]
    final = _final_message(question, quoted[:SURE_PASSAGES], remembered)
    return Prompt(instructions, (*_history(turns), *further, final), version)


def _history(turns: Sequence[Turn]) -> list[PromptMessage]:
    messages = [_earlier(turn) for turn in turns[-MOST_TURNS:]]
    while messages and messages[0].role is Role.COACH:  # some models insist that the speaker begins
        messages.pop(0)
    return messages


def _earlier(turn: Turn) -> PromptMessage:
    if turn.role is TurnRole.SPEAKER:
        text = fenced("earlier_question", shortened(turn.text, LONGEST_TURN), speaker=turn.user_id)
        return PromptMessage(Role.SPEAKER, text)
    # The numbers of an earlier answer mean nothing today, and a model would copy them.
    return PromptMessage(Role.COACH, shortened(visible_text(without_citations(turn.text)), LONGEST_TURN))


def _final_message(question: str, quoted: Sequence[str], remembered: Remembered) -> PromptMessage:
    material = [*_recalled(remembered), *(quoted or ["<no_knowledge/>"])]
    return PromptMessage(Role.SPEAKER, "\n\n".join((*material, fenced("question", question))), is_expendable=False)


def _recalled(remembered: Remembered) -> list[str]:
    material = [
        fenced("earlier_talk", talk.summary, ended=talk.ended_at.date().isoformat()) for talk in reversed(remembered.talks)
    ]
    material += [fenced("so_far", remembered.so_far)] if remembered.so_far else []
    return material + [
        fenced("remembered", memory.text, kind=memory.kind, said=memory.observed_at.date().isoformat())
        for memory in remembered.memories
    ]


def _quoted(number: int, passage: Passage) -> str:
    return fenced(
        "knowledge",
        shortened(passage.text, LONGEST_PASSAGE),
        id=str(number),
        title=passage.title,
        heading=passage.heading,
        source=passage.source,
        updated=passage.updated_on.isoformat(),
    )


@cache
def _instructions(skill: str, language: Language, dose: Dose, persona: Persona) -> tuple[str, str]:
    folder = _FOLDER / language.value
    # The part that all skills share comes first: vendors cache prompts by their beginning.
    names = ("coach", skill, f"manner/dose_{dose}", f"manner/persona_{persona}")
    text = "\n".join((folder / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    return text, f"{skill}-{language.value}-{hashlib.sha256((_LAYOUT + text).encode()).hexdigest()[:10]}"
