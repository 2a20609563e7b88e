"""What the process says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """Shown by health and version answers."""

    name: str
    version: str
    environment: str
