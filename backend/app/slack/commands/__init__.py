from app.slack.commands import ai_help, ai_history, ai_knowledge
from app.slack.commands.command import Command

COMMANDS: tuple[Command, ...] = (ai_help.COMMAND, ai_knowledge.COMMAND, ai_history.COMMAND)
