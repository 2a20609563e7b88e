"""How a listener gets what Bolt carries for it."""

from slack_bolt.async_app import AsyncBoltContext

from app.inbox.envelope import ClaimedEvent
from app.slack.edge import SlackEdge

EDGE = "edge"
CLAIMED = "claimed"


def edge_of(context: AsyncBoltContext) -> SlackEdge:
    edge: SlackEdge = context[EDGE]
    return edge


def claimed_of(context: AsyncBoltContext) -> ClaimedEvent:
    """The stored event that is being worked on; only for listeners that jobs run."""
    claimed: ClaimedEvent = context[CLAIMED]
    return claimed
