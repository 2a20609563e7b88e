"""The whole schema. Importing this module makes ``metadata`` complete."""

from app.storage.tables import dialogue, inbox, people, usage
from app.storage.tables.base import metadata

__all__ = ["dialogue", "inbox", "metadata", "people", "usage"]
