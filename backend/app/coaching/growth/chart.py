"""Growth as a picture: one row per skill, its level over time with how sure it is, on five steps.

Painting happens in a process of its own that ends with the picture (``painter.py``): matplotlib takes 70 MB and a second to load,
which an idle server should not carry.

Japanese and Chinese need a font that has the characters. Installed ones are looked for by name; where there is none, the same
chart is painted with its English texts (``Picture.is_in_english``), rather than with empty boxes.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from app.i18n.language import Language

logger = logging.getLogger(__name__)

PAINTING_SECONDS = 20.0  # the first time after an installation, fonts are counted
PAINTER = "app.coaching.growth.painter"
_PACKAGE_ROOT = Path(__file__).parents[3]

FONTS: Mapping[Language, tuple[str, ...]] = {
    Language.JAPANESE: (
        "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "Source Han Sans", "IPAexGothic", "IPAGothic", "BIZ UDPGothic",
        "TakaoPGothic", "VL PGothic", "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo", "MS Gothic",
    ),
    Language.CHINESE: (
        "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei", "PingFang SC", "Heiti SC", "Microsoft YaHei", "SimHei", "Droid Sans Fallback",
    ),
    Language.ENGLISH: ("Noto Sans", "DejaVu Sans"),
}  # fmt: skip


@dataclass(frozen=True)
class ChartRow:
    """One skill. ``levels``, ``low`` and ``high`` are heights of 0 to 1, one per moment; ``None`` where too little is known."""

    name: str
    step: str
    evidence: str
    levels: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """All that is on the picture, in one language. ``lines``: the heights where the steps meet; ``notes`` stand below."""

    title: str
    subtitle: str
    rows: tuple[ChartRow, ...]
    lines: tuple[float, ...]
    first_day: str
    last_day: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A PNG. ``is_in_english``: no installed font has the language's characters."""

    png: bytes
    is_in_english: bool


class ChartPainter:
    """Paints one picture at a time. ``folder`` keeps what matplotlib knows of the fonts; ``fonts`` is for tests."""

    def __init__(self, folder: Path, *, fonts: Mapping[Language, tuple[str, ...]] = FONTS) -> None:
        self._folder = folder
        self._fonts = fonts
        self._one_at_a_time = asyncio.Lock()

    async def paint(self, chart: Chart, in_english: Chart, language: Language) -> Picture | None:
        """``None`` when painting fails, which is logged: the same stands as text everywhere a picture is shown."""
        order = {"chart": asdict(chart), "in_english": asdict(in_english), "fonts": self._fonts[language],
                 "latin_fonts": FONTS[Language.ENGLISH]}  # fmt: skip
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(PAINTING_SECONDS):
                    painted = await self._run(json.dumps(order).encode())
            except (OSError, TimeoutError) as error:
                logger.warning("chart_not_painted", extra={"error": type(error).__name__})
                return None
        head, _, png = painted.partition(b"\n")
        if not png.startswith(b"\x89PNG"):
            logger.warning("chart_not_painted", extra={"error": "no picture"})
            return None
        return Picture(png, head == b"english")

    async def _run(self, order: bytes) -> bytes:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PAINTER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env=self._environment(),
        )  # fmt: skip
        try:
            painted, _ = await process.communicate(order)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return painted

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: the painter needs no secrets."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        return {**kept, "PYTHONPATH": str(_PACKAGE_ROOT), "MPLCONFIGDIR": str(self._folder), "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1"}  # fmt: skip
