"""The whole schema. Importing this module makes ``metadata`` complete."""

from app.storage.tables import dialogue, inbox, knowledge, people, usage
from app.storage.tables.base import metadata

__all__ = ["dialogue", "inbox", "knowledge", "metadata", "people", "usage"]
