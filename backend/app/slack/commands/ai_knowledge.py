"""``/ai_knowledge 検索語``: what the company's knowledge says, for the caller's eyes only."""

from dataclasses import replace

from app.i18n.messages import message
from app.slack.blocks.knowledge import MAX_RESULTS, SNIPPET, knowledge_results, search_modal
from app.slack.blocks.parts import clipped, foreign
from app.slack.commands.command import Command, CommandAnswer, CommandCall
from app.slack.edge import SlackEdge
from app.slack.markdown import plain_text_fallback

_LONGEST_QUERY = 200
LONGEST_TEXT = 4_000


async def show_knowledge(call: CommandCall, edge: SlackEdge) -> CommandAnswer:
    query = clipped(call.text, _LONGEST_QUERY)
    if not query:
        summary = message("commands.ai_knowledge.summary", call.language)
        return CommandAnswer(summary, modal=search_modal(call.language, channel_id=call.channel_id))
    passages = await edge.knowledge.search(query, actor=call.actor, limit=MAX_RESULTS, language=call.language)
    key = "commands.ai_knowledge.found" if passages else "commands.ai_knowledge.none"
    text = message(key, call.language, query=foreign(query, _LONGEST_QUERY), count=len(passages))
    shown = [replace(passage, text=plain_text_fallback(passage.text, LONGEST_TEXT)) for passage in passages]
    snippets = await edge.knowledge.snippets(query, shown, length=SNIPPET)
    return CommandAnswer(text, knowledge_results(query, passages, call.language, snippets=snippets, links=edge.rules.links))


COMMAND = Command(
    name="/ai_knowledge", usage_hint="[検索キーワード]", summary_key="commands.ai_knowledge.summary", answer=show_knowledge
)
