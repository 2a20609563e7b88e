"""Messages that tell people what happens to the company's knowledge: decided where it happens, delivered a moment later."""

from dataclasses import dataclass
from enum import StrEnum

DECIDERS = ""
"""As a recipient: everybody who decides about knowledge."""


class NoticeKind(StrEnum):
    """What a notice is about; ``subject`` is the id that goes with it."""

    PROPOSAL = "proposal"  # to those who decide: a proposal waits
    DECIDED = "decided"  # to the proposer
    REQUEST = "request"  # to those who decide: somebody asks for knowledge
    ANSWERED = "answered"  # to those who asked
    GAPS = "gaps"  # to those who decide: the week's questions without a good answer
    STALE = "stale"  # to an entry's owner: is it still right?


@dataclass(frozen=True)
class Notice:
    """A notice that this worker has taken up. ``ts``: the message that stands for it already and is to be shown anew."""

    notice_id: int
    team_id: str
    user_id: str
    kind: NoticeKind
    subject: str
    details: tuple[int, ...]
    epoch: int
    channel_id: str | None = None
    ts: str | None = None

    @property
    def is_taken_again(self) -> bool:
        """An earlier worker may have posted it already."""
        return self.epoch > 1
