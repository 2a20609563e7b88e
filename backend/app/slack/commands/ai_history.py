"""``/ai_history``: the caller's own talks with the coach; nobody else's, and nobody else sees them."""

from app.i18n.messages import message
from app.slack.blocks.history import HISTORY_DAYS, history_blocks
from app.slack.commands.command import Command, CommandAnswer, CommandCall
from app.slack.edge import SlackEdge
from app.slack.history import history_of


async def show_history(call: CommandCall, edge: SlackEdge) -> CommandAnswer:
    history = history_of(await edge.talks.latest_of(call.actor, days=HISTORY_DAYS), call.person.time_zone)
    return CommandAnswer(message("commands.ai_history.title", call.language), history_blocks(history, call.language))


COMMAND = Command(name="/ai_history", summary_key="commands.ai_history.summary", answer=show_history)
