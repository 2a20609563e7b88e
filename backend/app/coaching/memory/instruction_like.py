"""Whether a text gives orders to the coach. Such text never becomes a memory: it would speak in every later talk (T28)."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

from app.coaching.fence import visible_text

_DATA = Path(__file__).with_name("instruction_like.toml")
_BLANKS = re.compile(r"\s+")


def is_instruction_like(text: str) -> bool:
    """Errs on the side of forgetting: a real wish that reads like an order is lost, and can be said in another way."""
    folded = _BLANKS.sub(" ", unicodedata.normalize("NFKC", visible_text(text)).lower()).strip()
    # Blanks between the characters of a Japanese or Chinese order hide nothing either.
    return bool(_orders().search(folded) or _orders().search(folded.replace(" ", "")))


@cache
def _orders() -> re.Pattern[str]:
    patterns = tomllib.loads(_DATA.read_text(encoding="utf-8"))["patterns"]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
