"""The coach without a model: a question to think about, what the knowledge says, a sentence to say. Deterministic."""

from collections.abc import Sequence

from app.coaching.extract import Point, points_about, saying_about
from app.coaching.remark import Remark
from app.dialogue.turn import Turn, TurnRole
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage

VARIANTS = 2
MOST_POINTS = 3  # pieces of advice at a time, unless the person wants fewer or more


def answer_by_rules(
    question: str,
    *,
    remark: Remark,
    skill: str,
    language: Language,
    turns: Sequence[Turn] = (),
    passages: Sequence[Passage] = (),
    most: int = MOST_POINTS,
) -> str:
    """Markdown with ``[n]`` after what comes from the n-th of ``passages``; at most ``most`` pieces of advice.

    In a talk it goes on instead of starting again: sentences that were said are not repeated, and the sentence to say, the
    question to think about and the advice change from turn to turn.
    """
    if remark not in {Remark.QUESTION, Remark.FOLLOW_UP}:
        return message(f"coach.answer.{remark}", language)
    return _Answer(skill, language, turns, most).about(question, remark, passages)


class _Answer:
    def __init__(self, skill: str, language: Language, turns: Sequence[Turn], most: int) -> None:
        self._skill = skill
        self._language = language
        self._most = most
        coach_turns = [turn for turn in turns if turn.role is TurnRole.COACH]
        self._said = "\n".join(turn.text for turn in coach_turns)
        # How often this subject was talked about: each time the next variant is used.
        self._round = sum(turn.skill == skill for turn in coach_turns)

    def about(self, question: str, remark: Remark, passages: Sequence[Passage]) -> str:
        """What is known of the subject, then a question, as people take advice better after a thought of their own."""
        goes_on = remark is Remark.FOLLOW_UP
        saying = saying_about(question, passages, said=self._said)
        # One more than wanted: the sentence to say is not listed too.
        points = points_about(question, passages, said=self._said, most=self._most + 1)
        points = [point for point in points if not (saying and saying.text in point.text)][: self._most]
        parts = []
        if not points and (passages or not goes_on):
            parts.append(self._general("nothing_new" if passages else "not_found"))
        if not goes_on and (points or not passages):
            parts.append(self._of_skill("opening"))
        parts.append(self._question_to_think_about())
        if points:
            told = [f"{point.text} [{point.number}]" for point in points]
            parts.append(self._list("deeper_knowledge" if goes_on else "from_knowledge", told))
        else:
            parts.append(self._own_advice(goes_on=goes_on))
        return "\n\n".join((*parts, self._sentence_to_say(saying)))

    def _own_advice(self, *, goes_on: bool) -> str:
        if self._round == 0 and not goes_on:
            return self._list("checklist", self._of_skill("points").splitlines(), is_numbered=True)
        return self._list("deeper", self._variant("deeper", self._round + goes_on).splitlines())

    def _sentence_to_say(self, saying: Point | None) -> str:
        """The company's own words where they fit, else ours."""
        text = saying.text if saying else self._variant("say", self._round + 1)
        quoted = message("coach.answer.say_quote", self._language, sentence=text)
        return f"{self._general('say')}\n{quoted}" + (f" [{saying.number}]" if saying else "")

    def _question_to_think_about(self) -> str:
        return f"{self._general('reflect')}\n{self._variant('reflect', self._round + 1)}"

    def _variant(self, name: str, number: int) -> str:
        return self._of_skill(f"{name}_{(number - 1) % VARIANTS + 1}")

    def _of_skill(self, name: str) -> str:
        return message(f"coach.skill.{self._skill}.{name}", self._language)

    def _general(self, name: str) -> str:
        return message(f"coach.answer.{name}", self._language)

    def _list(self, heading: str, lines: Sequence[str], *, is_numbered: bool = False) -> str:
        listed = lines[: self._most]
        marks = (f"{number}. " if is_numbered else "- " for number, _ in enumerate(listed, start=1))
        return "\n".join((self._general(heading), *(mark + line for mark, line in zip(marks, listed, strict=True))))
