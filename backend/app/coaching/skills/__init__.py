"""The coaching skills: one for each topic, with its words in ``talk/topics``, its prompt in every language and its offline texts
in ``coach.toml``.
"""

SKILLS = (
    "prospecting",
    "discovery",
    "proposal",
    "objection_handling",
    "negotiation",
    "closing",
    "follow_up",
    "referrals",
    "account_growth",
    "renewals",
    "lost_deals",
    "time_management",
    "mindset",
    "general",
)
