"""The coaching skills. Each has a data file here, its prompt in every language, and its offline texts in ``coach.toml``."""

SKILLS = (
    "discovery",
    "objection_handling",
    "closing",
    "negotiation",
    "prospecting",
    "proposal",
    "follow_up",
    "mindset",
    "general",
)
