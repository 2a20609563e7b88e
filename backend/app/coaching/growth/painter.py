"""The program that paints: an order as JSON comes in, one line and a PNG go out. Imported by nobody; see ``chart.py``."""

import io
import json
import sys
from collections.abc import Mapping
from typing import Any

from matplotlib import font_manager, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from app.coaching.growth.text_width import columns

_INK, _QUIET, _GRID, _BASE, _LINE = "#1d1c1d", "#616061", "#e4e4e4", "#bdbdbd", "#1264a3"
_WIDTH, _TOP, _ROW, _DAYS, _NOTE = 8.6, 0.95, 0.78, 0.42, 0.22  # inches
_LEFT, _NAMES_END, _ROWS_END = 0.035, 0.2, 0.73  # parts of the width
_NAME_COLUMNS = 22  # half-width characters beside a row in full size


def paint(order: Mapping[str, Any]) -> tuple[bool, bytes]:
    """Whether it had to be English, and the PNG."""
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    font = next((name for name in order["fonts"] if name in installed), None)
    chart = order["chart"] if font else order["in_english"]
    rcParams["font.family"] = [name for name in (font, *order["latin_fonts"]) if name in installed] or ["sans-serif"]
    rcParams["text.parse_math"] = False  # a name may hold a dollar sign

    rows, notes = chart["rows"], chart["notes"]
    below = _DAYS + _NOTE * len(notes) + 0.2
    height = _TOP + _ROW * len(rows) + below
    figure = Figure(figsize=(_WIDTH, height), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(rows), 1, left=_NAMES_END, right=_ROWS_END, top=1 - _TOP / height, bottom=below / height, hspace=0.32
    )

    def write(x: float, inches: float, text: str, size: float, **more: Any) -> None:
        figure.text(x, inches / height, text, **{"fontsize": size, "color": _QUIET, "va": "center", **more})

    write(_LEFT, height - 0.36, chart["title"], 15, color=_INK, fontweight="bold")
    write(_LEFT, height - 0.68, chart["subtitle"], 9.5)
    for number, row in enumerate(rows):
        _paint_row(figure.add_subplot(grid[number]), row, chart["lines"])
    write(_NAMES_END, below - 0.16, chart["first_day"], 9, ha="left")
    write(_ROWS_END, below - 0.16, chart["last_day"], 9, ha="right")
    for number, note in enumerate(reversed(notes)):
        write(_LEFT, 0.2 + _NOTE * number, note, 8.5)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", facecolor="white")
    return font is None, picture.getvalue()


def _paint_row(axes: Any, row: Mapping[str, Any], lines: list[float]) -> None:
    points = len(row["levels"])
    places = [number / (points - 1) for number in range(points)]
    levels, low, high = ([float("nan") if value is None else value for value in row[name]] for name in ("levels", "low", "high"))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_yticks(lines, [""] * len(lines))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.axhline(0, color=_BASE, linewidth=1.2)
    axes.fill_between(places, low, high, color=_LINE, alpha=0.14, linewidth=0)
    axes.plot(places, levels, color=_LINE, linewidth=2.2, solid_capstyle="round")
    axes.plot([1, 1], [low[-1], high[-1]], color=_LINE, alpha=0.35, linewidth=2.2, clip_on=False)
    axes.plot([1], [levels[-1]], marker="o", markersize=6, color=_LINE, clip_on=False)

    def write(x: float, y: float, text: str, size: float, **more: Any) -> None:
        axes.text(x, y, text, transform=axes.transAxes, **{"fontsize": size, "va": "center", "color": _INK, **more})

    write(-0.03, 0.5, row["name"], 11 * min(1.0, _NAME_COLUMNS / columns(row["name"])), ha="right")
    write(1.04, 0.66, row["step"], 11, ha="left", fontweight="bold")
    write(1.04, 0.24, row["evidence"], 9, ha="left", color=_QUIET)


def main() -> None:
    is_in_english, png = paint(json.load(sys.stdin))
    sys.stdout.buffer.write((b"english" if is_in_english else b"asked") + b"\n" + png)


if __name__ == "__main__":
    main()
