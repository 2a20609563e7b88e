"""How a failure is told over HTTP, in the language the caller asked for."""

from app.i18n.language import Language, language_of_locale
from app.i18n.messages import message


def problem(
    error: str, message_key: str, *, accept_language: str | None, default: Language, reference: str | None = None
) -> dict[str, str]:
    """The body of every error answer: a code for programs, a sentence for people, and what to quote."""
    language = language_of_accept_header(accept_language) or default
    body = {"error": error, "message": message(message_key, language)}
    return body | ({"reference": reference} if reference else {})


def language_of_accept_header(header: str | None) -> Language | None:
    """The best of our languages in an ``Accept-Language`` header; ``None`` when it names none of them."""
    wishes = sorted((_wish(part) for part in (header or "")[:500].split(",")), key=lambda wish: -wish[0])
    return next((language for weight, tag in wishes if weight > 0 and (language := language_of_locale(tag))), None)


def _wish(part: str) -> tuple[float, str]:
    tag, _, parameter = part.strip().partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        return (float(value) if name.strip() == "q" else 1.0), tag.strip()
    except ValueError:
        return 0.0, tag.strip()
