"""Words of a question that nobody has written, read as words that somebody has: ディスカンウト → ディスカウント.

Only for long words in katakana or Latin letters, where a slip of the keyboard makes a word that no dictionary mends. Asked for
only when a search has found next to nothing, so that the usual question pays nothing for it.
"""

import re
from collections.abc import Mapping

from app.storage.database import Session

SHORTEST_KANA, SHORTEST_LATIN = 5, 6
LONG_ENOUGH_FOR_TWO = 9  # characters: two slips in a shorter word make another word
_KANA_WORD = re.compile(r"[ァ-ヺー]+")
_LATIN_WORD = re.compile(r"[a-z]+")

# The first letter is rarely wrong; it keeps the look at the workspace's words short.
_NEIGHBOURS = """
select asked.word, t.term
from unnest($2::text[]) as asked (word)
join knowledge_terms t on t.team_id = $1 and left(t.term, 1) = left(asked.word, 1)
     and length(t.term) between length(asked.word) - 2 and length(asked.word) + 2
where not exists (select 1 from knowledge_terms known where known.team_id = $1 and known.term = asked.word)
order by t.chunks desc, t.term limit 2000
"""


async def respelled(session: Session, team_id: str, words: Mapping[str, int]) -> dict[str, int]:
    """Terms to search for as well, each with the number of the word it may stand for; empty when nothing comes near."""
    suspects = [word for word in words if _may_be_misspelt(word)]
    if not suspects:
        return {}
    near: dict[str, tuple[int, str]] = {}
    for row in await session.fetch(_NEIGHBOURS, team_id, suspects):
        asked, term = row["word"], row["term"]
        slips = slips_between(asked, term, most=2 if len(asked) >= LONG_ENOUGH_FOR_TWO else 1)
        if slips is not None and (asked not in near or slips < near[asked][0]):
            near[asked] = (slips, term)
    return {term: words[asked] for asked, (_, term) in near.items() if term not in words}


def slips_between(one: str, other: str, *, most: int) -> int | None:
    """Letters left out, added, exchanged or swapped with their neighbour; ``None`` for more than ``most``."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row, earlier = row, [i], before
        for j, facing in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != facing))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == facing:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
        before = above
    return row[-1] if row[-1] <= most else None


def _may_be_misspelt(word: str) -> bool:
    if _KANA_WORD.fullmatch(word):
        return len(word) >= SHORTEST_KANA
    return bool(_LATIN_WORD.fullmatch(word)) and len(word) >= SHORTEST_LATIN
