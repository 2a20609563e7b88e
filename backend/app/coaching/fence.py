"""Quoting for prompts: what people and documents say enters as material that cannot end its own quotation."""

import re

# Invisible characters: controls, soft hyphens, zero-width and joining characters, directions, fillers, variation selectors,
# and the "tags" block, in which whole sentences can be hidden from a reader's eye.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Also the forms a model may read as the same sign.
_ANGLES = str.maketrans({"<": "&lt;", ">": "&gt;", "＜": "&lt;", "＞": "&gt;", "﹤": "&lt;", "﹥": "&gt;"})
_LONGEST_ATTRIBUTE = 200


def visible_text(text: str) -> str:
    """Without characters nobody sees; line ends are ``\\n``."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def fenced(name: str, text: str, **attributes: str) -> str:
    """``text`` as the content of an element. Every angle bracket in the result is ours."""
    marks = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{marks}>\n{visible_text(text).translate(_ANGLES).strip()}\n</{name}>"


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _attribute(value: str) -> str:
    one_line = " ".join(visible_text(value).split()).replace('"', "'")
    return shortened(one_line, _LONGEST_ATTRIBUTE).translate(_ANGLES)
