"""Markdown with YAML front matter → a draft. The form is described in ``docs/how_to/write_a_knowledge_entry.md``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import NoneType
from typing import Any

import yaml

from app.i18n.detection import language_of
from app.i18n.language import Language
from app.knowledge.entry import Category, Draft, Trust
from app.knowledge.importing.problem import NotReadable

__all__ = ["NO_DEFAULTS", "Defaults", "NotReadable", "draft_from_markdown"]

LONGEST_TEXT = 2_000_000  # characters of one file
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_FIRST_HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = (str, int, float, date, NoneType)
_KNOWN = {"title", "category", "tags", "language", "source", "url", "updated", "scope", "owner", "review"}


@dataclass(frozen=True)
class Defaults:
    """What holds where a file does not say it."""

    category: Category = Category.COMPANY
    language: Language | None = None  # of everything
    fallback_language: Language | None = None  # of texts that do not show theirs
    trust: Trust = Trust.CHECKED
    updated_on: date | None = None
    source: str = ""


NO_DEFAULTS = Defaults()


def draft_from_markdown(text: str, *, slug: str, defaults: Defaults = NO_DEFAULTS) -> Draft:
    """``NotReadable`` with the reason when the front matter is wrong or there is no title or text."""
    if len(text) > LONGEST_TEXT:
        raise NotReadable("too_much_text", most=LONGEST_TEXT)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    front, body = _front_matter(text)
    title = str(front.get("title") or "").strip()
    if not title:
        heading = _FIRST_HEADING.search(body)
        if heading is None:
            raise NotReadable("no_title")
        title, body = heading[1], body[: heading.start()] + body[heading.end() :]
    body = body.strip()
    if not body:
        raise NotReadable("no_text")
    source, url = _source(front)
    return Draft(
        slug=slug,
        title=title,
        body=body,
        category=_member(Category, front.get("category"), defaults.category, "category"),
        language=_member(Language, front.get("language"), spoken_in(f"{title}\n{body}", defaults), "language"),
        updated_on=_date(front.get("updated"), "updated") or defaults.updated_on or date.today(),  # noqa: DTZ011  (a day, as cited)
        tags=_tags(front.get("tags")),
        scope=_scope(front.get("scope")),
        trust=defaults.trust,
        source=source or defaults.source,
        url=url,
        owner_id=str(front["owner"]) if front.get("owner") else None,
        review_on=_date(front.get("review"), "review"),
    )


def spoken_in(text: str, defaults: Defaults) -> Language | None:
    return defaults.language or language_of(text) or defaults.fallback_language


def _front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        front = yaml.load(match[1], Loader=_LOADER)  # noqa: S506 - one of the two safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotReadable("front_matter_no_yaml", error=type(error).__name__) from error
    if not isinstance(front, dict):
        raise NotReadable("front_matter_no_list")
    if unknown := sorted(str(name)[:40] for name in front if name not in _KNOWN):
        raise NotReadable("front_matter_unknown", names=", ".join(unknown[:10]))
    # Before anything is made a text: a few lines of YAML that refer to each other can stand for more text than fits in memory.
    if any(not _is_flat(value) for value in front.values()):
        raise NotReadable("front_matter_nested")
    return front, text[match.end() :]


def _is_flat(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(inner, _SCALARS) for inner in value.values())
    return isinstance(value, _SCALARS) or (isinstance(value, list) and all(isinstance(inner, _SCALARS) for inner in value))


def _source(front: Mapping[str, Any]) -> tuple[str, str | None]:
    """A source is a text, or a mapping of name and url (or publication)."""
    source, url = front.get("source"), front.get("url")
    if isinstance(source, dict):
        url = url or source.get("url")
        parts = [str(source[key]).strip() for key in ("name", "publication") if source.get(key)]
        source = ", ".join(parts)
    url = str(url).strip() if url else None
    if url and not re.match(r"https?://[^\s/]+", url):
        raise NotReadable("url")
    return str(source or "").strip(), url


def _member(kind: Any, value: Any, default: Any, name: str) -> Any:
    if value is None:
        if default is None:
            raise NotReadable("value_missing", name=name)
        return default
    try:
        return kind(str(value).strip().lower())
    except ValueError:
        raise NotReadable("value_unknown", name=name, known=", ".join(kind)) from None


def _date(value: Any, name: str) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise NotReadable("no_date", name=name) from None


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    tags = re.split(r"[,、，]", value) if isinstance(value, str) else value
    if not isinstance(tags, list):
        raise NotReadable("tags")
    return tuple(dict.fromkeys(str(tag).strip() for tag in tags if str(tag).strip()))


def _scope(value: Any) -> str:
    scope = str(value or "everyone").strip()
    if not re.fullmatch(r"everyone|managers|channel:[CG][A-Z0-9]+|person:[UW][A-Z0-9]+", scope):
        raise NotReadable("scope")
    return scope
