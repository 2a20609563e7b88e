"""``/ai_help``: how to use the coach."""

from app.i18n.messages import message
from app.slack.blocks.help import HelpEntry, help_blocks
from app.slack.commands.command import Command, CommandAnswer, CommandCall
from app.slack.edge import SlackEdge


async def show_help(call: CommandCall, edge: SlackEdge) -> CommandAnswer:
    entries = [HelpEntry(command.name, message(command.summary_key, call.language)) for command in call.commands]
    return CommandAnswer(message("help.intro", call.language), help_blocks(entries, edge.rules.about, call.language))


COMMAND = Command(name="/ai_help", summary_key="commands.ai_help.summary", answer=show_help)
