"""Topics of guided talks: their questions and the actions a plan is built from. Data files, one per topic."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.coaching.plan.plan import Category, Priority
from app.coaching.talk.state import Point, Talk
from app.coaching.talk.triggers import TOPICS_FOLDER, topic_named
from app.i18n.language import Language

GENERAL = "general"
MOST_QUESTIONS = 5  # a turn


@dataclass(frozen=True)
class TalkQuestion:
    """One question of the bank; ``id`` is ``topic.point.n``."""

    id: str
    point: Point
    text: str


@dataclass(frozen=True)
class ActionTemplate:
    """One action a plan may hold. ``{problem}``, ``{goal}``… in its texts are filled with the person's own words."""

    title: str
    description: str
    success_metric: str
    priority: Priority
    category: Category
    due_in_days: int


@dataclass(frozen=True)
class Topic:
    """A topic in one language. ``triggers`` are words that name it."""

    name: str
    title: str
    triggers: tuple[str, ...]
    questions: tuple[TalkQuestion, ...]
    actions: tuple[ActionTemplate, ...]


@cache
def topics(language: Language) -> dict[str, Topic]:
    """All topics by name, ``general`` last."""
    files = sorted(TOPICS_FOLDER.glob("*.toml"), key=lambda file: (file.stem == GENERAL, file.stem))
    return {file.stem: _read(file, language) for file in files}


def topic_of(text: str, language: Language) -> Topic:
    """The topic whose triggers fit the text best; ``general`` when none does."""
    return topics(language)[topic_named(text) or GENERAL]


def next_questions(talk: Talk, language: Language, *, most: int) -> tuple[TalkQuestion, ...]:
    """The questions to put now: one per missing point, most important first, none that was put before, at most ``most``."""
    bank = topics(language)
    questions = bank[talk.topic].questions + bank[GENERAL].questions
    chosen = []
    for point in talk.missing:
        fitting = (question for question in questions if question.point is point and question.id not in talk.asked)
        if (question := next(fitting, None)) is not None:
            chosen.append(question)
    return tuple(chosen[: min(most, MOST_QUESTIONS)])


def question_by_id(question_id: str, language: Language) -> TalkQuestion | None:
    """A question put earlier; ``None`` when the bank has changed since."""
    topic = topics(language).get(question_id.partition(".")[0])
    return next((question for question in topic.questions if question.id == question_id), None) if topic else None


def _read(file: Path, language: Language) -> Topic:
    table = tomllib.loads(file.read_text(encoding="utf-8"))[language.value]
    return Topic(
        name=file.stem,
        title=table["title"],
        triggers=tuple(word.lower() for word in table["triggers"]),
        questions=tuple(
            TalkQuestion(f"{file.stem}.{point}.{number}", Point(point), text)
            for point, texts in table["questions"].items()
            for number, text in enumerate(texts, start=1)
        ),
        actions=tuple(
            ActionTemplate(
                title=action["title"],
                description=action["description"],
                success_metric=action["success_metric"],
                priority=Priority(action["priority"]),
                category=Category(action["category"]),
                due_in_days=action["due_in_days"],
            )
            for action in table["actions"]
        ),
    )
