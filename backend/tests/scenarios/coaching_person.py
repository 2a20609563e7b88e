"""A salesperson made of rules: they have a fact for each point, and answer what they are asked, in their own words."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from app.coaching.talk.state import Point
from app.coaching.talk.topics import topics
from app.i18n.language import Language
from app.i18n.messages import message
from tests.doubles.model_server import Script, hangs, says

STORIES = Path(__file__).with_name("coaching_stories")
_PERCENT = re.compile(r"(\d+)%")


@dataclass(frozen=True)
class Story:
    """One person's trouble. ``again``: how they come back to it; ``since``: what has happened until then."""

    topic: str
    language: Language
    opening: str
    facts: dict[Point, str]
    again: str
    since: str

    def answer(self, reply: str, *, knows: dict[Point, str] | None = None) -> str:
        """To one question its fact; to several a numbered line each."""
        asked = asked_in(reply, self.language)
        facts = knows or self.facts
        if len(asked) == 1:
            return facts[asked[0][1]]
        return "\n".join(f"{number}. {facts[point]}" for number, (_, point) in enumerate(asked, start=1))


def story(topic: str, language: Language) -> Story:
    told = tomllib.loads((STORIES / f"{topic}.toml").read_text(encoding="utf-8"))[language.value]
    facts = {point: told[point.value] for point in Point if point is not Point.PROBLEM} | {Point.PROBLEM: told["opening"]}
    return Story(topic, language, told["opening"], facts, told["again"], told["since"])


def story_topics() -> list[str]:
    return sorted(file.stem for file in STORIES.glob("*.toml"))


def asked_in(reply: str, language: Language) -> list[tuple[str, Point]]:
    """The questions a reply puts, in their order, as anybody would read them: by their words."""
    found = [
        (reply.find(question.text), question.id, question.point)
        for topic in topics(language).values()
        for question in topic.questions
        if question.text in reply
    ]
    for key in ("talk.say.check_item", "talk.say.check_change"):
        before, _, after = message(key, language).partition("{title}")
        if before in reply and after in reply:
            found.append((reply.find(before), key, Point.SITUATION))
    return [(question_id, point) for _, question_id, point in sorted(found)]


def percent_in(reply: str) -> int | None:
    """The progress that is shown."""
    found = _PERCENT.search(reply.rsplit("\n\n", 1)[-1])
    return int(found[1]) if found else None


# What a model may do with a talk

Respond = Callable[[dict[str, Any]], Script]


def is_reading(body: dict[str, Any]) -> bool:
    return "statements" in body["response_format"]["json_schema"]["schema"]["required"]


def faithful(story: Story, *, due_on: str) -> Respond:
    """Reads what was said and makes a plan in the language of the talk."""

    def respond(body: dict[str, Any]) -> Script:
        if not is_reading(body):
            return says(json.dumps(a_plan(story, due_on), ensure_ascii=False))
        text = body["messages"][-1]["content"].partition("<message>")[2]
        found = [{"point": point, "words": words} for point, words in story.facts.items() if words in text]
        return says(json.dumps({"statements": found}, ensure_ascii=False))

    return respond


def late(_story: Story, **_: Any) -> Respond:
    return lambda _body: hangs(after=1)


def malformed(story: Story, *, due_on: str) -> Respond:
    """Never the same mistake twice in a row."""
    plan = a_plan(story, due_on)
    mistakes = [
        "",
        "計画を作りました!",
        "{",
        "[]",
        "{}",
        '{"statements": "none"}',
        '{"statements": [{"point": "mood", "words": "x"}], "summary": 1, "actions": [], "rhythm": "weekly", "entries": []}',
        json.dumps({**plan, "actions": []}),
        json.dumps({**plan, "actions": [{**plan["actions"][0], "due_on": "2020-01-01"}]}),
        json.dumps({**plan, "actions": [{**plan["actions"][0], "due_on": "soon"}]}),
        json.dumps({**plan, "actions": plan["actions"] * 9}),
        json.dumps({**plan, "rhythm": "hourly"}),
        json.dumps({**plan, "summary": "あなたは営業に向いていません。 You are not cut out for sales. 您不适合做销售。"}),
    ]
    numbers = count()
    return lambda _body: says(mistakes[next(numbers) % len(mistakes)])


def contradictory(story: Story, *, due_on: str) -> Respond:
    """Claims that everything was said, with words nobody used, and gives the same words now to this point, now to that."""
    numbers = count()

    def respond(body: dict[str, Any]) -> Script:
        number = next(numbers)
        if not is_reading(body):
            plan = a_plan(story, due_on if number % 2 else "2020-01-01")
            return says(json.dumps({**plan, "entries": [999_999]}, ensure_ascii=False))
        text = body["messages"][-1]["content"].partition("<message>\n")[2].partition("\n</message>")[0]
        points = list(Point)[number % len(Point) :] + list(Point)[: number % len(Point)]
        invented = [{"point": point, "words": "everything is known 100% 全部わかっています"} for point in points]
        same = [{"point": point, "words": text} for point in points]
        return says(json.dumps({"statements": invented + same}, ensure_ascii=False))

    return respond


def a_plan(story: Story, due_on: str) -> dict[str, Any]:
    texts = {
        Language.JAPANESE: (
            "次の電話で試す順番の計画です。",
            "最初の一言を書き出す",
            "二文で書いて声に出します。",
            "一言が書けている",
        ),
        Language.ENGLISH: (
            "A plan for the next calls.",
            "Write the first sentence down",
            "Write and say it.",
            "It is written down",
        ),
        Language.CHINESE: ("这是接下来几通电话的计划。", "写下第一句话", "写两句并说出来。", "写好了一句话"),
    }
    summary, title, description, metric = texts[story.language]
    action = {
        "title": title, "description": description, "priority": "high", "due_on": due_on, "category": "practice",
        "success_metric": metric,
    }  # fmt: skip
    return {"summary": summary, "actions": [action], "rhythm": "weekly", "entries": []}
