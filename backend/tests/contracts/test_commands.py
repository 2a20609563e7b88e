"""Every command in the list keeps the same promises, so the next one is tested by being added."""

import re

import pytest

from app.i18n.language import Language
from app.i18n.messages import catalog
from app.slack.blocks.help import About, HelpEntry, help_blocks
from app.slack.blocks.validate import problems_of
from app.slack.commands import COMMANDS
from app.slack.commands.command import Command
from app.slack.commands.in_threads import command_in
from app.slack.listeners import SLASH_COMMANDS
from app.slack.payloads import looks_like_command

each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@each_command
@pytest.mark.parametrize("language", Language)
def test_a_command_has_its_line_in_help_in_every_language(command: Command, language: Language) -> None:
    assert catalog(language)[command.summary_key]


@each_command
def test_a_command_has_a_name_slack_takes(command: Command) -> None:
    assert re.fullmatch(r"/ai_[a-z_]{1,28}", command.name)
    assert len(command.usage_hint) <= 1000


@each_command
@pytest.mark.parametrize("sign", ["!", "！"])
def test_a_command_is_understood_inside_threads(command: Command, sign: str) -> None:
    typed = f"{sign}{command.name[1:]}　値引き  承認"
    assert command_in(typed, COMMANDS) == (command, "値引き  承認")
    assert looks_like_command(typed)


@each_command
def test_a_command_is_listened_to(command: Command) -> None:
    assert command.name in [name for name, _ in SLASH_COMMANDS]


def test_names_are_used_once() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("text", ["", "!", "！", "ai_help", "! ai_help", "!ai_helpme", "!unknown", "それは!ai_helpです"])
def test_other_words_are_no_command(text: str) -> None:
    assert command_in(text, COMMANDS) == (None, "")


@pytest.mark.parametrize("language", Language)
def test_help_has_room_for_every_command(language: Language) -> None:
    entries = [HelpEntry(command.name, catalog(language)[command.summary_key]) for command in COMMANDS]
    blocks = help_blocks(entries, About("AI営業支援", "1.0", is_offline=False), language)
    assert problems_of(blocks) == []
    shown = "".join(str(block) for block in blocks)
    assert all(command.name in shown for command in COMMANDS)
