"""Dates as each language writes them."""

from datetime import date

from app.i18n.language import Language
from app.i18n.messages import message


def in_words(day: date, language: Language) -> str:
    return message("agent.date", language, year=day.year, month=day.month, day=day.day)
