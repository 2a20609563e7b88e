"""What somebody proposes to write into the company's knowledge, and what became of it."""

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.core.errors import BadRequest
from app.i18n.language import Language
from app.knowledge.entry import EVERYONE, Category, Draft, Entry, Trust

LONGEST_TITLE = 150
LONGEST_BODY = 50_000
MOST_TAGS = 10
LONGEST_TAG = 30
LONGEST_SOURCE = 200


@dataclass(frozen=True)
class EntryDraft:
    """What a person writes. ``changes``: the entry it is a new text for, as it was at ``base_version``; without, a new entry.

    ``request_id`` is the question it answers, if somebody has asked for it.
    """

    title: str
    body: str
    category: Category
    language: Language
    tags: tuple[str, ...] = ()
    source: str = ""
    url: str | None = None
    scope: str = EVERYONE
    changes: int | None = None
    base_version: int | None = None
    request_id: int | None = None

    @property
    def fingerprint(self) -> bytes:
        """Equal for drafts that say the same about the same entry."""
        return hashlib.sha256(self.to_json().encode()).digest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "EntryDraft":
        fields: dict[str, Any] = json.loads(text)
        fields |= {
            "category": Category(fields["category"]),
            "language": Language(fields["language"]),
            "tags": tuple(fields["tags"]),
        }
        return cls(**fields)


class ProposalStatus(StrEnum):
    """A proposal is decided once."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True)
class Proposal:
    """A draft that waits for a decision, or has had one. ``entry_id``: the entry it changes, or has become."""

    proposal_id: str
    team_id: str
    draft: EntryDraft
    status: ProposalStatus
    proposed_by: str | None
    proposed_at: datetime
    entry_id: int | None = None
    entry_version: int | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None


def tidied(draft: EntryDraft) -> EntryDraft:
    """The draft as it is stored. ``BadRequest`` for what cannot be an entry."""
    title = " ".join(draft.title.split())
    body = draft.body.replace("\r\n", "\n").strip()
    if not title or not body:
        raise BadRequest("an entry has a title and a text")
    if len(title) > LONGEST_TITLE or len(body) > LONGEST_BODY:
        raise BadRequest("the title or the text of an entry is too long")
    tags = dict.fromkeys(unicodedata.normalize("NFKC", tag).strip()[:LONGEST_TAG] for tag in draft.tags)
    return EntryDraft(
        title, body, draft.category, draft.language, tuple(tag for tag in tags if tag)[:MOST_TAGS],
        " ".join(draft.source.split())[:LONGEST_SOURCE], draft.url, draft.scope, draft.changes, draft.base_version,
        draft.request_id,
    )  # fmt: skip


def draft_of(entry: Entry) -> EntryDraft:
    """An entry as the beginning of a change to it."""
    draft = entry.draft
    return EntryDraft(
        draft.title, draft.body, draft.category, draft.language, draft.tags, draft.source, draft.url, draft.scope,
        changes=entry.entry_id, base_version=entry.version,
    )  # fmt: skip


def as_entry(draft: EntryDraft, *, slug: str, before: Entry | None, owner_id: str, today: date) -> Draft:
    """What is saved when the draft is published. Whoever publishes a new entry looks after it; a change clears a review due."""
    kept = before.draft if before else None
    review_on = kept.review_on if kept and kept.review_on and kept.review_on > today else None
    return Draft(
        slug=kept.slug if kept else slug, title=draft.title, body=draft.body, category=draft.category, language=draft.language,
        updated_on=today, tags=draft.tags, scope=draft.scope, trust=kept.trust if kept else Trust.CHECKED, source=draft.source,
        url=draft.url, owner_id=(kept.owner_id if kept else None) or owner_id, review_on=review_on,
    )  # fmt: skip
