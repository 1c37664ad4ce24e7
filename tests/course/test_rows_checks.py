"""Checklist row 90: the checks of a linear mixed model's assumptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.course.lecture_data import GPA_IN_R
from tests.native import assert_fits_close as assert_close
from tests.native import native, needs_r
from tests.tolerances import BY_HAND, FLAT_CRITERION, FLAT_TAIL

needs_r("performance")

CODE = (
    GPA_IN_R
    + """
m <- lmer(gpa ~ ses + clubs + (1 | schoolnr), d)
suppressMessages(library(performance))
r <- residuals(m, type = "pearson", scaled = TRUE)
u <- residuals(m)^2 / mean(residuals(m)^2)
score <- pchisq(anova(lm(u ~ fitted(m)))[1, 2] / 2, 1, lower.tail = FALSE)
s <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
Z <- as.matrix(getME(s, "Z")); X <- getME(s, "X"); L <- as.matrix(getME(s, "Lambda"))
W <- solve(diag(180) + tcrossprod(Z %*% L)) # sigma^2 V^-1; residuals have covariance sigma^2 P
P <- W - W %*% X %*% solve(t(X) %*% W %*% X, t(X) %*% W)
e <- residuals(s) / sigma(s); a <- which(sleepstudy$Days < 9)
serial <- t.test(tapply(e[a] * e[a + 1] - P[cbind(a, a + 1)], sleepstudy$Subject[a], sum))
quiet <- function(x) as.numeric(suppressMessages(suppressWarnings(x)))[1]
emit(list(
  checks = c(quiet(check_normality(m)), score,
             fligner.test(r, d$schoolnr)$p.value,
             shapiro.test(ranef(m)$schoolnr[[1]])$p.value),
  serial = unname(c(serial$statistic, serial$p.value)),
  qq = unname(qqnorm(r, plot.it = FALSE)$x)
))
"""
)


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def fit(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d)


#: Deviations from the median of an even group are tied in pairs, which rounding breaks anyhow.
TIES = 0.05


def test_row_90_checks(fit: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.check_assumptions(fit).to_frame()["p_value"]
    ours = [
        found["normal residuals"],
        found["constant residual variance"],
        found["equal residual variance across schoolnr"],
        found["normal random effects schoolnr: (Intercept)"],
    ]
    assert_close(ours[:2] + ours[3:], r["checks"][:2] + r["checks"][3:], FLAT_TAIL)
    assert_close(ours[2], r["checks"][2], TIES)


def test_row_90_independence_by_hand(r: Any) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    found = mlm.check_assumptions(m).to_frame().loc["independence within Subject"]
    assert_close(
        [found["statistic"], found["p_value"]], r["serial"], FLAT_CRITERION
    )  # theta, optimized


def test_row_90_true_models_pass() -> None:
    """Residuals of a group are correlated by estimation; a scale of 10 is no heteroscedasticity."""
    rng = np.random.default_rng(11)
    g, x = np.repeat(np.arange(50), 4), np.tile(np.arange(4.0), 50)
    d = pd.DataFrame(
        {"y": 10 * (x + rng.normal(size=50)[g] + rng.normal(size=200)), "x": x, "g": g}
    )
    m = mlm.lmer("y ~ x + (1 | g)", d)
    p = pd.DataFrame(
        [mlm.check_assumptions(m.refit(y)).to_frame()["p_value"]
         for _, y in m.simulate(30, seed=1).items()]
    )  # fmt: skip
    # 30 draws at the level of .05: 6 or more rejections have a probability of .003
    assert ((p < 0.05).sum() < 6).all()


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_row_90_a_constant_prediction_has_no_curve() -> None:
    d = pd.DataFrame({"y": np.tile([1.0, 2.0, 4.0, 3.0], 9), "g": np.repeat(np.arange(9), 4)})
    found = mlm.check_assumptions(mlm.lmer("y ~ 1 + (1 | g)", d)).to_frame()
    assert np.isnan(found.loc["linearity", "p_value"])
    assert found.loc["normal residuals", "p_value"] > 0


def test_row_90_data_for_plots(fit: mlm.LinearMixedModel, d: pd.DataFrame, r: Any) -> None:
    found = mlm.check_assumptions(fit)
    rows = found.residuals
    assert rows.index.equals(d.index)
    assert_close(rows["residual"], fit.residuals("scaled"), BY_HAND)
    assert_close(np.sort(rows["normal_quantile"]), np.sort(r["qq"]), BY_HAND)
    assert (rows["schoolnr"].astype(str) == d["schoolnr"].astype(str)).all()
    modes = found.random_effects
    assert_close(modes["mode"], fit.ranef()["schoolnr"]["(Intercept)"])


def test_row_90_sees_what_is_wrong() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(60), 15)
    x = rng.uniform(-2, 2, size=900)
    u = rng.normal(size=60)[g]
    curved = pd.DataFrame({"y": x + 0.8 * x**2 + u + rng.normal(size=900), "x": x, "g": g})
    found = mlm.check_assumptions(mlm.lmer("y ~ x + (1 | g)", curved)).to_frame()
    fine = curved.assign(y=x + u + rng.normal(size=900))
    good = mlm.check_assumptions(mlm.lmer("y ~ x + (1 | g)", fine)).to_frame()
    noise = rng.normal(size=900)
    for i in range(1, 900):
        if g[i] == g[i - 1]:
            noise[i] += 0.7 * noise[i - 1]
    serial = curved.assign(y=x + u + noise)
    dependent = mlm.check_assumptions(mlm.lmer("y ~ x + (1 | g)", serial)).to_frame()
    p = "p_value"
    assert dependent.loc["independence within g", p] < 1e-6
    assert good.loc["normal residuals", p] > 0.01
    assert found.loc["normal residuals", p] < good.loc["normal residuals", p]
    spread = curved.assign(y=x + u + rng.normal(size=900) * np.where(g < 30, 0.3, 3.0))
    unequal = mlm.check_assumptions(mlm.lmer("y ~ x + (1 | g)", spread)).to_frame()
    assert unequal.loc["equal residual variance across g", p] < 1e-10
    assert good.loc["equal residual variance across g", p] > 1e-3
