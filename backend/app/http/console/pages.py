"""HTML from templates: the reader's language, safe Markdown, and headers under which nothing foreign can run."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.i18n.language import Language, language_of_locale
from app.i18n.messages import message

FOLDER = Path(__file__).parent
LANGUAGE_COOKIE = "console_language"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=select_autoescape(("html",)), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["markdown"] = as_html
    return environment


@cache
def _markdown() -> MarkdownIt:
    # "js-default" shows HTML as text; of addresses only http, https and mailto become links.
    return MarkdownIt("js-default", {"linkify": False}).disable("image")


def as_html(text: str) -> Markup:
    """Markdown without raw HTML and images: what an entry says, never what it wants to do."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes what it does not know


def language_of(request: Request, default: Language) -> Language:
    """What the reader chose, else what their browser prefers."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in set(Language):
        return Language(chosen)
    for preferred in request.headers.get("accept-language", "").split(","):
        if (language := language_of_locale(preferred.partition(";")[0].strip())) is not None:
            return language
    return default


def page(request: Request, name: str, language: Language, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from ``templates/<name>.html``. Choosing a language is remembered."""
    response = HTMLResponse(rendered(request, name, language, **values), status_code=status, headers=HEADERS)
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 86400, path="/console", samesite="lax")
    return response


def rendered(request: Request, name: str, language: Language, **values: Any) -> str:
    def text(key: str, **gaps: Any) -> str:
        return message(f"console.{key}", language, **gaps)

    def name_of(kind: str, value: str) -> str:
        return message(f"knowledge.category.{value}" if kind == "category" else f"console.{kind}.{value}", language)

    def with_language(other: Language) -> str:
        return str(request.url.include_query_params(lang=other.value).replace(scheme="", netloc="")).removeprefix("//")

    return _templates().get_template(f"{name}.html").render(
        t=text, name_of=name_of, language=language, languages=list(Language), with_language=with_language, **values
    )  # fmt: skip
