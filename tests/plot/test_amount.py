"""Figures of large data draw less, and say so; figures can be read in grey."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import pymlm as mlm
from tests.plot.figures import cake_lines, draw

#: The issue's limit for 100,000 rows in 5,000 groups, in the processor's time, which what else runs
#: leaves alone but for its caches, hence twice.
SECONDS = 2 * 2.0


@pytest.fixture(scope="module")
def many():
    """Rows of many groups, and a model whose costly answers are there already."""
    rng = np.random.default_rng(3)
    n, groups = 100_000, 5_000
    g, x = rng.integers(groups, size=n), rng.normal(size=n)
    u, v = rng.normal(size=groups), 0.3 * rng.normal(size=groups)
    frame = pd.DataFrame(
        {"y": 1 + x + u[g] + v[g] * x + rng.normal(size=n), "x": x, "g": [f"g{i:04d}" for i in g]}
    )
    model = mlm.lmer("y ~ x + (x | g)", frame)
    model.ranef()
    return frame, model, mlm.shrinkage(model)


FIGURES = {
    "caterpillar": (lambda d, m, s: mlm.plot.caterpillar(m), "400 of 5,000 levels of g"),
    "check": (lambda d, m, s: mlm.plot.check(m), "3,000 of 100,000 rows"),
    "density of the check": (lambda d, m, s: mlm.plot.check(m), "2,000 of 100,000 rows"),
    "coefs": (lambda d, m, s: mlm.plot.coefs(m), None),
    "predictions": (
        lambda d, m, s: mlm.plot.predictions(m, "x", points=True), "5,000 of 100,000 points",
    ),
    "ranef ticks": (
        lambda d, m, s: mlm.plot.ranef_density(m, points=True), "500 of 5,000 ticks",
    ),
    "variance": (lambda d, m, s: mlm.plot.variance(m, "x"), None),
    "variance_shares": (lambda d, m, s: mlm.plot.variance_shares(m), None),
    "group_lines": (
        lambda d, m, s: mlm.plot.group_lines(m, "x", points=True),
        "5,000 of 100,000 points drawn; 200 of 5,000 groups",
    ),
    "levels": (lambda d, m, s: mlm.plot.levels(d.assign(h=d["g"].str[:4]), ["g", "h"]), "of 500 h"),
    "qq": (lambda d, m, s: mlm.plot.qq(m), "2,000 of 100,000 residuals"),
    "qq of modes": (lambda d, m, s: mlm.plot.qq(m, "g"), "400 of 5,000 levels of g"),
    "ranef_density": (lambda d, m, s: mlm.plot.ranef_density(m), None),
    "residuals_by_group": (lambda d, m, s: mlm.plot.residuals_by_group(m), "60 of 5,000 groups"),
    "shrinkage": (lambda d, m, s: mlm.plot.shrinkage(s), "200 of 5,000 levels of g"),
    "within_between": (
        lambda d, m, s: mlm.plot.within_between(d, "y", "x", "g", points=True),
        "5,000 of 100,000 points drawn; 200 of 5,000 groups",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_large_data_draw_quickly_and_say_that_they_are_thinned(many, name):
    figure, says = FIGURES[name]
    started = time.process_time()
    drawn = np.ravel(np.asarray(figure(*many), dtype=object))
    drawn[0].figure.canvas.draw()
    assert time.process_time() - started < SECONDS
    notes = [t.get_text() for ax in drawn for t in ax.texts if t.get_gid() == "note"]
    assert says is None or any(says in text for text in notes), notes
    assert sum(len(ax.get_lines()) for ax in drawn) < 500


def test_both_tails_of_a_thinned_qq_are_whole():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"y": rng.normal(size=9000), "g": np.repeat(np.arange(300), 30).astype(str)}
    )
    frame["y"] += np.repeat(rng.normal(size=300), 30)
    m = mlm.lmer("y ~ 1 + (1 | g)", frame)
    drawn = mlm.plot.qq(m).get_lines()[-1].get_ydata()
    everything = np.sort(m.residuals("pearson").to_numpy())
    assert len(drawn) < 2100
    np.testing.assert_array_equal(drawn[:300], everything[:300])
    np.testing.assert_array_equal(drawn[-300:], everything[-300:])


def test_small_data_are_drawn_whole():
    for name in ("caterpillar", "group_lines", "qq", "shrinkage", "residuals_by_group"):
        for ax in np.ravel(np.asarray(draw(name), dtype=object)):
            assert not [t for t in ax.texts if t.get_gid() == "note"], name


@pytest.mark.parametrize(
    "draw_it",
    [
        lambda: draw("means"),
        lambda: draw("design_effect", icc=[0.01, 0.05, 0.1, 0.2, 0.4]),
        lambda: draw("group_lines"),
        lambda: mlm.plot.predictions(cake_lines(), ["temp", "recipe"]),
        lambda: mlm.plot.coefs(cake_lines(), cake_lines(), names=["a", "b"]),
    ],
)
def test_what_the_legend_names_differs_without_colour(draw_it):
    ax = draw_it()
    looks = [
        # No public method tells the length of dashes apart.
        (str(line._unscaled_dash_pattern), line.get_marker(), line.get_linewidth())
        for line in ax.get_lines()
        if not line.get_label().startswith("_")
    ]
    assert len(set(looks)) == len(looks)
    plt.close("all")
