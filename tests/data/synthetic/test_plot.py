from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from foldin.data.synthetic import World, plot_feedback
from foldin.errors import ConfigurationError, DataError


def test_the_picture_is_a_png_of_its_ratings(world: World, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    plot_feedback(world.ratings, tmp_path / "feedback.png")
    pixels = image.imread(tmp_path / "feedback.png")
    assert pixels.shape[0] > 500
    assert pixels.shape[1] > 800
    assert list(tmp_path.iterdir()) == [tmp_path / "feedback.png"]


def test_bars_are_the_shares_and_the_curve_is_the_normal_one() -> None:
    figures = pytest.importorskip("matplotlib.figure")
    from foldin.data.synthetic.plot import _draw

    axes = figures.Figure().add_subplot()
    values = np.repeat([1.0, 2, 3, 4, 5], [1, 4, 8, 5, 2])
    _draw(axes, values)
    assert [bar.get_height() for bar in axes.patches] == [0.05, 0.2, 0.4, 0.25, 0.1]
    places, share = axes.lines[0].get_data()
    assert abs(places[share.argmax()] - values.mean()) < 0.02
    assert abs(share.sum() * (places[1] - places[0]) - 1) < 0.02
    assert axes.get_title(loc="left") == "20 ratings,  mean 3.15,  standard deviation 1.01"


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0], [1.0, 5.0], [0.5, 1.0, 4.5]])
def test_odd_ratings_are_drawn_too(values: list[float], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot_feedback(np.array(values, dtype=np.float32), tmp_path / "feedback.png")
    assert (tmp_path / "feedback.png").read_bytes().startswith(b"\x89PNG")


def test_no_ratings_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no ratings"):
        plot_feedback(np.empty(0, dtype=np.float32), tmp_path / "feedback.png")
    with pytest.raises(DataError, match="no ratings"):
        plot_feedback(world.events, tmp_path / "feedback.png")


def test_a_place_that_cannot_be_written_is_refused(world: World, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(ConfigurationError, match="cannot write"):
        plot_feedback(world.ratings, tmp_path / "nowhere" / "feedback.png")


def test_without_matplotlib_the_extra_is_named(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"foldin\[plot\]"):
        plot_feedback(world.ratings, tmp_path / "feedback.png")
    assert not list(tmp_path.iterdir())
