"""``/ai_history``: the caller's own past with the coach; nobody else's, and nobody else sees it.

``/ai_history 30d`` chooses the days, ``export`` brings everything as files into the DM, ``delete`` asks and then erases.
"""

from app.coaching.plan.due_dates import today_of
from app.i18n.messages import message
from app.slack.blocks.forget import forget_modal, forget_offer
from app.slack.blocks.history import history_blocks
from app.slack.blocks.parts import foreign
from app.slack.commands.command import Command, CommandAnswer, CommandCall
from app.slack.edge import SlackEdge
from app.slack.errands import chart_errand, export_errand
from app.slack.history import Wish, WishKind, talks_of, wish_of


async def answer_history(call: CommandCall, edge: SlackEdge) -> CommandAnswer:
    wish = wish_of(call.text)
    match wish.kind:
        case WishKind.SHOW:
            return await _show(call, edge, wish)
        case WishKind.EXPORT:
            await edge.inbox.store_once(export_errand(call.actor, call.language, request=call.request))
            return CommandAnswer(message("growth.export.started", call.language))
        case WishKind.FORGET:
            offer = forget_offer(call.language)
            return CommandAnswer(message("growth.forget.ask", call.language), offer, modal=forget_modal(call.language))
        case WishKind.UNKNOWN:
            return CommandAnswer(message("growth.history.unknown_words", call.language, words=foreign(call.text, 100)))


async def _show(call: CommandCall, edge: SlackEdge, wish: Wish) -> CommandAnswer:
    """In words at once; the chart follows in the DM, since painting it takes longer than Slack waits."""
    history = await edge.show_history(call.person, days=wish.days)
    if history.growth.known:
        wanted = chart_errand(call.actor, call.language, request=call.request, days=wish.days, thread_ts=call.thread_ts)
        await edge.inbox.store_once(wanted)
    talks = talks_of(history.sessions, call.person.time_zone)
    blocks = history_blocks(history, talks, call.language, today_of(edge.clock.now(), call.person.time_zone))
    return CommandAnswer(message("growth.history.title", call.language, days=wish.days), blocks)


COMMAND = Command(
    name="/ai_history", usage_hint="[30d | export | delete]", summary_key="commands.ai_history.summary", answer=answer_history
)
