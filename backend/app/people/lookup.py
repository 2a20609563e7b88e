"""What Slack tells about a person, and who asks it."""

from dataclasses import dataclass
from typing import Protocol

from app.people.person import Standing


@dataclass(frozen=True)
class LookedUpPerson:
    """One look-up's result. ``is_external``: a guest, or a member of another workspace."""

    display_name: str
    locale: str | None
    time_zone: str | None
    standing: Standing
    is_external: bool


class PersonLookup(Protocol):
    """Asks Slack. ``None``: Slack knows no such person. Raises ``core.errors.SlackError`` when Slack does not answer."""

    async def __call__(self, team_id: str, user_id: str) -> LookedUpPerson | None:
        """The person as Slack knows them now."""
