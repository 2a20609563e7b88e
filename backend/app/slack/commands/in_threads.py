"""Slack has no slash commands inside threads: there, ``!ai_help`` (or ``！ai_help``) does the same."""

import unicodedata
from collections.abc import Sequence

from app.slack.commands.command import Command


def command_in(text: str, commands: Sequence[Command]) -> tuple[Command | None, str]:
    """The command a message begins with, and the words after it as typed."""
    typed = text.strip().split(maxsplit=1)
    name = unicodedata.normalize("NFKC", typed[0]).lower() if typed else ""
    if not name.startswith("!"):
        return None, ""
    command = next((command for command in commands if command.name == f"/{name[1:]}"), None)
    return command, typed[1] if command and len(typed) > 1 else ""
