"""Which coaching skill a message asks for, by its words."""

from app.coaching.skills import SKILLS
from app.coaching.talk.triggers import topic_named

GENERAL = "general"


def choose_skill(text: str, *, previous: str | None = None) -> str:
    """The skill of the topic that the words name; without any, the one the talk is about; else ``general``."""
    return topic_named(text, previous=previous) or (previous if previous in SKILLS else None) or GENERAL
