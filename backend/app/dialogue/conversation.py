"""Where a talk takes place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Conversation:
    """One thread: the unit of order, of memory and of language.

    A direct message at top level is the root of its own thread.
    """

    team_id: str
    channel_id: str
    thread_ts: str
    is_direct: bool

    @property
    def key(self) -> str:
        """``team:channel:thread``, the form used in tables, locks and cache keys."""
        return f"{self.team_id}:{self.channel_id}:{self.thread_ts}"
