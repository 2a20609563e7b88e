"""Slack's limits, and how far below them we stay. Where they come from: docs/decisions and Slack's reference pages."""

from dataclasses import dataclass
from typing import Final

# Sizes, in characters. Slack counts a markdown block up to 12,000, summed over the message.
MARKDOWN_CHARACTERS: Final = 12_000
PART_CHARACTERS: Final = 11_000
"""Text of one message of ours: room for the closing of fences and for Slack counting escapes differently."""
UPDATE_TEXT_CHARACTERS: Final = 4_000
FALLBACK_CHARACTERS: Final = 280
"""The plain text beside blocks, shown in notifications."""
BLOCKS_PER_MESSAGE: Final = 50


@dataclass(frozen=True)
class SharedBudget:
    """Calls one workspace allows in a minute, shared by all our processes.

    Slack's tiers: 20 for startStream and for stopStream, 50 for chat.update, 100 for appendStream, of which some are left for the
    first words of every stream.
    """

    streams_per_minute: int = 20
    edits_per_minute: int = 50
    appends_per_minute: int = 75


# Times, in seconds.
STREAM_LIFE: Final = 270.0
"""Slack ends a stream about 300 s after its start, without notice."""
SECOND_APPEND_AFTER: Final = 2.5
"""After the first words: a short answer needs no third look, and three calls are enough for it."""
QUIET_APPEND_INTERVAL: Final = 1.0
APPEND_INTERVAL_OF_ALL: Final = 0.7
"""Between the appends of all streams of a process together."""
EDIT_INTERVAL: Final = 3.0
LONGEST_WAIT: Final = 20.0
"""A longer ``Retry-After`` is not slept through: the job comes back later."""
