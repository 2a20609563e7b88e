"""The points of an answer at which a process may die or freeze, in order."""

POINTS = (
    "claimed", "before_intent", "intended", "before_post", "posted", "recorded", "streaming", "before_draft", "draft_uncommitted",
    "answered", "before_end", "ended", "before_finish", "finished",
)  # fmt: skip
