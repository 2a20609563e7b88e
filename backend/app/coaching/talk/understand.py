"""Reading what a person wrote, by rules: is it a trouble or a question, and which points does it tell about."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from app.coaching.talk.cues import cues, has_any, places_of
from app.coaching.talk.state import Known, Point
from app.coaching.talk.topics import GENERAL, topic_of
from app.i18n.language import Language

_SENTENCE_END = re.compile(r"(?<=[。！？!?])\s*|(?<=[^0-9][.])\s+|\n+")
# What others said is neither the person's question nor their trouble.
_QUOTATION = re.compile(r"「[^」\n]*」|『[^』\n]*』|“[^”\n]*”|\"[^\"\n]*\"")
# A question asked of the coach, by the grammar of a sentence's end or beginning. "About five, perhaps?" is an answer.
_ASKS: dict[Language, re.Pattern[str]] = {
    Language.JAPANESE: re.compile(
        r"(?:どう|どんな|どの|どれ|どちら|どこ|何|なに|なぜ|なんで|いつ|誰|だれ|いくら)[^。]*(?:か|\?|の)[。?\s]*$"
        r"|(?:ありますか|ありませんか|できますか|べきですか|べきでしょうか|いいですか|よいですか|良いですか|でいいでしょうか)[。?\s]*$"
        r"|(?:教えて|聞かせて|説明して|見せて|挙げて)(?:ください|下さい|くださ|ほしい|欲しい|もらえ|いただ|頂|くれ|よ?[。!\\s]*$)[^。]*$|(?:とは|って何)[。?\s]*$"
    ),
    Language.ENGLISH: re.compile(
        r"^(?:so |and |but |ok,? |okay,? )?(?:how|what|which|why|when|where|who|can|could|should|would|is|are|do|does)\b.*\?\s*$"
        r"|^(?:please )?(?:tell me|explain|show me|give me an example)\b|^(?:how do i|how should i|what should i)\b"
    ),
    Language.CHINESE: re.compile(
        r"(?:怎么|如何|什么|为什么|哪|谁|多少|几|能不能|可不可以|有没有|是不是)[^。]*(?:\?|呢|吗)\s*$"
        r"|(?:可以|能|应该|有)[^。]*吗[。?\s]*$|请问|请告诉|请教|请解释|(?:怎么办|是什么|为什么|怎么(?:说|做|回答))[。?\s]*$"
    ),
}
_HESITATION = re.compile(
    r"(?:う+ー*ん*|え+ー*と*|そうですね|(?:ちょっと|少し)?(?:待って|考え(?:させて|ます|中))(?:ください|下さい|ね)?"
    r"|h+m+|um+|uh+|let me think|wait|one moment|just a moment|嗯+|等等|等一下|让我想想|我想想)[\W_ー]*"
)
_COMMA = re.compile(r"[、,，:：]\s*")
_SORRY = re.compile(r"^(?:いいえ|いえ|あっ?|すみません|ごめんなさい|sorry|oh|抱歉|对不起|啊)[、,，\s]*")
LONGEST_REST = 5  # characters: 訂正"します。"
LONGEST_WISH = 30  # characters of "let us have the plan"; a longer message also tells something

_NUMBERED = re.compile(r"^\s*(?:\(?([1-9])[.)．）:：、]|([①-⑨]))\s*")


class Intent(StrEnum):
    """What a message asks of the coach."""

    QUESTION = "question"
    TROUBLE = "trouble"


def intent_of(text: str, language: Language) -> Intent:
    """``TROUBLE`` when the person tells of a difficulty of their own, ``QUESTION`` when they want to know something.

    A message that does both, such as a difficulty followed by "what should I say?", is a question: an answer can always lead on
    to a talk, while a talk forced on somebody who wants an answer annoys.
    """
    words = cues(language)
    folded, helpless = words.at_a_loss.subn("", _folded(_QUOTATION.sub("", text)))
    asks = has_any(words.asking, folded) or folded.rstrip().endswith(("?", "か", "か。"))
    tells = helpless > 0 or has_any(words.trouble, _without(words.harmless, _folded(text)))
    return Intent.TROUBLE if tells and not asks else Intent.QUESTION


def _without(phrases: Sequence[str], folded: str) -> str:
    for phrase in phrases:
        folded = folded.replace(phrase, " ")
    return folded


def asks_clearly(text: str, language: Language) -> bool:
    """Whether the message ends with a question to the coach. Inside a talk only such a message is answered, not taken in."""
    sentences = [_folded(sentence).strip() for sentence in _sentences(_QUOTATION.sub("", text))]
    return bool(sentences) and _ASKS[language].search(sentences[-1]) is not None


def told_before_asking(text: str, language: Language) -> str:
    """The sentences that do not ask: what a message tells besides its question."""
    return "\n".join(sentence for sentence in _sentences(text) if not asks_clearly(sentence, language))


def wants_plan_now(text: str, language: Language) -> bool:
    """Whether the person asks to skip the remaining questions."""
    folded = _folded(text)
    return len(folded) <= LONGEST_WISH and has_any(cues(language).plan_now, folded)


def hesitates(text: str) -> bool:
    """Whether the message only says that an answer is on its way."""
    return _HESITATION.fullmatch(_folded(text).strip()) is not None


def knows_no_answer(text: str, language: Language) -> bool:
    """Whether the message says that there is no answer yet. "I have no time" is one."""
    folded = _folded(text)
    cue = next((cue for cue in cues(language).no_answer if cue in folded), None)
    return cue is not None and len(folded) - len(cue) <= LONGEST_REST * 3 and _point_of(text, language, asked=()) is None


def is_correction(text: str, language: Language) -> bool:
    """Whether the person says that something was understood or told wrongly."""
    return has_any(cues(language).correction, _folded(_QUOTATION.sub("", text))) or withdraws(text, language)


def withdraws(text: str, language: Language) -> bool:
    """Whether the person takes back what they said."""
    return has_any(cues(language).withdraw, _folded(text))


def corrections_in(text: str, language: Language, *, last: Point, turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """What holds instead, by point; a text that is empty takes the point back. ``last``: what was told most recently.

    Who corrects names the subject first: "my goal is…". A sentence that names none is about ``last``, or continues the one
    before it.
    """
    collected: dict[Point, list[str]] = {}
    current = last
    for sentence in _sentences(text):
        content = _without_opening(sentence, language)
        current = _named_first(sentence, language) or current
        if withdraws(sentence, language):
            collected.setdefault(current, [])
        elif content:
            collected.setdefault(current, []).append(content)
    return tuple(Known(point, " ".join(parts), turn, stated_at) for point, parts in collected.items())


def statements_in(text: str, language: Language, *, asked: Sequence[Point], turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """What the message tells about the five points. Each sentence tells about one of them.

    Numbered lines answer the questions in their order. Otherwise the first sentence answers the only question; any other
    belongs to the point its cue words name, preferring points that were asked about, and one without cues continues the one
    before it. "I do not know" is an answer too: the question is not put again.
    """
    collected: dict[Point, list[str]] = {}
    current = asked[0] if asked else Point.PROBLEM
    numbered = is_numbered(text, asked)
    for place, sentence in enumerate(_sentences(text)):
        position = _number_of(sentence) if numbered else None
        if position is not None and position <= len(asked):
            current = asked[position - 1]
        elif not numbered and (len(asked) != 1 or place > 0):
            current = _point_of(sentence, language, asked=asked) or current
        collected.setdefault(current, []).append(_NUMBERED.sub("", sentence))
    return tuple(Known(point, " ".join(parts), turn, stated_at) for point, parts in collected.items())


def is_numbered(text: str, asked: Sequence[Point]) -> bool:
    """Whether the message answers several questions number by number."""
    return len(asked) > 1 and any(_NUMBERED.match(line) for line in text.splitlines())


def first_sentence(text: str) -> str:
    """Where an answer to a single question stands, whatever else follows."""
    return next(iter(_sentences(text)), "")


def opening_statements(text: str, language: Language, *, turn: int, stated_at: datetime) -> tuple[Known, ...]:
    """What the message that opens a talk tells. Its sentence of trouble names the problem, and tells about another point only
    when it does so in more than one word: "we lost the meeting with A last week". "I am stuck" alone names nothing.
    """
    sentences = _sentences(text)
    trouble = next((one for one in sentences if has_any(cues(language).trouble, _folded(one))), first_sentence(text))
    collected: dict[Point, list[str]] = {} if _says_only_that(trouble, language) else {Point.PROBLEM: [trouble]}
    for point, places in _named(trouble, language).items():
        if point is not Point.PROBLEM and len(places) > 1:
            collected.setdefault(point, []).append(trouble)
    others = "\n".join(one for one in sentences if one != trouble)
    for known in statements_in(others, language, asked=(), turn=turn, stated_at=stated_at) if others else ():
        collected.setdefault(known.point, []).append(known.text)
    return tuple(Known(point, " ".join(parts), turn, stated_at) for point, parts in collected.items())


def _says_only_that(trouble: str, language: Language) -> bool:
    """Whether a sentence names no subject and nothing is left of it without its words of trouble."""
    if topic_of(trouble, language).name != GENERAL:
        return False
    rest = _folded(trouble)
    for cue in cues(language).trouble:
        rest = rest.replace(cue, "")
    return sum(map(str.isalnum, rest)) <= LONGEST_REST


def _point_of(sentence: str, language: Language, *, asked: Sequence[Point]) -> Point | None:
    """The point most cue words speak for; of several one that was asked about, else the one that is named first."""
    named = _named(sentence, language)
    best = max(len(places) for places in named.values())
    if best == 0:
        return None
    candidates = sorted((point for point in Point if len(named[point]) == best), key=lambda point: min(named[point]))
    return next((point for point in candidates if point in asked), candidates[0])


def _named_first(sentence: str, language: Language) -> Point | None:
    named = {point: min(places) for point, places in _named(sentence, language).items() if places}
    return min(named, key=lambda point: named[point], default=None)


def _named(sentence: str, language: Language) -> dict[Point, list[int]]:
    """Where in the sentence each point's cue words stand."""
    folded = _folded(sentence)
    return {point: places_of(words, folded) for point, words in cues(language).points.items()}


def _without_opening(sentence: str, language: Language) -> str:
    """Without the words that only announce a correction: "No, …", "違います、…"."""
    found = _COMMA.search(sentence)
    head, rest = (sentence[: found.start()], sentence[found.end() :]) if found else (sentence, "")
    return rest.strip() if _announces(_folded(head), language) else sentence


def _announces(head: str, language: Language) -> bool:
    opening = _SORRY.sub("", head)
    stripped = (cue.strip(", ") for cue in cues(language).correction)
    return any(opening.startswith(cue) and len(opening) - len(cue) <= LONGEST_REST for cue in stripped)


def _sentences(text: str) -> list[str]:
    return [piece.strip() for piece in _SENTENCE_END.split(text) if piece and piece.strip()]


def _number_of(sentence: str) -> int | None:
    found = _NUMBERED.match(sentence)
    if not found:
        return None
    return int(found[1]) if found[1] else "①②③④⑤⑥⑦⑧⑨".index(found[2]) + 1


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("’", "'")
