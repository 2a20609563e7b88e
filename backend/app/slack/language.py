"""Which language to answer in."""

from app.i18n.detection import language_of
from app.i18n.language import Language


def language_for(
    text: str = "",
    *,
    thread: Language | None = None,
    person: Language | None = None,
    workspace: Language | None = None,
    fallback: Language = Language.JAPANESE,
) -> Language:
    """A thread keeps its language; a new one takes that of its first clear words, then the person's, then the workspace's."""
    return thread or language_of(text) or person or workspace or fallback
