"""What happens around the talks: a stop button, and the app being taken away."""

import logging
from typing import Any

from slack_bolt.async_app import AsyncBoltContext

from app.slack.listeners.context import claimed_of, edge_of

logger = logging.getLogger(__name__)


async def stop_answering(context: AsyncBoltContext) -> None:
    """Slack has ended the stream already; this ends the work behind it, in whichever process it runs."""
    edge, claimed = edge_of(context), claimed_of(context)
    await edge.stops.stop(claimed.envelope.conversation)
    await edge.inbox.finish(claimed.claim, outcome="answered")


async def notice_removal(event: dict[str, Any], context: AsyncBoltContext) -> None:
    """Nothing can be said in Slack any more; an operator must know."""
    edge, claimed = edge_of(context), claimed_of(context)
    logger.error("app_removed_from_workspace", extra={"team_id": claimed.claim.team_id, "event": event.get("type")})
    edge.workspaces.mark_removed()
    await edge.inbox.finish(claimed.claim, outcome="answered")
