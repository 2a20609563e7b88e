"""How wide a text is where Japanese and Chinese characters take the room of two Latin ones."""

import unicodedata


def columns(text: str) -> int:
    """In half-width characters; at least one."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text) or 1
