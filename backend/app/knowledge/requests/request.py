"""Knowledge that somebody asks for."""

from dataclasses import dataclass
from datetime import datetime

from app.i18n.language import Language


@dataclass(frozen=True)
class KnowledgeRequest:
    """A question the knowledge has no answer to, without names. ``entry_id``: the entry that answers it now."""

    request_id: int
    team_id: str
    question: str
    language: Language
    times_asked: int
    first_asked_at: datetime
    entry_id: int | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
