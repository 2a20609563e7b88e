"""What an entry is, and who may see and publish it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from app.i18n.language import Language
from app.people.person import Actor, Standing

EVERYONE = "everyone"
MANAGERS = "managers"
_LEADERS = frozenset({Standing.MANAGER, Standing.OWNER, Standing.ADMIN})


class Category(StrEnum):
    """The shelves. Their names for people stand in the catalogs under ``knowledge.category``."""

    DISCOVERY = "discovery"
    OBJECTION = "objection"
    CLOSING = "closing"
    NEGOTIATION = "negotiation"
    STAKEHOLDER = "stakeholder"
    MAIL = "mail"
    FIRST_CALL = "first_call"
    REFERRAL = "referral"
    RENEWAL = "renewal"
    LOST_DEAL = "lost_deal"
    METHODOLOGY = "methodology"
    MINDSET = "mindset"
    TIME_MANAGEMENT = "time_management"
    PROPOSAL = "proposal"
    PRICING = "pricing"
    PRODUCT = "product"
    CASE_STUDY = "case_study"
    COMPANY = "company"


class Status(StrEnum):
    """Only what is published is ever found."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Trust(IntEnum):
    """How far an entry may be relied on."""

    UNCHECKED = 1
    CHECKED = 2
    OFFICIAL = 3


@dataclass(frozen=True)
class Draft:
    """What a person writes, or an import reads. ``slug`` is its stable name: saving the same slug again edits the entry."""

    slug: str
    title: str
    body: str
    category: Category
    language: Language
    updated_on: date
    tags: tuple[str, ...] = ()
    scope: str = EVERYONE
    trust: Trust = Trust.CHECKED
    source: str = ""
    url: str | None = None
    owner_id: str | None = None
    review_on: date | None = None

    @property
    def content_hash(self) -> bytes:
        """Equal for drafts that say the same; saving an equal one changes nothing."""
        fields = [self.title, self.body, self.category, self.language, self.updated_on.isoformat(), sorted(self.tags), self.scope,
                  int(self.trust), self.source, self.url, self.owner_id, str(self.review_on)]  # fmt: skip
        return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).digest()


@dataclass(frozen=True)
class Entry:
    """A draft that has been saved."""

    entry_id: int
    draft: Draft
    status: Status
    version: int
    author_id: str | None
    changed_at: datetime


def scopes_of(actor: Actor) -> list[str]:
    """The scopes this answer may draw from. In a channel everybody reads along, so only what all of them may know.

    "Everyone" are the members of the workspace: guests and people of other companies see nothing.
    """
    if actor.is_external:
        return []
    scopes = [EVERYONE]
    if actor.channel_id:
        scopes.append(f"channel:{actor.channel_id}")
    if actor.is_private:
        scopes.append(f"person:{actor.user_id}")
        if actor.standing in _LEADERS:
            scopes.append(MANAGERS)
    return scopes


def may_publish(actor: Actor) -> bool:
    """Everybody proposes; managers, owners and administrators decide."""
    return actor.standing in _LEADERS and not actor.is_external


def system_actor(team_id: str) -> Actor:
    """Who acts when the product itself loads its library or an operator imports files."""
    return Actor(team_id=team_id, user_id="", standing=Standing.ADMIN)
