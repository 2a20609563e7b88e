"""The skills growth is shown by: a small list of behaviours in a data file, which a company may replace by its own."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.core.errors import ConfigurationError
from app.i18n.language import Language

OWN_FILE = Path(__file__).with_name("skills.toml")
MOST_SKILLS = 20  # what a chart and a screen can show
_LONGEST_NAME, _LONGEST_BEHAVIOUR = 40, 200
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Skill:
    """One skill. ``topics`` are the talks whose plan items exercise it."""

    id: str
    topics: tuple[str, ...]
    names: Mapping[Language, str]
    behaviours: Mapping[Language, str]

    def name(self, language: Language) -> str:
        return _in(self.names, language)

    def behaviour(self, language: Language) -> str:
        return _in(self.behaviours, language)


@dataclass(frozen=True)
class Taxonomy:
    """All skills in the order they are shown."""

    skills: tuple[Skill, ...]

    def find(self, skill_id: str) -> Skill | None:
        """``None`` for a skill that is not in the list any more: its evidence stays stored and is not shown."""
        return next((skill for skill in self.skills if skill.id == skill_id), None)

    def of_topic(self, topic: str) -> tuple[str, ...]:
        """Ids of the skills a topic exercises; none for ``general`` and for topics nobody has placed."""
        return tuple(skill.id for skill in self.skills if topic in skill.topics)


def skills_of_topic(topic: str, taxonomy: Taxonomy | None = None) -> tuple[str, ...]:
    """What a plan about ``topic`` exercises, by the company's list or, without one, by ours."""
    return (taxonomy or own_taxonomy()).of_topic(topic)


@cache
def own_taxonomy() -> Taxonomy:
    """The list that comes with the product."""
    return read_taxonomy(OWN_FILE)


def read_taxonomy(file: Path | None) -> Taxonomy:
    """The list in ``file``, or ours without one; ``ConfigurationError`` says which skill is wrong and how."""
    if file is None:
        return own_taxonomy()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        skills = tuple(_skill(item) for item in table["skills"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"SKILLS_FILE {file.name} cannot be read: {type(error).__name__} {error}") from error
    if not 1 <= len(skills) <= MOST_SKILLS:
        raise ConfigurationError(f"SKILLS_FILE {file.name} must hold 1 to {MOST_SKILLS} skills, it has {len(skills)}")
    if len({skill.id for skill in skills}) != len(skills):
        raise ConfigurationError(f"SKILLS_FILE {file.name}: two skills bear the same id")
    return Taxonomy(skills)


def _skill(item: Mapping[str, Any]) -> Skill:
    skill_id = item["id"]
    if not isinstance(skill_id, str) or not _ID.fullmatch(skill_id):
        raise ValueError(f"id {skill_id!r} must be small Latin letters, digits and underlines")
    return Skill(
        id=skill_id,
        topics=tuple(str(topic) for topic in item.get("topics", ())),
        names=_texts(item["name"], f"name of {skill_id}", _LONGEST_NAME),
        behaviours=_texts(item["behaviour"], f"behaviour of {skill_id}", _LONGEST_BEHAVIOUR),
    )


def _texts(table: Mapping[str, str], what: str, limit: int) -> dict[Language, str]:
    texts = {Language(name): " ".join(text.split()) for name, text in table.items()}
    if not texts or not all(0 < len(text) <= limit for text in texts.values()):
        raise ValueError(f"{what} needs 1 to {limit} characters in at least one language")
    return texts


def _in(texts: Mapping[Language, str], language: Language) -> str:
    """In this language, or in the first of ours that is there."""
    return texts.get(language) or next(texts[other] for other in Language if other in texts)
