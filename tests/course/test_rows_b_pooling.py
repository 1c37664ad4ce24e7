"""Checklist rows 21, 42-44, 83-88: pooling, shrinkage, labelled residuals, data for plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, ArgumentError, DataError, FormulaError
from tests.course.lecture_data import SAME_FIT, gpa
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, BY_HAND, half_unit

#: The identities are algebra: what is left is rounding in some thousand sums.
IDENTITY = 1e-12
CODE = """
complete <- coef(lm(Reaction ~ Days, sleepstudy))
none <- lme4::lmList(Reaction ~ Days | Subject, sleepstudy)
s <- summary(none)$coefficients
partial <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
int <- lm(Reaction ~ 0 + Subject + Days, sleepstudy)
m <- lme4::lmer(Reaction ~ 1 + (1 | Subject), sleepstudy)
re <- ranef(m, condVar = TRUE)$Subject
emit(list(complete = unname(complete), none = as.matrix(coef(none)),
  none_se = unname(c(s[, "Std. Error", 1], s[, "Std. Error", 2])),
  partial = as.matrix(coef(partial)$Subject), partial_int = as.matrix(coef(
    lme4::lmer(Reaction ~ Days + (1 | Subject), sleepstudy))$Subject),
  int = unname(coef(int)), int_se = unname(sqrt(diag(vcov(int)))),
  condval = re[, 1], condsd = sqrt(attr(re, "postVar")[1, 1, ])))
"""


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def mep(course: Path) -> pd.DataFrame:
    return pd.read_csv(course / "data" / "hermansen_mep.csv")


@pytest.fixture(scope="module")
def g3(mep: pd.DataFrame) -> Any:
    return mlm.lmer("y ~ x + (1 | Nationality)", mep)


def test_row_21_complete_no_and_partial_pooling(r, sleepstudy):
    p = mlm.pooling("Reaction ~ Days", sleepstudy, "Subject")
    f = p.to_frame()
    assert_close(f["complete"].unique(), r["complete"])
    assert_close(p.no_pooling.reshape(2, -1).T, r["none"]["values"])
    assert_close(p.partial.reshape(2, -1).T, r["partial"]["values"], SAME_FIT)
    assert f["term"].tolist() == ["(Intercept)"] * 18 + ["Days"] * 18
    assert f["n"].eq(10).all()


def test_row_21_standard_errors_pool_the_residual_sd(r, sleepstudy):
    # With equal groups all of lmList's errors are equal; sorting matches its own group order.
    p = mlm.pooling("Reaction ~ Days", sleepstudy, "Subject")
    assert_close(np.sort(p.no_pooling_se), np.sort(r["none_se"]))


def test_row_21_intercepts_alone(r, sleepstudy):
    p = mlm.pooling("Reaction ~ Days", sleepstudy, "Subject", vary="intercept")
    f = p.to_frame()
    intercepts = f[f["term"] == "(Intercept)"]
    assert_close(intercepts["no_pooling"], r["int"][:-1])
    assert_close(intercepts["no_pooling_se"], r["int_se"][:-1])
    assert_close(f.loc[f["term"] == "Days", "no_pooling"].unique(), [r["int"][-1]])
    assert_close(p.partial.reshape(2, -1).T, r["partial_int"]["values"], SAME_FIT)


def test_row_21_partial_lies_between_for_intercepts(sleepstudy):
    p = mlm.pooling("Reaction ~ 1", sleepstudy, "Subject")
    assert np.all((p.weight > 0) & (p.weight < 1))
    s = mlm.shrinkage(mlm.lmer("Reaction ~ 1 + (1 | Subject)", sleepstudy))
    assert_close(p.weight, s.shrinkage, IDENTITY * 100)  # a ratio of differences


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_row_21_groups_too_small_for_their_own_regression():
    d = pd.DataFrame(
        {"y": [1.0, 2, 3, 2, 4, 5, 9, 1, 3], "x": [1.0, 2, 3, 1, 2, 3, 1, 1, 2],
         "g": list("aaabbbcdd")}
    )  # fmt: skip
    with pytest.warns(AdviceWarning, match="the first is 'c'"):
        p = mlm.pooling("y ~ x", d, "g", vary="all", reml=False)
    f = p.to_frame().set_index(["term", "grp"])
    assert np.isnan(f.loc[("x", "c"), "no_pooling"])
    assert f.loc[("(Intercept)", "c"), "no_pooling"] == 9
    assert f.loc[("x", "d"), "no_pooling"] == pytest.approx(2)
    # Pooled residual SD: groups a (rss 0), b (rss 1/6), d (rss 0) on 1 + 1 + 0 df.
    assert f.loc[("x", "b"), "no_pooling_se"] == pytest.approx(np.sqrt((1 / 6) / 2 / 2))
    assert np.isfinite(p.partial).all()


def test_row_21_refusals(sleepstudy):
    with pytest.raises(FormulaError, match="fixed part"):
        mlm.pooling("Reaction ~ Days + (1 | Subject)", sleepstudy, "Subject")
    with pytest.raises(DataError, match="Did you mean 'Subject'"):
        mlm.pooling("Reaction ~ Days", sleepstudy, "subject")
    with pytest.raises(ArgumentError):
        mlm.pooling("Reaction ~ Days", sleepstudy, "Subject", vary="slopes")


def test_row_42_group_means_and_deviations(g3):
    modes, fixed = g3.ranef()["Nationality"]["(Intercept)"], g3.fixef()
    printed = {"Austria": -0.49518857, "Belgium": -1.52249566, "Bulgaria": 1.54657524,
               "Croatia": 0.68267309, "Cyprus": -0.05313986,
               "Czech Republic": -0.10587832}  # fmt: skip
    for group, value in printed.items():
        assert modes[group] == pytest.approx(value, abs=half_unit(6))
    coef = g3.coef()["Nationality"]["(Intercept)"]
    assert_close(coef.to_numpy(), (modes + fixed["(Intercept)"]).to_numpy())


def test_row_43_labelled_residuals(course, mep):
    cases = {c["id"]: c for c in json.loads((course / "cases.json").read_text())}
    extras = {e["kind"]: e for e in cases["hermansen_ri"]["extras"]}
    table = mlm.residuals_by_group("y ~ x", mep, "Nationality").to_frame()
    assert len(table) == 28
    for name, text in extras["lm_residual_group_table"]["printed"].items():
        group, statistic = name.rsplit(".", 1)
        decimals = len(text.split(".")[1])
        assert f"{table.loc[group, statistic]:.{decimals}f}" == text, name
    assert table.loc["Austria", "var"] == pytest.approx(table.loc["Austria", "sd"] ** 2)


def test_row_43_a_group_of_one_has_no_spread():
    d = pd.DataFrame({"y": [1.0, 2, 4, 3], "x": [1.0, 2, 3, 4], "g": ["a", "a", "a", "b"]})
    table = mlm.residuals_by_group("y ~ x", d, "g").to_frame()
    assert np.isnan(table.loc["b", "sd"])
    assert table.loc["b", "n"] == 1
    assert table["mean"] @ table["n"] == pytest.approx(0)


def test_row_44_shrinkage_is_the_lectures_weighted_average(g3):
    f = mlm.shrinkage(g3).to_frame()
    weighted = (f["weight_group"] * f["group_mean"] + f["weight_overall"] * f["overall"]) / (
        f["weight_group"] + f["weight_overall"]
    )
    assert_close(f["estimate"], weighted, IDENTITY)


def test_row_44_lambda(g3, mep):
    f = mlm.shrinkage(g3).to_frame().set_index("grp")
    tau2, sigma2 = g3.varcorr().variance("Nationality"), g3.sigma**2
    n = mep.dropna(subset=["y", "x"]).groupby("Nationality").size().loc[f.index]
    assert_close(f["shrinkage"], tau2 / (tau2 + sigma2 / n), IDENTITY)
    assert_close(f["n"], n)
    # No pooling by hand: the group's mean of y − Xβ, and the group's mode λ times that.
    used = mep.dropna(subset=["y", "x"])
    b = g3.fixef()
    rest = (used["y"] - b["(Intercept)"] - b["x"] * used["x"]).groupby(used["Nationality"]).mean()
    assert_close(f["condval"], f["shrinkage"] * rest.loc[f.index], IDENTITY)


def test_row_44_modes_and_intervals(r, sleepstudy):
    s = mlm.shrinkage(mlm.lmer("Reaction ~ 1 + (1 | Subject)", sleepstudy), level=0.9)
    assert_close(s.condval, r["condval"], SAME_FIT)
    assert_close(s.condsd, r["condsd"], SAME_FIT)
    z = 1.6448536269514722  # the normal quantile of 0.95
    assert_close(s.conf_low, np.array(r["condval"]) - z * np.array(r["condsd"]), SAME_FIT)
    order = np.argsort(-np.array(r["condval"]))
    assert s.rank[order].tolist() == list(range(1, 19))


def test_row_44_range_in_the_lectures_data():
    m = mlm.lmer("gpa ~ 1 + (1 | schoolnr)", gpa())
    values = mlm.shrinkage(m).shrinkage
    # τ² / (τ² + σ²/n) for the smallest (4) and the largest (35) school.
    assert np.round([values.min(), values.max()], 3).tolist() == [0.549, 0.914]


def test_row_44_slopes_have_shrinkage_but_no_scalar_weights(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    s = mlm.shrinkage(m)
    assert np.isnan(s.group_mean).all()
    assert np.all((s.shrinkage > 0) & (s.shrinkage < 1))
    # The matrix form Var(u|y) = (Z'Z/σ² + T⁻¹)⁻¹ for one balanced subject.
    T = m.varcorr().matrix("Subject").to_numpy()
    Z = np.column_stack([np.ones(10), np.arange(10)])
    V = np.linalg.inv(Z.T @ Z / m.sigma**2 + np.linalg.inv(T))
    assert_close(s.shrinkage.reshape(2, -1)[:, 0], 1 - np.diag(V) / np.diag(T), BY_HAND)


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_row_44_no_between_variance_shrinks_all_the_way():
    d = pd.DataFrame({"y": [1.0, 2, 3, 1, 2, 3, 1, 2, 3], "g": list("aaabbbccc")})
    f = mlm.shrinkage(mlm.lmer("y ~ 1 + (1 | g)", d)).to_frame()
    assert f["shrinkage"].eq(0).all()
    assert f["condval"].eq(0).all()
    assert np.isinf(f["weight_overall"]).all()


def test_row_44_prior_weights_count_as_rows(sleepstudy):
    d = sleepstudy.assign(w=np.where(sleepstudy["Days"] < 5, 2.0, 1.0))
    m = mlm.lmer("Reaction ~ 1 + (1 | Subject)", d, weights="w")
    s = mlm.shrinkage(m)
    tau2, sigma2 = m.varcorr().variance("Subject"), m.sigma**2
    assert_close(s.shrinkage, np.full(18, tau2 / (tau2 + sigma2 / 15)), ARITHMETIC)
    assert_close(s.weight_group, np.full(18, 15 / sigma2))


def test_row_83_lines_of_groups(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    f = mlm.group_lines(m, "Days")
    coef = m.coef()["Subject"]
    own = f[f["grp"] == "308"]
    assert_close(own["x"], [0.0, 9.0])
    expected = coef.loc["308", "(Intercept)"] + coef.loc["308", "Days"] * np.array([0, 9])
    assert_close(own["predicted"], expected, ARITHMETIC)
    population = f[f["grp"] == ""]["predicted"].to_numpy()
    b = m.fixef().to_numpy()
    assert_close(population, [b[0], b[0] + 9 * b[1]], ARITHMETIC)
    assert len(f) == 2 + 2 * 18


def test_row_83_other_predictors_stand_at_their_means():
    d = gpa()
    m = mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d)
    f = mlm.group_lines(m, "ses", points=3)
    b = m.fixef()
    middle = f[f["grp"] == ""]
    expected = b["(Intercept)"] + b["ses"] * middle["x"] + b["clubs"] * d["clubs"].mean()
    assert_close(middle["predicted"], expected, ARITHMETIC)


def test_row_83_refusals(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    with pytest.raises(DataError, match="no predictor"):
        mlm.group_lines(m, "days")
    with pytest.raises(ArgumentError, match="grouping"):
        mlm.group_lines(m, "Days", by="Days")
    with pytest.raises(ArgumentError, match="points"):
        mlm.group_lines(m, "Days", points=1)


def test_row_84_slopes_within_and_between():
    d = gpa()
    f = mlm.within_between_lines(d, "gpa", "ses", "schoolnr")
    slopes = f.groupby("kind")["slope"].first()
    # Row 22's within slope; the between slope by hand from the group means.
    assert round(slopes["within"], 7) == 0.3598268
    means = d.groupby("schoolnr", observed=True)[["gpa", "ses"]].mean()
    assert slopes["between"] == pytest.approx(np.polyfit(means["ses"], means["gpa"], 1)[0])
    assert slopes["pooled"] == pytest.approx(np.polyfit(d["ses"], d["gpa"], 1)[0])
    between = f[f["kind"] == "between"]
    drawn = np.diff(between["y"]) / np.diff(between["x"])
    assert drawn[0] == pytest.approx(slopes["between"])


def test_row_84_a_predictor_without_within_variation():
    d = pd.DataFrame({"y": [1.0, 2, 3, 4], "z": [0.0, 0, 1, 1], "g": list("aabb")})
    with pytest.raises(DataError, match="does not vary within"):
        mlm.within_between_lines(d, "y", "z", "g")


def test_row_85_caterpillar(g3):
    f = mlm.shrinkage(g3).ranked()
    assert f["condval"].is_monotonic_increasing
    assert f["rank"].tolist() == list(range(28, 0, -1))
    assert np.all(f["conf_low"] < f["condval"])


def test_row_86_pooling_comparison_has_three_estimates_a_group(sleepstudy):
    f = mlm.pooling("Reaction ~ Days", sleepstudy, "Subject").to_frame()
    assert f[["complete", "no_pooling", "partial"]].notna().all(axis=None)


def test_row_87_residuals_by_group(mep):
    found = mlm.residuals_by_group("y ~ x", mep, "Nationality")
    points = found.points()
    assert len(points) == 6948
    means = points.groupby("grp")["residual"].mean()
    assert_close(means.loc[list(found.grp)], found.mean, ROUND_TRIP * 100)


def test_row_88_variance_function_of_the_random_slope():
    d = gpa()
    m = mlm.lmer("gpa ~ ses + (1 + ses | schoolnr)", d, reml=False)
    T = m.varcorr().matrix("schoolnr").to_numpy()
    f = mlm.variance_function(m, "ses").to_frame()
    x = f["x"].to_numpy()
    hand = T[0, 0] + 2 * x * T[0, 1] + x**2 * T[1, 1] + m.sigma**2
    assert_close(f["total"], hand, ARITHMETIC)
