"""AI営業支援エージェント: a sales coach that lives in Slack."""

__version__ = "1.0.0"
