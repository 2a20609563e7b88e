"""Why a file cannot be read, in the language of whoever wants it read."""

from typing import Any

from app.core.errors import BadRequest
from app.i18n.language import Language
from app.i18n.messages import message


class NotReadable(BadRequest):
    """``reason`` is a key under ``imports.problem``; the text of the exception itself is its English sentence."""

    def __init__(self, reason: str, **gaps: Any) -> None:
        super().__init__(message(f"imports.problem.{reason}", Language.ENGLISH, **gaps))
        self.reason = reason
        self.gaps = gaps

    def told_in(self, language: Language) -> str:
        return message(f"imports.problem.{self.reason}", language, **self.gaps)
