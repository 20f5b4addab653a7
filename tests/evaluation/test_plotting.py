"""Drawings of cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foldin.errors import ConfigurationError
from foldin.evaluation.cells import Cell
from foldin.evaluation.compare import Comparison
from foldin.evaluation.evaluate import Evaluation
from foldin.evaluation.plotting import (
    FORMATS,
    _apart,
    _draw_lengths,
    _draw_segments,
    _short,
    _styles,
    check_plot,
    plot_cells,
)


def cell(length: int | None, segment: str | None, *ndcg: float) -> Cell:
    values = np.array(ndcg)
    evaluations = {"ease": Evaluation({"ndcg@10": values}, {}), "other": Evaluation({"ndcg@10": values / 2}, {})}
    return Cell(length, segment, np.arange(len(ndcg)), Comparison(evaluations))


CELLS = [
    cell(0, None, 0.1, 0.3),
    cell(0, "student", 0.1),
    cell(3, None, 0.5, 0.7),
    cell(None, None, 0.6, 0.8),
    cell(None, "student", 0.6),
    cell(None, "writer", 0.8, 0.4),
]


@pytest.mark.parametrize("form", FORMATS)
def test_the_ending_says_the_format_and_the_same_cells_make_the_same_file(tmp_path: Path, form: str) -> None:
    pytest.importorskip("matplotlib")
    files = [tmp_path / f"{name}.{form}" for name in ("a" if form == "svg" else "ab")]  # its elements have random names
    for file in files:
        plot_cells(CELLS, "ndcg@10", file, attribute="role")
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert files[0].read_bytes().startswith(starts[form])
    assert sorted(tmp_path.iterdir()) == files
    assert len({file.read_bytes() for file in files}) == 1


def test_a_panel_for_lengths_and_one_for_segments(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    for name, some in (("both", CELLS), ("lengths", CELLS[:4]), ("segments", CELLS[3:])):
        plot_cells(some, "ndcg@10", tmp_path / f"{name}.png")
    widths = {name: image.imread(tmp_path / f"{name}.png").shape[1] for name in ("both", "lengths", "segments")}
    assert widths["both"] > 1.8 * max(widths["lengths"], widths["segments"])
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        plot_cells(CELLS[3:4], "ndcg@10", tmp_path / "nothing.png")


def test_lines_pass_through_the_means() -> None:
    figures = pytest.importorskip("matplotlib.figure")
    axes = figures.Figure().add_subplot()
    _draw_lengths(axes, [CELLS[0], CELLS[2]], "ndcg@10")
    ease, other = axes.lines
    assert ease.get_xdata() == pytest.approx(np.log([1, 4]))
    assert ease.get_ydata() == pytest.approx([0.2, 0.6])
    assert other.get_ydata() == pytest.approx([0.1, 0.3])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0\n2", "3\n2"]
    assert {text.get_text() for text in axes.texts} == {"ease", "other"}
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.1, 0.7))


def test_dots_stand_at_the_means_of_segments_the_first_on_top() -> None:
    figures = pytest.importorskip("matplotlib.figure")
    axes = figures.Figure().add_subplot()
    _draw_segments(axes, CELLS[4:], "ndcg@10", "role")
    assert axes.lines[0].get_xdata() == pytest.approx([0.6, 0.6])
    assert axes.lines[0].get_ydata()[0] > axes.lines[0].get_ydata()[1]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["student\n1 user", "writer\n2 users"]
    assert "role" in axes.get_title(loc="left")


def test_names_are_moved_apart_and_no_further_than_needed() -> None:
    assert _apart(np.array([0.1, 0.5]), 0.05) == pytest.approx([0.1, 0.5])
    assert _apart(np.array([0.3, 0.3]), 0.1) == pytest.approx([0.25, 0.35])
    assert _apart(np.array([0.1, 0.12, 0.9]), 0.1) == pytest.approx([0.06, 0.16, 0.9])


def test_a_model_alone_is_drawn_as_the_model_but_hollow() -> None:
    styles = _styles(["popularity", "ease", "ease alone", "edlae"])
    assert len({style.color for style in styles.values()}) == len({style.marker for style in styles.values()}) == 3
    assert styles["ease"].color == styles["ease alone"].color == styles["ease"].face
    assert [name for name, style in styles.items() if style.variant] == ["ease alone"]
    assert styles["ease alone"].face == "white"


def test_numbers_of_users_stay_narrow() -> None:
    assert [_short(number) for number in (999, 1094, 9949, 9950, 24_600)] == ["999", "1.1k", "9.9k", "10k", "25k"]


def test_many_segments_get_the_room_they_need(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    for name, segments in (("few", 2), ("many", 20)):
        some = [cell(None, f"s{segment}", 0.5, 0.6) for segment in range(segments)]
        plot_cells(some, "ndcg@10", tmp_path / f"{name}.png")
    few, many = (image.imread(tmp_path / f"{name}.png").shape[0] for name in ("few", "many"))
    assert many > 2 * few


def test_where_nothing_can_be_drawn_it_is_said_before_the_work(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    check_plot(tmp_path / "plot.PNG")
    with pytest.raises(ConfigurationError, match=r"ends in \.png, \.svg, \.pdf"):
        check_plot(tmp_path / "plot.bmp")
    with pytest.raises(ConfigurationError, match="in a folder that is there"):
        check_plot(tmp_path / "missing" / "plot.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigurationError, match="in a folder that is there"):
        check_plot(tmp_path / "folder.png")
