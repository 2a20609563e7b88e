"""The form of an entry: what was typed, what is wrong with it, and the draft it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from app.i18n.language import Language
from app.knowledge.browsing.repository import is_personal
from app.knowledge.entry import EVERYONE, MANAGERS, Category, Draft, Trust

LONGEST_TITLE = 200
LONGEST_BODY = 100_000
LONGEST_TEXT = 300
MOST_TAGS = 20


@dataclass(frozen=True)
class EntryForm:
    """Everything as typed, so that a refused form can be shown again with nothing lost. ``problems``: field → catalog key."""

    title: str = ""
    body: str = ""
    category: str = Category.COMPANY.value
    language: str = Language.JAPANESE.value
    tags: str = ""
    scope: str = EVERYONE
    trust: str = str(int(Trust.CHECKED))
    source: str = ""
    url: str = ""
    owner_id: str = ""
    review_on: str = ""
    updated_on: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def scopes(self) -> list[str]:
        """What can be chosen: the usual two, and whatever the entry has now."""
        return list(dict.fromkeys([EVERYONE, MANAGERS, self.scope]))


def form_of(draft: Draft) -> EntryForm:
    return EntryForm(
        title=draft.title, body=draft.body, category=draft.category.value, language=draft.language.value,
        tags=", ".join(draft.tags), scope=draft.scope, trust=str(int(draft.trust)), source=draft.source, url=draft.url or "",
        owner_id=draft.owner_id or "", review_on=draft.review_on.isoformat() if draft.review_on else "",
        updated_on=draft.updated_on.isoformat(),
    )  # fmt: skip


def typed_form(values: Mapping[str, object]) -> EntryForm:
    """A posted form, checked."""
    names = [name for name in EntryForm.__dataclass_fields__ if name != "problems"]
    typed: dict[str, Any] = {name: str(values[name]).replace("\r\n", "\n") for name in names if name in values}
    stripped = EntryForm(**{name: text if name == "body" else text.strip() for name, text in typed.items()})
    return replace(stripped, problems=_problems(stripped))


def draft_of(form: EntryForm, *, today: date) -> Draft:
    """For a form without problems."""
    assert not form.problems
    return Draft(
        slug="", title=form.title, body=form.body.strip(), category=Category(form.category), language=Language(form.language),
        updated_on=_date(form.updated_on) or today, tags=_tags(form.tags), scope=form.scope, trust=Trust(int(form.trust)),
        source=form.source, url=form.url or None, owner_id=form.owner_id or None, review_on=_date(form.review_on),
    )  # fmt: skip


def _problems(form: EntryForm) -> dict[str, str]:
    checks = {
        "title": _length(form.title, LONGEST_TITLE, is_required=True),
        "body": _length(form.body.strip(), LONGEST_BODY, is_required=True),
        "category": None if form.category in set(Category) else "choose",
        "language": None if form.language in set(Language) else "choose",
        "trust": None if form.trust in {str(int(trust)) for trust in Trust} else "choose",
        "scope": "choose" if not form.scope or is_personal(form.scope) else None,
        "tags": "too_many_tags" if len(_tags(form.tags)) > MOST_TAGS else _length(form.tags, LONGEST_TEXT),
        "source": _length(form.source, LONGEST_TEXT),
        "url": None if not form.url or _is_web_address(form.url) else "not_an_address",
        "owner_id": None if not form.owner_id or form.owner_id.isalnum() else "not_a_member",
        "review_on": None if not form.review_on or _date(form.review_on) else "not_a_date",
        "updated_on": None if not form.updated_on or _date(form.updated_on) else "not_a_date",
    }
    return {name: problem for name, problem in checks.items() if problem}


def _length(text: str, most: int, *, is_required: bool = False) -> str | None:
    if is_required and not text:
        return "missing"
    return "too_long" if len(text) > most else None


def _tags(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in text.replace("、", ",").split(",") if tag.strip()))


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(text) <= 2_000


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
