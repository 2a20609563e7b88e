"""The console's pages about knowledge: read, filter, write, compare, go back, import. All of it works without JavaScript."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import wraps
from typing import TypeAlias, TypeVar

from markupsafe import escape
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.assistant.import_knowledge import Imported, ImportKnowledge, Upload
from app.assistant.manage_knowledge import ChangedMeanwhile, ManageKnowledge
from app.core.clock import Clock
from app.core.errors import AppError, BadRequest, NotAllowed, NotFound
from app.core.metrics import count_error
from app.core.reference import new_reference
from app.http.console.differences import differences
from app.http.console.entry_form import EntryForm, draft_of, form_of, typed_form
from app.http.console.gate import ConsoleGate, is_from_our_pages
from app.http.console.pages import FOLDER, HEADERS, language_of, page, rendered
from app.i18n.language import Language
from app.i18n.messages import message
from app.knowledge.browsing.repository import PAGE, Wanted
from app.knowledge.entry import Category, Status, Trust, system_actor

logger = logging.getLogger(__name__)

Choice = TypeVar("Choice", bound=StrEnum)
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

HOME = "/console/knowledge"
MOST_FILES = 50
MOST_FILE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Console:
    """What the pages stand on. ``team_of`` gives the workspace this installation serves."""

    manage: ManageKnowledge
    import_files: ImportKnowledge
    team_of: Callable[[], str]
    gate: ConsoleGate
    clock: Clock
    default_language: Language

    def routes(self) -> list[Route | Mount]:
        """For the application, behind its middleware."""

        def route(path: str, handler: Handler, method: str = "GET") -> Route:
            return Route(f"/console{path}", self._guarded(handler), methods=[method])

        return [
            Mount("/console/static", StaticFiles(directory=FOLDER / "static")),
            Route("/console", self._to_knowledge, methods=["GET"]),
            Route("/console/sign-in", self._sign_in, methods=["POST"]),
            Route("/console/sign-out", self._sign_out, methods=["POST"]),
            route("/knowledge", self._list),
            route("/knowledge/new", self._new),
            route("/knowledge/new", self._create, "POST"),
            route("/knowledge/import", self._import_form),
            route("/knowledge/import", self._import, "POST"),
            route("/knowledge/{entry:int}", self._entry),
            route("/knowledge/{entry:int}/edit", self._edit_form),
            route("/knowledge/{entry:int}/edit", self._edit, "POST"),
            route("/knowledge/{entry:int}/compare", self._compare),
            route("/knowledge/{entry:int}/publish", self._publish, "POST"),
            route("/knowledge/{entry:int}/archive", self._archive, "POST"),
            route("/knowledge/{entry:int}/roll-back", self._roll_back, "POST"),
        ]

    # Doors

    def _guarded(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: Request) -> Response:
            language = self._language(request)
            if not self.gate.permits(request):
                return page(request, "sign_in", language, status=401, next_path=_path_of(request), is_wrong=False)
            try:
                if request.method == "POST" and not is_from_our_pages(request):
                    raise NotAllowed("a form of another site")
                return await handler(request)
            except AppError as error:
                return self._failed(request, error)

        return guarded

    async def _to_knowledge(self, _: Request) -> Response:
        return RedirectResponse(HOME, 303)

    async def _sign_in(self, request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=5)
        wanted = str(form.get("next", HOME))
        target = wanted if wanted.startswith("/console/") and "\\" not in wanted and "//" not in wanted else HOME
        response = RedirectResponse(target, 303)
        if is_from_our_pages(request) and self.gate.sign_in(
            response, str(form.get("key", "")).strip(), is_secure=request.url.scheme == "https"
        ):
            return response
        logger.warning("console_sign_in_refused")
        return page(request, "sign_in", self._language(request), status=401, next_path=target, is_wrong=True)

    async def _sign_out(self, request: Request) -> Response:
        response = RedirectResponse(HOME, 303)
        if is_from_our_pages(request):
            self.gate.sign_out(response)
        return response

    # Reading

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        wanted = Wanted(
            status=_one_of(Status, query.get("status")) or Status.PUBLISHED,
            category=_one_of(Category, query.get("category")),
            language=_one_of(Language, query.get("language")),
            text=query.get("q", "").strip()[:200],
            review_until=self.manage.review_horizon() if query.get("review") else None,
        )
        number = int(query["page"]) if query.get("page", "").isdecimal() and 0 < len(query["page"]) < 6 else 1
        found, counts = await self.manage.page(self.team_of(), wanted, number=max(number, 1))
        return self._page(
            request, "list", wanted=wanted, found=found, counts=counts, number=number, pages=-(-found.total // PAGE),
            categories=list(Category), statuses=list(Status),
            with_page=lambda other: "?" + str(request.url.include_query_params(page=other).query),
        )  # fmt: skip

    async def _entry(self, request: Request) -> Response:
        shown = await self.manage.show(self.team_of(), request.path_params["entry"])
        return self._page(request, "entry", shown=shown, today=self._today())

    async def _compare(self, request: Request) -> Response:
        shown = await self.manage.show(self.team_of(), request.path_params["entry"])
        newest = shown.entry.version
        after = shown.version(_number(request.query_params.get("to"), newest))
        before = shown.version(_number(request.query_params.get("from"), max(after.version - 1, 1)))
        fields = [
            (name, getattr(form_of(before.draft), name), getattr(form_of(after.draft), name))
            for name in ("title", "category", "language", "tags", "scope", "trust", "source", "url", "updated_on")
        ]
        return self._page(
            request, "compare", shown=shown, before=before, after=after,
            fields=[field for field in fields if field[1] != field[2]],
            lines=differences(before.draft.body, after.draft.body),
        )  # fmt: skip

    # Writing

    async def _new(self, request: Request) -> Response:
        return self._form(request, EntryForm(language=self._language(request).value, updated_on=self._today().isoformat()))

    async def _create(self, request: Request) -> Response:
        form = typed_form(await _fields(request))
        if form.problems:
            return self._form(request, form, status=422)
        entry = await self.manage.create(self.team_of(), draft_of(form, today=self._today()))
        return RedirectResponse(f"{HOME}/{entry.entry_id}", 303)

    async def _edit_form(self, request: Request) -> Response:
        shown = await self.manage.show(self.team_of(), request.path_params["entry"])
        return self._form(request, form_of(shown.entry.draft), entry_id=shown.entry.entry_id, based_on=shown.entry.version)

    async def _edit(self, request: Request) -> Response:
        entry_id, values = request.path_params["entry"], await _fields(request)
        form, based_on = typed_form(values), _number(str(values.get("based_on", "")), 0)
        if form.problems:
            return self._form(request, form, entry_id=entry_id, based_on=based_on, status=422)
        try:
            await self.manage.edit(self.team_of(), entry_id, draft_of(form, today=self._today()), based_on=based_on)
        except ChangedMeanwhile as other:
            lines = differences(other.entry.draft.body, form.body)
            return self._form(
                request, form, entry_id=entry_id, based_on=other.entry.version, others=other.entry, lines=lines, status=409
            )
        return RedirectResponse(f"{HOME}/{entry_id}", 303)

    async def _publish(self, request: Request) -> Response:
        await self.manage.publish(self.team_of(), request.path_params["entry"])
        return RedirectResponse(f"{HOME}/{request.path_params['entry']}", 303)

    async def _archive(self, request: Request) -> Response:
        await self.manage.archive(self.team_of(), request.path_params["entry"])
        return RedirectResponse(f"{HOME}/{request.path_params['entry']}", 303)

    async def _roll_back(self, request: Request) -> Response:
        version = _number(str((await _fields(request)).get("version", "")), 0)
        await self.manage.roll_back(self.team_of(), request.path_params["entry"], to_version=version)
        return RedirectResponse(f"{HOME}/{request.path_params['entry']}", 303)

    # Importing

    async def _import_form(self, request: Request) -> Response:
        return self._page(request, "import", most_megabytes=MOST_FILE_BYTES // 1024**2, most_files=MOST_FILES)

    async def _import(self, request: Request) -> Response:
        """The page grows while files are read: what has been imported stands there even when the rest is cut off."""
        form = await request.form(max_files=MOST_FILES, max_fields=10)
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
        if not files:
            await form.close()
            return self._page(request, "import", status=422, most_megabytes=MOST_FILE_BYTES // 1024**2, most_files=MOST_FILES)
        return StreamingResponse(self._importing(request, form, files), media_type="text/html; charset=utf-8", headers=HEADERS)

    async def _importing(self, request: Request, form: FormData, files: list[UploadFile]) -> AsyncIterator[str]:
        language = self._language(request)
        frame = rendered(request, "importing", language, count=len(files))
        head, _, foot = frame.partition("<!-- files -->")
        yield head
        try:
            for number, file in enumerate(files, start=1):
                yield f'<li><span class="count">{number}/{len(files)}</span> <b>{escape(file.filename or "")}</b> '
                yield f"{escape(await self._import_one(file, language))}</li>\n"
        finally:
            await form.close()
        yield foot

    async def _import_one(self, file: UploadFile, language: Language) -> str:
        content = await file.read(MOST_FILE_BYTES + 1)
        if len(content) > MOST_FILE_BYTES:
            return message("console.import.too_large", language, most=MOST_FILE_BYTES // 1024**2)
        actor = system_actor(self.team_of())
        try:
            done = await self.import_files(
                Upload(file.filename or "", content), actor=actor, language=language, since=self.clock.now()
            )
        except asyncio.CancelledError:
            raise
        except Exception as error:  # one file must not end the page of the others
            reference = new_reference()
            count_error(error)
            logger.exception("console_import_failed", extra={"reference": reference})
            return message("console.import.failed", language, reference=reference)
        return _result(done, language)

    # Small things

    def _language(self, request: Request) -> Language:
        return language_of(request, self.default_language)

    def _today(self) -> date:
        return self.clock.now().date()

    def _page(self, request: Request, name: str, *, status: int = 200, **values: object) -> Response:
        return page(request, name, self._language(request), status=status, **values)

    def _form(self, request: Request, form: EntryForm, *, status: int = 200, **values: object) -> Response:
        shown = {"entry_id": None, "based_on": 0, "others": None, "lines": []} | values
        return self._page(
            request, "edit", status=status, form=form, categories=list(Category), trusts=[str(int(trust)) for trust in Trust],
            **shown,
        )  # fmt: skip

    def _failed(self, request: Request, error: AppError) -> Response:
        count_error(error)
        reference = new_reference() if error.http_status >= 500 else ""
        if reference:
            logger.warning("console_failed", extra={"reference": reference, "error": type(error).__name__}, exc_info=error)
        key = "console.error.not_found" if isinstance(error, NotFound) else error.message_key
        text = message(key, self._language(request))
        return self._page(request, "error", status=error.http_status, text=text, reference=reference)


def _result(done: Imported, language: Language) -> str:
    if done.problem is not None:
        return done.problem.told_in(language)
    return message(
        "console.import.done", language, created=len(done.created), changed=len(done.changed), unchanged=done.unchanged
    )


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=40)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _path_of(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else HOME


def _one_of(kind: type[Choice], value: str | None) -> Choice | None:
    return kind(value) if value in set(kind) else None


def _number(text: str | None, default: int) -> int:
    if text is None or text == "":
        return default
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest("a version is a number")
    return int(text)
