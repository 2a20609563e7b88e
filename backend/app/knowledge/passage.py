"""A piece of knowledge as it is found, shown and cited."""

from dataclasses import dataclass
from datetime import date

from app.i18n.language import Language


@dataclass(frozen=True)
class Passage:
    """The best-fitting part of one entry. ``heading`` is the path inside the entry, empty for short ones.

    ``score`` ranks within one search; scores of different searches are not comparable. ``is_strong`` says whether the passage
    fits well enough to answer from.
    """

    entry_id: int
    title: str
    heading: str
    text: str
    source: str
    url: str | None
    category: str
    updated_on: date
    language: Language
    score: float
    is_strong: bool = True
