"""What of the past enters one prompt: chosen memories, earlier talks, and what was said in this talk before its latest turns."""

from dataclasses import dataclass

from app.coaching.memory.choose import Memory
from app.coaching.memory.shelf import EarlierTalk


@dataclass(frozen=True)
class Remembered:
    """Everything is the person's own, or of the thread that is answered in. ``talks``: the latest first."""

    memories: tuple[Memory, ...] = ()
    talks: tuple[EarlierTalk, ...] = ()
    so_far: str = ""


NOTHING = Remembered()
