"""Names and levels with ``$``, ``_``, ``%`` in every figure: shown as written, none left out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

import pymlm as mlm
from tests.plot.figures import FIGURES, sleep

#: A pair of dollars is mathematics to matplotlib, "$a^$" wrong mathematics, "_" no legend entry.
Y, X, Z, GROUP, KIND = "_y $cost$", "_x $a^$", "z%$_$", "_g$b$", "_k$q$"
LEVELS = ["$h^$", "_low", "%s", "é$2$"]
FORMULA = f"`{Y}` ~ `{X}` * `{Z}` + `{KIND}` + (`{X}` | `{GROUP}`)"


@cache
def frame():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(12), 20)
    own = rng.normal(size=(12, 2))[groups]
    x, z = rng.normal(size=240) + own[:, 1], rng.normal(size=240)
    y = x + 0.5 * z + 0.3 * x * z + own[:, 0] + 0.4 * own[:, 1] * x + rng.normal(size=240)
    names = np.array([f"_g${i}^$" if i % 2 else f"${i}$%" for i in range(12)])[groups]
    return pd.DataFrame({Y: y, X: x, Z: z, GROUP: names, KIND: LEVELS * 60})


@cache
def hostile():
    return mlm.lmer(FORMULA, frame())


@cache
def means():
    """Marginal means of plain columns, whose levels are hostile: emmeans refuses such columns."""
    data = frame().rename(columns={Y: "y", GROUP: "g", KIND: "kind"})
    return mlm.lmer("y ~ kind + (1 | g)", data).emmeans("kind")


DRAWN = {
    "bootstrap": lambda p: p.bootstrap(hostile().bootstrap(nsim=40, seed=1)),
    "caterpillar": lambda p: p.caterpillar(hostile()),
    "check": lambda p: p.check(hostile()),
    "coefs": lambda p: p.coefs(hostile(), hostile()),
    "design_effect": lambda p: p.design_effect(hostile()),
    "group_lines": lambda p: p.group_lines(hostile(), X, highlight=["_g$1^$", "$2$%"]),
    "johnson_neyman": lambda p: p.johnson_neyman(hostile(), X, Z),
    "levels": lambda p: p.levels(frame(), [GROUP, KIND]),
    "means": lambda p: p.means(means()),
    "pooling": lambda p: p.pooling(mlm.pooling(f"`{Y}` ~ `{X}`", frame(), GROUP)),
    "predictions": lambda p: p.predictions(hostile(), [X, KIND]),
    "profile": lambda p: p.profile(hostile().profile(f"`{X}`")),
    "qq": lambda p: p.qq(hostile(), GROUP),
    "ranef_density": lambda p: p.ranef_density(hostile()),
    "residuals_by_group": lambda p: p.residuals_by_group(hostile(), highlight="_g$1^$"),
    "shrinkage": lambda p: p.shrinkage(hostile()),
    "variance": lambda p: p.variance(hostile(), X),
    "variance_shares": lambda p: p.variance_shares(hostile()),
    "within_between": lambda p: p.within_between(frame(), Y, X, GROUP, points=True),
}


def legend_of(ax):
    return [] if ax.get_legend() is None else [t.get_text() for t in ax.get_legend().get_texts()]


def test_every_figure_is_tried():
    assert sorted(DRAWN) == sorted(FIGURES)


@pytest.mark.filterwarnings("ignore:extreme order statistics")  # of a bootstrap of 40
@pytest.mark.parametrize("name", sorted(DRAWN))
def test_no_name_is_read_as_mathematics(name):
    drawn = np.ravel(np.asarray(DRAWN[name](mlm.plot), dtype=object))
    shown = drawn[0].figure
    shown.canvas.draw()  # stops at wrong mathematics
    texts = [t for t in shown.findobj(Text) if "$" in t.get_text() and t.get_visible()]
    assert texts or name == "design_effect"  # which has no word of the data
    assert [t.get_text() for t in texts if t.get_parse_math()] == []


def test_levels_that_begin_with_an_underscore_stand_in_the_legend():
    assert sorted(legend_of(mlm.plot.predictions(hostile(), [X, KIND]))) == sorted(LEVELS)
    lines = DRAWN["group_lines"](mlm.plot)
    assert legend_of(lines) == [f"each {GROUP}", "_g$1^$", "$2$%", "fixed effects"]
    ax = mlm.plot.coefs(sleep(), sleep(), names=["_one", "two"])
    assert legend_of(ax) == ["_one", "two"]


def test_words_of_the_caller_may_be_mathematics():
    ax = plt.subplots()[1]
    ax.set_title(r"$\\tau$")
    mlm.plot.qq(sleep(), ax=ax, label=r"$\\epsilon_{ij}$")
    mine = [ax.title, *ax.get_legend().get_texts()]
    assert [t.get_parse_math() for t in mine if "$" in t.get_text()] == [True, True]


def test_a_legend_stays_within_the_figure():
    """Long names of the bars leave it less room; its last entry was cut off."""
    models = {f"{'a long name ' * 4}{i}": hostile() for i in range(3)}
    nested = mlm.lmer("strength ~ 1 + (1 | batch / cask)", mlm.load_dataset("Pastes"))
    crossed = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    ax = mlm.plot.variance_shares({**models, "nested": nested, "crossed": crossed})
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= ax.figure.bbox.x1
