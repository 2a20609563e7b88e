"""The coach without a model: what the knowledge says, a sentence to say, a question to think about. Deterministic."""

from collections.abc import Sequence

from app.coaching.extract import points_about
from app.coaching.remark import Remark
from app.dialogue.turn import Turn, TurnRole
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.passage import Passage

VARIANTS = 2


def answer_by_rules(
    question: str,
    *,
    remark: Remark,
    skill: str,
    language: Language,
    turns: Sequence[Turn] = (),
    passages: Sequence[Passage] = (),
) -> str:
    """Markdown with ``[n]`` after what comes from the n-th of ``passages``.

    In a talk it goes on instead of starting again: sentences that were said are not repeated, and the sentence to say, the
    question to think about and the advice change from turn to turn.
    """
    if remark in {Remark.GREETING, Remark.THANKS}:
        return message(f"coach.answer.{remark}", language)
    return _Answer(skill, language, turns).about(question, remark, passages)


class _Answer:
    def __init__(self, skill: str, language: Language, turns: Sequence[Turn]) -> None:
        self._skill = skill
        self._language = language
        self._coach_turns = [turn for turn in turns if turn.role is TurnRole.COACH]
        # How often this subject was talked about: each time the next variant is used.
        self._round = sum(turn.skill == skill for turn in self._coach_turns)

    def about(self, question: str, remark: Remark, passages: Sequence[Passage]) -> str:
        goes_on = remark is Remark.FOLLOW_UP
        said = "\n".join(turn.text for turn in self._coach_turns)
        points = [f"{point.text} [{point.number}]" for point in points_about(question, passages, said=said)]
        if points:
            heading = "deeper_knowledge" if goes_on else "from_knowledge"
            advice = [] if goes_on else [self._of_skill("opening")]
            advice.append(self._list(heading, points))
        elif goes_on:
            advice = [self._general("nothing_new")] if passages else []
            advice.append(self._list("deeper", self._lines("deeper", self._round + 1)))
        else:
            advice = [self._general("nothing_new" if passages else "not_found")]
            advice += [] if passages else [self._of_skill("opening")]
            advice.append(self._own_advice())
        return "\n\n".join((*advice, self._sentence_to_say(), self._question_to_think_about()))

    def _own_advice(self) -> str:
        if self._round == 0:
            return self._list("checklist", self._of_skill("points").splitlines(), is_numbered=True)
        return self._list("deeper", self._lines("deeper", self._round))

    def _sentence_to_say(self) -> str:
        sentence = message("coach.answer.say_quote", self._language, sentence=self._variant("say", self._round + 1))
        return f"{self._general('say')}\n{sentence}"

    def _question_to_think_about(self) -> str:
        return f"{self._general('reflect')}\n{self._variant('reflect', self._round + 1)}"

    def _lines(self, name: str, number: int) -> list[str]:
        return self._variant(name, number).splitlines()

    def _variant(self, name: str, number: int) -> str:
        return self._of_skill(f"{name}_{(number - 1) % VARIANTS + 1}")

    def _of_skill(self, name: str) -> str:
        return message(f"coach.skill.{self._skill}.{name}", self._language)

    def _general(self, name: str) -> str:
        return message(f"coach.answer.{name}", self._language)

    def _list(self, heading: str, lines: Sequence[str], *, is_numbered: bool = False) -> str:
        marks = (f"{number}. " if is_numbered else "- " for number, _ in enumerate(lines, start=1))
        return "\n".join((self._general(heading), *(mark + line for mark, line in zip(marks, lines, strict=True))))
