"""Replies that must be JSON."""

import json
import re
from typing import Any

from app.core.errors import ModelReplyInvalid

# Open models like to wrap what they were asked for into a code fence.
_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


def json_object(text: str, schema: dict[str, Any]) -> str:
    """The JSON object of a reply, without a fence around it.

    ``ModelReplyInvalid`` when it is none or lacks a required member. Whether the members make sense is for the caller to judge.
    """
    fenced = _FENCED.match(text)
    bare = fenced.group(1) if fenced else text
    try:
        value = json.loads(bare)
    except ValueError as error:
        raise ModelReplyInvalid(f"the reply is not JSON: line {getattr(error, 'lineno', 0)}") from None
    if not isinstance(value, dict):
        raise ModelReplyInvalid("the reply is JSON but no object")
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        raise ModelReplyInvalid(f"the reply lacks {', '.join(missing)}")
    return bare.strip()
