"""Slack's limits per method and workspace. Off unless asked for: most tests are about something else."""

import math
from collections import defaultdict, deque
from collections.abc import Callable

TIER_1, TIER_2, TIER_3, TIER_4, SPECIAL = 1, 20, 50, 100, 300
PER_MINUTE = {
    "chat.postMessage": SPECIAL, "chat.update": TIER_3, "chat.delete": TIER_3, "chat.unfurl": TIER_3,
    "chat.postEphemeral": TIER_4,
    "chat.startStream": TIER_2, "chat.stopStream": TIER_2, "chat.appendStream": TIER_4,
    "assistant.threads.setStatus": SPECIAL, "assistant.threads.setTitle": TIER_3, "assistant.threads.setSuggestedPrompts": TIER_3,
    "agents.sessions.setStatus": TIER_3, "agents.sessions.rename": TIER_3,
    "views.open": TIER_4, "views.push": TIER_4, "views.update": TIER_4, "views.publish": TIER_4,
    "users.info": TIER_4, "files.info": TIER_4, "files.getUploadURLExternal": TIER_4, "files.completeUploadExternal": TIER_4,
    "conversations.members": TIER_4, "conversations.replies": TIER_3, "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3, "conversations.list": TIER_2, "users.list": TIER_2, "reactions.add": TIER_3,
    "reactions.remove": TIER_2,
    "team.info": TIER_3, "bots.info": TIER_3, "apps.connections.open": TIER_1,
}  # fmt: skip
POSTS_PER_CHANNEL = 10  # one a second; short bursts are let through, so the window is ten seconds
CHANNEL_WINDOW_SECONDS = 10.0


class RateLimits:
    """Counts accepted calls in sliding windows."""

    def __init__(self, now: Callable[[], float], *, is_strict: bool) -> None:
        self._now = now
        self.is_strict = is_strict
        self._accepted: dict[tuple[str, ...], deque[float]] = defaultdict(deque)

    def seconds_to_wait(self, method: str, team_id: str, channel_id: str) -> int:
        """0 and counted, or the whole seconds of ``Retry-After``."""
        if not self.is_strict or method not in PER_MINUTE:
            return 0
        windows: list[tuple[tuple[str, ...], int, float]] = [((method, team_id), PER_MINUTE[method], 60.0)]
        if method == "chat.postMessage":
            windows.append(((method, team_id, channel_id), POSTS_PER_CHANNEL, CHANNEL_WINDOW_SECONDS))
        wait = max(self._wait_for(*window) for window in windows)
        if wait == 0:
            for key, _, _ in windows:
                self._accepted[key].append(self._now())
        return wait

    def _wait_for(self, key: tuple[str, ...], most: int, seconds: float) -> int:
        accepted = self._accepted[key]
        now = self._now()
        while accepted and accepted[0] <= now - seconds:
            accepted.popleft()
        return 0 if len(accepted) < most else max(1, math.ceil(accepted[0] + seconds - now))
