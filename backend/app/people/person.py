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


@dataclass(frozen=True)
class Person:
    """One member of one workspace. ``language`` is what they chose or what their Slack locale says; ``None``: neither."""

    team_id: str
    user_id: str
    language: Language | None = None
    time_zone: str = "Asia/Tokyo"
    standing: Standing = Standing.MEMBER
    is_external: bool = False


@dataclass(frozen=True)
class Actor:
    """On whose behalf something is read or changed, and who will see the result.

    ``is_private`` is true when only this person reads the answer (DM, ephemeral, App Home): the widest scope they may see.
    In a channel only what everybody in it may know is used.
    """

    team_id: str
    user_id: str
    standing: Standing = Standing.MEMBER
    is_private: bool = True
    channel_id: str | None = None
