"""Slack's limits, and how far below them we stay. Where they come from: docs/decisions and Slack's reference pages."""

from typing import Final

# Sizes, in characters. Slack counts a markdown block up to 12,000, summed over the message.
MARKDOWN_CHARACTERS: Final = 12_000
PART_CHARACTERS: Final = 11_000
"""Text of one message of ours: room for the closing of fences and for Slack counting escapes differently."""
UPDATE_TEXT_CHARACTERS: Final = 4_000
FALLBACK_CHARACTERS: Final = 280
"""The plain text beside blocks, shown in notifications."""
BLOCKS_PER_MESSAGE: Final = 50

# Budgets of one workspace, shared by all our processes. Slack: startStream and stopStream 20 a minute (tier 2), appendStream
# 100 (tier 4), chat.update 50 (tier 3).
STREAMS_PER_MINUTE: Final = 20
APPENDS_PER_MINUTE: Final = 90
EDITS_PER_MINUTE: Final = 45

# Times, in seconds.
STREAM_LIFE: Final = 270.0
"""Slack ends a stream about 300 s after its start, without notice."""
QUIET_APPEND_INTERVAL: Final = 1.0
BUSY_APPEND_INTERVAL: Final = 2.5
EDIT_INTERVAL: Final = 3.0
LONGEST_WAIT: Final = 20.0
"""A longer ``Retry-After`` is not slept through: the job comes back later."""
