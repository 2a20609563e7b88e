"""The right to answer one stored event."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """The right to answer one stored event. Another worker's claim has a higher ``epoch`` and ends this one."""

    team_id: str
    inbox_id: int
    epoch: int
