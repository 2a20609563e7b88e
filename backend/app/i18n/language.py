"""The languages the product speaks."""

from enum import StrEnum


class Language(StrEnum):
    """A language of the user interface and of the coach's answers."""

    JAPANESE = "ja"
    ENGLISH = "en"
    CHINESE = "zh"


def language_of_locale(locale: str | None) -> Language | None:
    """The language of a Slack locale such as ``ja-JP``; ``None`` when it is not one of ours."""
    prefix = (locale or "").replace("_", "-").split("-")[0].lower()
    return next((language for language in Language if language.value == prefix), None)
