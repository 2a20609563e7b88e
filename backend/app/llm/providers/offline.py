"""No model at all: the answer the product's own rules compose, in pieces as a model would give it."""

import re
from collections.abc import AsyncGenerator, Iterator

from app.core.config import Settings
from app.core.errors import ModelMisconfigured
from app.llm.interface import Finished, Provider, ProviderEvent, ProviderRequest, TextPiece, Usage

# Sentence ends and line breaks close a piece, so that what is shown half-way reads well.
_PIECE = re.compile(r".*?(?:[。！？!?]+|\n+|\Z)", re.DOTALL)


class Offline:
    """Answers with ``by_rules``; needs neither key nor network."""

    name = "offline"

    async def stream(self, request: ProviderRequest) -> AsyncGenerator[ProviderEvent]:
        if request.by_rules is None:
            raise ModelMisconfigured("no model is configured, and there is no answer by rules for this request")
        for piece in pieces_of(request.by_rules()):
            yield TextPiece(piece)
        yield Finished(Usage(), request.model)

    async def close(self) -> None:
        """Nothing to give back."""


def pieces_of(text: str) -> Iterator[str]:
    """``text`` in sentences and lines; together they are ``text``."""
    return (found.group() for found in _PIECE.finditer(text) if found.group())


def open_provider(_settings: Settings) -> Provider:
    return Offline()
