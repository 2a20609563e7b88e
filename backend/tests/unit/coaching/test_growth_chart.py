"""The picture of growth: painted beside the server, in fonts that are there, and without taking anything of ours along."""

import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.coaching.growth import chart as chart_module
from app.coaching.growth.chart import FONTS, Chart, ChartPainter, ChartRow, Picture
from app.i18n.language import Language

NOTHING_INSTALLED = dict.fromkeys(Language, ("A font that nobody has",))


def a_chart(title: str = "Growth", *, rows: int = 3) -> Chart:
    levels = (None, None, *(0.1 * number for number in range(1, 9)))
    row = ChartRow("Prospecting", "Able", "records: 5", levels, levels, levels)
    return Chart(title, "2026-01-01 to 2026-04-01", (row,) * rows, (0.2, 0.4, 0.6, 0.8), "2026-01-01", "2026-04-01", ("note",))


def size_of(picture: Picture | None) -> tuple[int, int]:
    assert picture is not None and picture.png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture.png[16:24])
    return width, height


async def test_a_picture_is_painted_and_grows_with_its_rows(tmp_path: Path) -> None:
    painter = ChartPainter(tmp_path / "fonts")
    small, large = [await painter.paint(a_chart(rows=rows), a_chart(rows=rows), Language.ENGLISH) for rows in (1, 10)]
    assert size_of(small)[0] == size_of(large)[0] > 1000
    assert size_of(large)[1] > 3 * size_of(small)[1]


async def test_without_a_font_for_the_language_the_english_texts_are_painted(tmp_path: Path) -> None:
    painter = ChartPainter(tmp_path, fonts=NOTHING_INSTALLED)
    fallen_back = await painter.paint(a_chart("スキルの歩み"), a_chart("Growth"), Language.JAPANESE)
    english = await painter.paint(a_chart("Growth"), a_chart("Growth"), Language.ENGLISH)
    assert fallen_back is not None and fallen_back.is_in_english
    assert english is not None and english.png == fallen_back.png


async def test_the_painter_stays_out_of_this_process_and_gets_none_of_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    painter = ChartPainter(tmp_path)
    assert not any("secret" in value for value in painter._environment().values())
    await painter.paint(a_chart(), a_chart(), Language.ENGLISH)
    assert "matplotlib" not in sys.modules


async def test_a_painter_that_fails_or_never_ends_means_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "PAINTER", "app.no_such_module")
    assert await ChartPainter(tmp_path).paint(a_chart(), a_chart(), Language.ENGLISH) is None
    monkeypatch.setattr(chart_module, "PAINTER", "app.coaching.growth.painter")
    monkeypatch.setattr(chart_module, "PAINTING_SECONDS", 0.001)
    assert await ChartPainter(tmp_path).paint(a_chart(), a_chart(), Language.ENGLISH) is None


async def test_a_long_name_and_strange_characters_are_painted_too(tmp_path: Path) -> None:
    chart = a_chart(r"$\frac$ <b>& 🎉")
    long = replace(
        chart, rows=(replace(chart.rows[0], name="既存のお客様との関係をとても長く深めていくための大切なスキル", step="%$_"),)
    )
    assert size_of(await ChartPainter(tmp_path).paint(long, long, Language.ENGLISH))[0] > 1000


def test_every_language_has_fonts_to_look_for() -> None:
    assert set(FONTS) == set(Language)
