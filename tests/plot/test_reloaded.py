"""Models from a pickle or a file draw what the fitted one draws; levels may be given as numbers."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError
from tests.native import assert_close
from tests.plot.figures import data, sleep

FIGURES = {
    "group_lines": lambda m: mlm.plot.group_lines(m, "Days", points=True, highlight=308),
    "predictions": lambda m: mlm.plot.predictions(m, "Days", points=True),
    "residuals_by_group": lambda m: mlm.plot.residuals_by_group(m, highlight=[308, 335]),
    "shrinkage": mlm.plot.shrinkage,
    "caterpillar": mlm.plot.caterpillar,
    "check": mlm.plot.check,
}  # fmt: skip


def loaded(m, tmp_path):
    return mlm.load_model(m.save(tmp_path / "m.rds"))


AGAIN = {"pickle": lambda m, _: pickle.loads(pickle.dumps(m)), "file": loaded}


def drawn(axes):
    """All numbers and names of lines, points and legends."""
    panels = np.ravel(np.asarray(axes, dtype=object))
    numbers = [line.get_xydata() for ax in panels for line in ax.get_lines()]
    numbers += [np.asarray(c.get_offsets()) for ax in panels for c in ax.collections]
    legends = [ax.get_legend() for ax in panels if ax.get_legend()]
    return numbers, [t.get_text() for legend in legends for t in legend.get_texts()]


@pytest.mark.parametrize("way", AGAIN)
@pytest.mark.parametrize("figure", FIGURES)
def test_a_model_that_comes_back_draws_the_same(figure, way, tmp_path):
    again = AGAIN[way](sleep(), tmp_path)
    wanted, names = drawn(FIGURES[figure](sleep()))
    found, found_names = drawn(FIGURES[figure](again))
    assert found_names == names
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert_close(a, b)


def test_dropped_rows_are_not_drawn_of_a_model_from_a_file(tmp_path):
    frame = data("sleepstudy").copy()
    frame.loc[frame.index[[3, 50]], "Reaction"] = np.nan
    m = loaded(mlm.lmer("Reaction ~ Days + (Days | Subject)", frame), tmp_path)
    points = mlm.plot.group_lines(m, "Days", points=True).collections[0].get_offsets()
    assert_close(np.asarray(points), frame[["Days", "Reaction"]].dropna().to_numpy(dtype=float))


@pytest.mark.parametrize("figure", ["group_lines", "predictions"])
def test_what_r_kept_only_transformed_is_told_with_what_to_do(figure, tmp_path):
    fitted = mlm.lmer("Reaction ~ poly(Days, 2) + (1 | Subject)", data("sleepstudy"))
    with pytest.raises(DataError, match=r"kept 'Days' only transformed. Fit it anew, with") as told:
        getattr(mlm.plot, figure)(loaded(fitted, tmp_path), "Days")
    assert re.search(r"poly\(Days, 2\)", str(told.value))


def test_an_unknown_number_is_an_unknown_level():
    with pytest.raises(ArgumentError, match="no level of 'Subject' '999'"):
        mlm.plot.group_lines(sleep(), "Days", highlight=999)


def test_truth_values_are_no_axis_of_lines():
    frame = data("sleepstudy").assign(late=lambda d: d["Days"] > 4)
    m = mlm.lmer("Reaction ~ late + (1 | Subject)", frame)
    with pytest.raises(DataError, match=r"x='late' is not numeric \(dtype bool\)"):
        mlm.plot.group_lines(m, "late")
