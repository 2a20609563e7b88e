"""What the coach says in a guided talk: first what was heard, in the person's own words, then what is still to be known."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.coaching.plan.plan import ActionPlan
from app.coaching.talk.state import Known, Point, Talk
from app.coaching.talk.topics import GENERAL, topics
from app.i18n.language import Language
from app.i18n.messages import message

LONGEST_WORDS = 80
MOST_MIRRORED = 2
MOST_REMEMBERED = 3
BAR = 10


@dataclass(frozen=True)
class Heard:
    """What a message changed. ``is_hesitation``: it only says that an answer is on its way."""

    learned: tuple[Known, ...] = ()
    is_correction: bool = False
    has_no_answer: bool = False
    is_hesitation: bool = False

    @property
    def tells_nothing(self) -> bool:
        """Nothing to go on with: a wait, or a "no" without what is right instead."""
        return self.is_hesitation or (self.is_correction and not self.learned)


def opening(topic: str, language: Language) -> str:
    """Says that this is taken as a problem to work on."""
    if topic == GENERAL:
        return message("talk.say.opening_general", language)
    return message("talk.say.opening", language, topic=topics(language)[topic].title)


def mirror(heard: Heard, language: Language) -> list[str]:
    """Reflection comes before advice, and before the next question."""
    if heard.is_hesitation:
        return [message("talk.say.hesitate", language)]
    if heard.is_correction and not heard.learned:
        return [message("talk.say.what_instead", language)]
    if heard.has_no_answer:
        return [message("talk.say.no_answer", language)]
    by_words = {words_of(known.text): known for known in reversed(heard.learned)}  # the same words are mirrored once
    different = [known for known in heard.learned if by_words[words_of(known.text)] is known]
    return [_mirrored(known, language, is_correction=heard.is_correction) for known in different[:MOST_MIRRORED]]


def remembered(known: Sequence[Known], language: Language) -> list[str]:
    """What the person told before, so that they need not tell it again."""
    lines = [
        message("talk.say.known_line", language, point=_point(one.point, language), words=words_of(one.text))
        for one in known[:MOST_REMEMBERED]
    ]
    return ["\n".join((message("talk.say.known_before", language), *lines))] if lines else []


def asked(questions: Sequence[str], language: Language) -> list[str]:
    """The questions of a turn; several are numbered in the order in which answers are understood."""
    if len(questions) < 2:
        return list(questions)
    lines = [
        message("talk.say.numbered", language, number=number, question=text) for number, text in enumerate(questions, start=1)
    ]
    return ["\n".join((message("talk.say.several", language), *lines))]


def progress(talk: Talk, language: Language) -> str:
    """Computed from what is known, never guessed."""
    full = talk.progress * BAR // 100
    bar = "■" * full + "□" * (BAR - full)
    stage = message(f"talk.stage.{talk.stage}", language)
    return message("talk.say.progress", language, bar=bar, percent=talk.progress, stage=stage)


def plan_presented(
    plan: ActionPlan, talk: Talk, language: Language, *, reason: str, is_instead: bool, is_reminded: bool
) -> list[str]:
    """Why there is a plan now, what it is for, and what comes after. ``reason``: enough, requested or no_more."""
    lines = [message(f"talk.say.plan_{reason}", language)]
    if talk.missing:
        points = message("talk.point.between", language).join(_point(point, language) for point in talk.missing)
        lines.append(message("talk.say.plan_open_points", language, points=points))
    if is_instead:
        lines.append(message("talk.say.plan_instead", language))
    after = [message(f"talk.say.plan_{plan.rhythm}", language)]
    after += [message("talk.say.plan_reminded", language)] if is_reminded else []
    return ["\n".join(lines), plan.summary, "\n".join(after)]


def plan_in_words(plan: ActionPlan, language: Language) -> str:
    """The actions as text, for what is remembered of the talk."""
    return "\n".join(
        message(
            "talk.say.plan_item", language, number=number, title=one.title, due_on=one.due_on.isoformat(),
            description=one.description, metric=one.success_metric,
        )
        for number, one in enumerate(plan.actions, start=1)
    )  # fmt: skip


def words_of(text: str, longest: int = LONGEST_WORDS) -> str:
    """The person's words on one line, without the marks that would end their quotation."""
    line = " ".join(text.split()).rstrip("。.!！")
    bare = line.translate({ord("「"): "『", ord("」"): "』", ord("“"): "'", ord("”"): "'"})
    return bare if len(bare) <= longest else bare[: longest - 1] + "…"


def _mirrored(known: Known, language: Language, *, is_correction: bool) -> str:
    if not known.text.strip():
        return message("talk.say.withdrawn", language, point=_point(known.point, language))
    key = "talk.say.corrected" if is_correction else f"talk.mirror.{known.point}"
    return message(key, language, words=words_of(known.text))


def _point(point: Point, language: Language) -> str:
    return message(f"talk.point.{point}", language)
