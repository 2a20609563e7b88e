"""The whole schema. Importing this module makes ``metadata`` complete."""

from app.storage.tables import coaching, dialogue, inbox, knowledge, people, usage
from app.storage.tables.base import metadata

__all__ = ["coaching", "dialogue", "inbox", "knowledge", "metadata", "people", "usage"]
