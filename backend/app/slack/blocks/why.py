"""Why an answer is as it is: the button under it, and what it shows to whoever presses it."""

from app.assistant.provenance import Provenance
from app.coaching.talk.topics import topics
from app.dialogue.turn import MadeWith
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, actions, button, context, foreign, section

WHY_ACTION = "answer_why"

_MOST_ENTRIES = 5
_TITLE = 150


def why_button(language: Language) -> Block:
    return actions(button(message("memory.why", language), action_id=WHY_ACTION))


def why_blocks(found: Provenance | None, language: Language) -> list[Block]:
    """For one person's eyes: what was remembered of somebody is shown to nobody else."""
    if found is None:
        return [section(message("memory.why_gone", language))]
    answer = found.answer
    title = f"*{message('memory.why_title', language)}*"
    blocks = [section("\n".join((title, _made_by(answer.made_with, language), *_skill(answer.skill, language))))]
    blocks.append(section(_entries(found, language)))
    if found.memories is not None:
        blocks.append(section(_memories(found, language)))
        blocks.append(context(message("memory.visibility", language)))
    return blocks


def _made_by(made: MadeWith, language: Language) -> str:
    if made.is_by_rules:
        return message("memory.why_made_by_rules", language)
    if not made.model:
        return message("memory.why_made_unknown", language)
    return message(
        "memory.why_made_by_model", language, model=foreign(made.model, 80), version=foreign(made.prompt_version or "–", 60)
    )


def _skill(skill: str, language: Language) -> list[str]:
    topic = topics(language).get(skill)
    return [message("memory.why_skill", language, skill=topic.title)] if topic else []


def _entries(found: Provenance, language: Language) -> str:
    if not found.entries:
        return message("memory.why_no_entries", language)
    names = [f"{one.title} › {one.heading}" if one.heading else one.title for one in found.entries[:_MOST_ENTRIES]]
    return "\n".join((f"*{message('memory.why_entries', language)}*", *(f"• {foreign(name, _TITLE)}" for name in names)))


def _memories(found: Provenance, language: Language) -> str:
    lines = [
        f"• {message(f'memory.kind_{memory.kind}', language)}: {foreign(memory.text, _TITLE)}" for memory in found.memories or ()
    ]
    if found.memories_gone:
        lines.append(message("memory.why_memories_gone", language, count=found.memories_gone))
    if not lines:
        return message("memory.why_no_memories", language)
    return "\n".join((f"*{message('memory.why_memories', language)}*", *lines))
