"""How a figure is printed beside what was promised of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure with its floor and target; ``at_most``: smaller is better."""

    name: str
    value: float
    floor: float
    target: float
    unit: str = ""
    at_most: bool = True
    digits: int = 2

    def __str__(self) -> str:
        def reached(mark: float) -> bool:
            return self.value <= mark if self.at_most else self.value >= mark

        verdict = "target" if reached(self.target) else "floor" if reached(self.floor) else "MISSED"
        sign = "≤" if self.at_most else "≥"
        return (
            f"{self.name:<58} {self.value:>9.{self.digits}f} {self.unit:<4} {sign} {self.floor:g} / {self.target:g}   {verdict}"
        )
