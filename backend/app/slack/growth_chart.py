"""What stands on the picture of somebody's growth, and the same in words for those who cannot see it."""

from datetime import tzinfo

from app.assistant.show_growth import Growth, SkillGrowth
from app.coaching.growth.chart import Chart, ChartRow
from app.coaching.growth.levels import LEVEL_OF_STEP, Level, Step, Trend, on_steps
from app.coaching.growth.text_width import columns
from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.dates import in_words
from app.slack.blocks.growth import step_name
from app.slack.blocks.parts import clipped

ALT_TEXT = 1000  # characters, Slack's limit for files
_LINE_COLUMNS = 104  # half-width characters across the picture


def chart_of(growth: Growth, language: Language, zone: tzinfo) -> Chart:
    """Only skills of which enough is known have a row; the others are named below."""
    first, last = days_of(growth, language, zone)
    return Chart(
        title=message("growth.skills.title", language),
        subtitle=message("growth.chart.period", language, first=first, last=last),
        rows=tuple(_row(one, language) for one in growth.known),
        lines=tuple(on_steps(start) for step, start in LEVEL_OF_STEP.items() if step is not Step.BEGINNING),
        first_day=first,
        last_day=last,
        notes=(message("growth.chart.band", language), *_unknown(growth, language)),
    )


def days_of(growth: Growth, language: Language, zone: tzinfo) -> tuple[str, str]:
    """The first and the last day on the picture, in the person's calendar."""
    first, last = growth.moments[0].astimezone(zone).date(), growth.moments[-1].astimezone(zone).date()
    return in_words(first, language), in_words(last, language)


def alt_text(growth: Growth, language: Language) -> str:
    lines = "".join(
        message(
            "growth.chart.alt_line", language, name=one.skill.name(language),
            step=step_name(one.level.step or Step.BEGINNING, language), count=one.level.pieces,
        )
        for one in growth.known
    )  # fmt: skip
    return clipped(message("growth.chart.alt", language, lines=lines), ALT_TEXT)


def legend(growth: Growth, language: Language) -> str:
    """What the English names on the picture are called in ``language``."""
    pairs = [
        message("growth.chart.legend", language, other=one.skill.name(Language.ENGLISH), name=one.skill.name(language))
        for one in growth.known
    ]
    return message("growth.chart.in_english", language, names=message("growth.skills.separator", language).join(pairs))


def _row(one: SkillGrowth, language: Language) -> ChartRow:
    return ChartRow(
        name=one.skill.name(language),
        step=step_name(one.level.step or Step.BEGINNING, language),
        evidence=_evidence(one, language),
        levels=tuple(_height(level, 0) for level in one.course),
        low=tuple(_height(level, -1) for level in one.course),
        high=tuple(_height(level, 1) for level in one.course),
    )


def _evidence(one: SkillGrowth, language: Language) -> str:
    if one.trend is Trend.UNKNOWN:
        return message("growth.chart.evidence", language, count=one.level.pieces)
    trend = message(f"growth.trend.{one.trend}", language)
    return message("growth.chart.evidence_trend", language, trend=trend, count=one.level.pieces)


def _height(level: Level, spreads: int) -> float | None:
    return round(on_steps(level.mean + spreads * level.spread), 4) if level.is_known else None


def _unknown(growth: Growth, language: Language) -> list[str]:
    if not growth.unknown:
        return []
    separator = message("growth.skills.separator", language)
    names = separator.join(one.skill.name(language) for one in growth.unknown)
    return in_lines(message("growth.skills.unknown", language, names=names), separator)


def in_lines(text: str, separator: str) -> list[str]:
    """The text in lines that fit the picture, broken behind separators."""
    lines, line = [], ""
    for piece in text.split(separator):
        longer = f"{line}{separator}{piece}" if line else piece
        if line and columns(longer) > _LINE_COLUMNS:
            lines.append(f"{line}{separator}".rstrip())
            line = piece
        else:
            line = longer
    return [*lines, line]
