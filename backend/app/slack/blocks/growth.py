"""Growth in words: what the chart shows, for everybody who reads rather than looks. For messages and the Home tab."""

from app.assistant.show_growth import Growth, SkillGrowth
from app.coaching.growth.levels import Step, Trend
from app.coaching.growth.taxonomy import Skill
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, clipped, context, foreign, section

_NAMES = 1000
_TEXT = 2900


def growth_blocks(growth: Growth, language: Language) -> list[Block]:
    """The skills with their steps, those of which too little is known, and what the steps mean."""
    title = f"*{message('growth.skills.title', language)}*"
    lines = [skill_line(one, language) for one in growth.known]
    if growth.unknown:
        lines.append(unknown_line(growth, language))
    hint = message("growth.skills.meaning" if growth.known else "growth.skills.hint", language)
    return [section(clipped("\n".join([title, *lines]), _TEXT)), context(hint)]


def skill_line(one: SkillGrowth, language: Language) -> str:
    """``▰▰▰▱▱ 新規開拓：身につきつつある（上向き・記録5件）``. Only for skills that are known."""
    step = one.level.step or Step.BEGINNING
    gaps = {
        "bar": "▰" * step + "▱" * (len(Step) - step),
        "name": foreign(one.skill.name(language), 100),
        "step": step_name(step, language),
        "count": one.level.pieces,
    }
    if one.trend is Trend.UNKNOWN:
        return message("growth.skills.line_new", language, **gaps)
    return message("growth.skills.line", language, trend=message(f"growth.trend.{one.trend}", language), **gaps)


def unknown_line(growth: Growth, language: Language) -> str:
    names = message("growth.skills.separator", language).join(one.skill.name(language) for one in growth.unknown)
    return message("growth.skills.unknown", language, names=foreign(names, _NAMES))


def behaviour_line(skill: Skill, language: Language) -> str:
    """A skill with what can be seen when somebody does it well."""
    return message(
        "growth.history.skill",
        language,
        name=foreign(skill.name(language), 100),
        behaviour=foreign(skill.behaviour(language), 400),
    )


def step_name(step: Step, language: Language) -> str:
    return message(f"growth.step.{step.value}", language)
