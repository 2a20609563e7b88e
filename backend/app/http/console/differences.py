"""Two versions of a text side by side, line by line, with the changed words marked."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Some of a line; ``is_changed``: the other side has something else here."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True)
class Line:
    """One row: what stood there and what stands there now. ``None``: nothing."""

    before: tuple[Piece, ...] | None
    after: tuple[Piece, ...] | None

    @property
    def kind(self) -> str:
        """``same``, ``changed``, ``removed`` or ``added``."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if any(piece.is_changed for piece in (*self.before, *self.after)) else "same"


def differences(before: str, after: str) -> list[Line]:
    """All lines of both texts."""
    old, new = before.splitlines(), after.splitlines()
    rows: list[Line] = []
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [Line((Piece(line),), (Piece(line),)) for line in old[old_from:old_to]]
        else:
            rows += _replaced(old[old_from:old_to], new[new_from:new_to])
    return rows


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    for number in range(max(len(old), len(new))):
        before = old[number] if number < len(old) else None
        after = new[number] if number < len(new) else None
        if before is None or after is None:
            yield Line(_whole(before), _whole(after))
        else:
            yield _changed(before, after)


def _whole(line: str | None) -> tuple[Piece, ...] | None:
    return None if line is None else (Piece(line),)


def _changed(before: str, after: str) -> Line:
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        is_changed = tag != "equal"
        if old_to > old_from:
            left.append(Piece("".join(old[old_from:old_to]), is_changed))
        if new_to > new_from:
            right.append(Piece("".join(new[new_from:new_to]), is_changed))
    return Line(tuple(left), tuple(right))
