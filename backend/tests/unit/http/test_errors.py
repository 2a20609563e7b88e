"""What callers are told when something fails."""

import logging
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.core.errors import AppError, NotFound, StorageUnavailable, TooManyRequests
from app.http.errors import UnexpectedErrors, error_handlers
from app.i18n.language import Language
from app.i18n.messages import catalog
from app.i18n.problem import language_of_accept_header


async def answer_to(error: Exception, *, language: str = "") -> Any:
    app = FastAPI(exception_handlers=error_handlers(Language.JAPANESE))
    app.add_middleware(UnexpectedErrors, default_language=Language.JAPANESE)

    @app.get("/fails")
    async def fails() -> None:
        raise error

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        return await client.get("/fails", headers={"accept-language": language})


async def test_an_expected_failure_is_told_in_the_callers_language() -> None:
    texts = {
        (await answer_to(NotFound("internal words"), language=language)).json()["message"] for language in ("ja", "en", "zh")
    }
    assert texts == {catalog(language)["errors.not_found"] for language in Language}
    assert (await answer_to(NotFound("internal words"))).status_code == 404


async def test_a_limit_says_when_to_come_back() -> None:
    answer = await answer_to(TooManyRequests(retry_after_seconds=7))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("error", [StorageUnavailable("postgresql://u:pw@host"), RuntimeError("secret detail")])
async def test_a_reference_joins_answer_and_log_and_no_detail_leaks(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await answer_to(error)
    reference = answer.json()["reference"]
    assert [record.reference for record in caplog.records if hasattr(record, "reference")] == [reference]
    assert "pw" not in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_unknown_pages_are_told_as_json() -> None:
    app = FastAPI(exception_handlers=error_handlers(Language.JAPANESE), openapi_url=None)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/docs")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_every_error_class_has_its_text() -> None:
    def below(kind: type[AppError]) -> list[type[AppError]]:
        return [kind, *(further for child in kind.__subclasses__() for further in below(child))]

    keys = {kind.message_key for kind in below(AppError)}
    assert keys <= set(catalog(Language.JAPANESE))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", Language.JAPANESE),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.CHINESE),
        ("fr, en;q=0.5, ja;q=0.7", Language.JAPANESE),
        ("en-GB", Language.ENGLISH),
        ("fr", None),
        ("en;q=0", None),
        ("en;q=nonsense", None),
        ("", None),
        (None, None),
    ],
)
def test_the_callers_language_is_read_from_its_header(header: str | None, language: Language | None) -> None:
    assert language_of_accept_header(header) == language
