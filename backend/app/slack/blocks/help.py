"""How to use the product, on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.ask import ASK_ACTION
from app.slack.blocks.parts import Block, actions, button, context, divider, foreign, header, section


@dataclass(frozen=True)
class HelpEntry:
    """A command as help shows it. ``command`` is as typed, slash included."""

    command: str
    summary: str


@dataclass(frozen=True)
class About:
    """What the last lines of help say of the running product."""

    name: str
    version: str
    is_offline: bool


def help_blocks(entries: Sequence[HelpEntry], about: About, language: Language) -> list[Block]:
    commands = "\n".join(message("help.command", language, command=entry.command, summary=entry.summary) for entry in entries)
    in_threads = message("help.in_threads", language, command=f"!{entries[0].command.removeprefix('/')}") if entries else ""
    return [
        header(message("help.title", language)),
        section(message("help.intro", language)),
        section(_titled(message("help.how_title", language), message("help.how", language, bot=foreign(about.name, 80)))),
        section(_titled(message("help.commands_title", language), f"{commands}\n{in_threads}")),
        section(_titled(message("help.examples_title", language), message("help.examples", language))),
        actions(button(message("help.ask", language), action_id=ASK_ACTION, style="primary")),
        divider(),
        context(
            status_line(about, language), foreign(message("help.version", language, name=about.name, version=about.version), 200)
        ),
    ]


def status_line(about: About, language: Language) -> str:
    status = "help.status_offline" if about.is_offline else "help.status_normal"
    return message("help.status", language, status=message(status, language))


def version_line(about: About, language: Language) -> str:
    return foreign(message("help.version", language, name=about.name, version=about.version), 200)


def _titled(title: str, text: str) -> str:
    return f"*{title}*\n{text.strip()}"
