"""What a search may be narrowed to."""

from dataclasses import dataclass
from datetime import date

from app.i18n.language import Language
from app.knowledge.entry import Category, Trust


@dataclass(frozen=True)
class SearchFilter:
    """Empty: everything the actor may see."""

    language: Language | None = None
    categories: tuple[Category, ...] = ()
    least_trust: Trust = Trust.UNCHECKED
    updated_since: date | None = None
