"""Figures against the reference images."""

from __future__ import annotations

import shutil

import pytest
from matplotlib.testing.compare import compare_images

from tests.native import has_structures
from tests.plot.figures import FIGURES
from tests.plot.images import FOLDER, render

#: Root mean square of the difference, of 255: versions of matplotlib smooth edges otherwise (about
#: 2); a line that is missing in an image of this size makes 8 and more.
RMS = 5.0
#: Their panels stand in the order of lme4's parameters: sd, cor, sd; sd, sd, cor since lme4 2.
ORDERED = {"bootstrap", "profile"}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_looks_as_its_reference(name, tmp_path):
    if name in ORDERED and has_structures():
        pytest.skip("the reference image has the parameters in lme4 1.1's order")
    drawn, expected = tmp_path / f"{name}.png", tmp_path / f"{name}-expected.png"
    shutil.copy(FOLDER / f"{name}.png", expected)  # compare_images writes beside its files
    render(name, drawn)
    assert compare_images(str(expected), str(drawn), tol=RMS) is None


def test_every_reference_image_belongs_to_a_figure():
    assert {p.stem for p in FOLDER.glob("*.png")} == set(FIGURES)


def test_the_tolerance_sees_another_picture(tmp_path):
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    shutil.copy(FOLDER / "variance.png", one)
    render_without_a_line(other)
    assert compare_images(str(one), str(other), tol=RMS) is not None


def render_without_a_line(path):
    from tests.plot import figures

    given, options = figures.FIGURES["variance"]
    figures.FIGURES["variance"] = (given, {**options, "visible": False})
    try:
        render("variance", path)
    finally:
        figures.FIGURES["variance"] = (given, options)
