"""What a slash command is. Its name, hint and description stand in the manifest too; a test compares them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.i18n.language import Language
from app.people.person import Actor, Person
from app.slack.blocks.parts import Block
from app.slack.edge import SlackEdge


@dataclass(frozen=True)
class CommandCall:
    """Somebody used a command. ``is_direct``: in a place nobody else reads; ``commands``: all there are, for help.

    ``request`` names this one use of it; ``thread_ts``: the thread of a direct message it was typed in.
    """

    team_id: str
    channel_id: str
    text: str
    person: Person
    language: Language
    is_direct: bool
    commands: tuple["Command", ...] = ()
    request: str = ""
    thread_ts: str | None = None

    @property
    def actor(self) -> Actor:
        """Answers to commands are seen by the caller alone, wherever the command was typed."""
        return Actor(
            self.team_id, self.person.user_id, self.person.standing, is_private=True, channel_id=self.channel_id,
            is_external=self.person.is_external,
        )  # fmt: skip


@dataclass(frozen=True)
class CommandAnswer:
    """What the caller sees. With ``modal`` a window opens instead, where Slack can open one."""

    text: str
    blocks: Sequence[Block] = ()
    modal: Block | None = None


@dataclass(frozen=True)
class Command:
    """``summary_key`` is its line in help."""

    name: str
    summary_key: str
    answer: Callable[[CommandCall, SlackEdge], Awaitable[CommandAnswer]]
    usage_hint: str = ""
