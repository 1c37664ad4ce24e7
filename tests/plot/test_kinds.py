"""Every kind of model and of random part, one row each: what is drawn for it, or why not."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import assert_close
from tests.plot.figures import data

SLEEP = "Reaction ~ Days + (Days | Subject)"


def with_holes():
    frame = data("sleepstudy").copy()
    frame.loc[frame.index[[3, 50]], "Reaction"] = np.nan
    return frame.set_axis([f"row {i}" for i in range(len(frame))])


MODELS = {
    "uncorrelated": lambda: mlm.lmer("Reaction ~ Days + (Days || Subject)", data("sleepstudy")),
    "crossed": lambda: mlm.lmer(
        "diameter ~ 1 + (1 | plate) + (1 | sample)", data("Penicillin")
    ),
    "nested": lambda: mlm.lmer("strength ~ 1 + (1 | batch / cask)", data("Pastes")),
    "holes": lambda: mlm.lmer(SLEEP, with_holes()),
    "slope alone": lambda: mlm.lmer("Reaction ~ Days + (0 + Days | Subject)", data("sleepstudy")),
    "binomial": lambda: mlm.glmer(
        "use ~ age + urban + (1 | district)", data("mlmRev::Contraception"), family="binomial"
    ),
    "cbind": lambda: mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", data("cbpp"), family="binomial"
    ),
    "lme": lambda: mlm.lme("Reaction ~ Days", data("sleepstudy"), random="~ Days | Subject"),
    "gls": lambda: mlm.gls("Reaction ~ Days", data("sleepstudy")),
    "lm": lambda: mlm.lm("Reaction ~ Days", data("sleepstudy")),
    "glm": lambda: mlm.glm("use ~ age", data("mlmRev::Contraception"), family="binomial"),
}  # fmt: skip
#: Model -> panels of the check: what its kind has, and one for each random effect.
PANELS = {
    "uncorrelated": 7, "crossed": 7, "nested": 7, "holes": 7, "slope alone": 6, "binomial": 2,
    "cbind": 2, "lme": 5, "gls": 3, "lm": 3, "glm": 1,
}  # fmt: skip
WITH_MODES = [
    "uncorrelated",
    "crossed",
    "nested",
    "holes",
    "slope alone",
    "binomial",
    "cbind",
    "lme",
]


@pytest.fixture(scope="module")
def fitted():
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = MODELS[name]()
        return kept[name]

    return get


@pytest.mark.parametrize("name", MODELS)
def test_every_model_draws_its_checks(name, fitted):
    panels = fitted(name).plot()
    assert len(panels) == PANELS[name]
    assert all(ax.has_data() for ax in panels)
    assert isinstance(mlm.plot.qq(fitted(name)), Axes)


@pytest.mark.parametrize("name", WITH_MODES)
def test_every_mixed_model_draws_its_modes(name, fitted):
    m = fitted(name)
    for ax in [*mlm.plot.caterpillar(m), *mlm.plot.ranef_density(m)]:
        assert ax.has_data()
    for group in m.ngroups:
        assert all(ax.has_data() for ax in mlm.plot.qq(m, group))


def test_the_curve_of_an_uncorrelated_slope_has_its_own_deviation(fitted):
    ax = mlm.plot.ranef_density(fitted("uncorrelated"), terms="Days")[0]
    table = fitted("uncorrelated").varcorr().to_frame()
    tau = float(table.loc[table["var1"] == "Days", "sdcor"].iloc[0])
    assert f"N(0, {tau:.3g}²)" in [t.get_text() for t in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", ["lm", "glm", "gls"])
def test_models_without_groups_have_no_modes(name, fitted):
    with pytest.raises((ArgumentError, NotSupportedError)):
        mlm.plot.caterpillar(fitted(name))
    with pytest.raises(ArgumentError, match="no residuals or grouping factor 'Subject'"):
        mlm.plot.qq(fitted(name), "Subject")


def test_residuals_with_holes_are_those_of_the_rows_used(fitted):
    drawn = mlm.plot.qq(fitted("holes")).get_lines()[-1].get_ydata()
    assert len(drawn) == 178
    assert_close(np.sort(drawn), np.sort(fitted("holes").residuals("pearson").dropna()))


def test_two_categories_stand_at_0_and_1_in_the_order_of_their_levels(fitted):
    """matplotlib would put the category at 0 that comes first in the data."""
    frame = data("mlmRev::Contraception").sort_values("use", ascending=False)
    assert frame["use"].iloc[0] == "Y"
    m = mlm.glmer("use ~ age + (1 | district)", frame, family="binomial")
    ax = mlm.plot.predictions(m, "age", points=True)
    offsets = np.array(ax.collections[0].get_offsets())
    assert_close(offsets[:, 1], (frame["use"] == "Y").astype(float))
    line = mlm.plot.group_lines(m, "age", points=True)
    assert set(np.array(line.collections[0].get_offsets())[:, 1]) == {0.0, 1.0}


def test_an_outcome_that_is_no_column_has_no_points(fitted):
    with pytest.raises(ArgumentError, match="no column of the data"):
        mlm.plot.predictions(fitted("cbind"), "period", points=True)
    assert isinstance(mlm.plot.predictions(fitted("cbind"), "period"), Axes)


@pytest.mark.parametrize("figure", ["predictions", "group_lines"])
def test_nlme_models_are_refused_where_r_gives_no_limits(figure, fitted):
    with pytest.raises(ArgumentError, match=r"lme4.*not a NlmeModel"):
        getattr(mlm.plot, figure)(fitted("lme"), "Days")
