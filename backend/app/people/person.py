"""A person as the product knows them."""

from dataclasses import dataclass
from enum import StrEnum

from app.i18n.language import Language


class Standing(StrEnum):
    """What a person may do in their workspace."""

    MEMBER = "member"
    MANAGER = "manager"
    OWNER = "owner"
    ADMIN = "admin"


class Dose(StrEnum):
    """How much the coach gives at a time: points of advice in an answer, questions in a turn of a guided talk."""

    ONE = "one"
    FEW = "few"
    FULL = "full"

    @property
    def most(self) -> int:
        """One, three or five."""
        return {Dose.ONE: 1, Dose.FEW: 3, Dose.FULL: 5}[self]


class Persona(StrEnum):
    """The manner in which the coach speaks."""

    SUPPORTIVE = "supportive"
    DIRECT = "direct"
    ANALYTICAL = "analytical"


class Visibility(StrEnum):
    """What others may learn from a person's coaching. Texts are never shown to anybody else, whatever is chosen."""

    PRIVATE = "private"
    TEAM_NUMBERS = "team_numbers"  # counts may enter figures of the team


SESSIONS_OF_A_BEGINNER = 3


def usual_dose(sessions: int) -> Dose:
    """The beginners' rule: who has chosen no dose gets one point at a time until they have had three sessions, then a few."""
    return Dose.FEW if sessions >= SESSIONS_OF_A_BEGINNER else Dose.ONE


@dataclass(frozen=True)
class Person:
    """One member of one workspace. ``language`` is what they chose or what their Slack locale says; ``None``: neither.

    ``dose`` is what holds for them now: their choice, else the beginners' rule (:func:`usual_dose`).
    """

    team_id: str
    user_id: str
    language: Language | None = None
    time_zone: str = "Asia/Tokyo"
    standing: Standing = Standing.MEMBER
    is_external: bool = False
    language_is_chosen: bool = False
    dose: Dose = Dose.ONE
    dose_is_chosen: bool = False
    persona: Persona = Persona.SUPPORTIVE
    reminders_on: bool = True
    visibility: Visibility = Visibility.PRIVATE


@dataclass(frozen=True)
class Actor:
    """On whose behalf something is read or changed, and who will see the result.

    ``is_private`` is true when only this person reads the answer (DM, ephemeral, App Home): the widest scope they may see.
    In a channel only what everybody in it may know is used. ``is_external``: a guest or a stranger, who may know nothing.
    """

    team_id: str
    user_id: str
    standing: Standing = Standing.MEMBER
    is_private: bool = True
    channel_id: str | None = None
    is_external: bool = False
