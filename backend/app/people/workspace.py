"""A workspace's own settings."""

from dataclasses import dataclass

from app.i18n.language import Language


@dataclass(frozen=True)
class Workspace:
    """``thread_replies``: never, ask or auto: whether untagged replies in channel threads are answered."""

    team_id: str
    name: str | None = None
    language: Language | None = None
    bot_user_id: str | None = None
    thread_replies: str = "never"
