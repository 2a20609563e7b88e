"""Exchanges and questions with everything uninteresting filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.encryption import Cipher
from app.dialogue.conversation import Conversation
from app.dialogue.turn import Exchange
from app.i18n.language import Language
from app.llm.interface import ModelCall, Usage

CIPHER = Cipher({"k": b"k" * 32})
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
DM = Conversation("T1", "D1", "1.1", is_direct=True)
CALL = ModelCall("answer", "default", "openai", "m-1", "v1", Usage(100, 20, 80), 1234, 900, "ok")


def an_exchange(**changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "conversation": DM,
        "inbox_id": 1,
        "user_id": "U1",
        "question": "値引きを求められたら、どう返せばいいですか？",
        "answer": "まず理由を聞きましょう。[1]",
        "language": Language.JAPANESE,
        "thread_language": Language.JAPANESE,
        "skill": "negotiation",
        "sources": (7,),
        "asked_at": NOW,
        "answered_at": NOW + timedelta(seconds=2),
        "calls": (CALL,),
    }
    return Exchange(**{**values, **changes})
