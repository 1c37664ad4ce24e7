"""Checklist rows 28, 30, 32 to 39, 55: variance partition, design effects, what a model implies."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    AdviceWarning,
    ArgumentError,
    DataError,
    NotSupportedError,
    SingularFitWarning,
)
from pymlm.multilevel.icc_intervals import _logit_interval
from tests.course.lecture_data import GPA_IN_R, OPTIMIZED
from tests.native import ROUND_TRIP, native, needs_r
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND, FLAT_CRITERION, FLAT_TAIL, OTHER_OPTIMIZER

CODE = (
    GPA_IN_R
    + """
m0 <- lmer(gpa ~ 1 + (1 | schoolnr), d)
ms <- lme4::lmer(gpa ~ ses * clubs + (1 + ses | schoolnr), d, REML = FALSE)
A <- getME(ms, "A")
V <- sigma(ms)^2 * (crossprod(A) + Matrix::Diagonal(ncol(A)))
rows <- which(d$schoolnr == "47")
# The interval by brute force: the ICC as a function of theta, differentiated numerically.
icc_of_theta <- function(theta, z) {
  L <- matrix(0, 2, 2); L[lower.tri(L, TRUE)] <- theta
  tau <- sum((t(L) %*% z)^2); tau / (tau + 1)
}
brute <- function(model, z) {
  t0 <- getME(model, "theta")
  f <- if (length(t0) == 1) function(t) t^2 / (t^2 + 1) else function(t) icc_of_theta(t, z)
  eps <- 1e-5
  g <- sapply(seq_along(t0), function(i) { h <- replace(numeric(length(t0)), i, eps)
    (f(t0 + h) - f(t0 - h)) / (2 * eps) })
  v <- as_lmerModLmerTest(model)@vcov_varpar[seq_along(t0), seq_along(t0), drop = FALSE]
  p <- f(t0); se <- sqrt(drop(t(g) %*% v %*% g))
  w <- qnorm(.975) * se / (p * (1 - p))
  unname(c(p, se, plogis(qlogis(p) + c(-1, 1) * w)))
}
suppressMessages(library(performance))
crossed <- lme4::lmer(attain ~ sex + (1 | primary) + (1 | second), mlmRev::ScotsSec)
v <- as.data.frame(VarCorr(crossed))$vcov
glmm <- glmer(incidence / size ~ period + (1 | herd), weights = size, data = cbpp,
              family = binomial)
emit(list(
  empty = brute(m0, 1), slope0 = brute(ms, c(1, 0)), slope1 = brute(ms, c(1, 1.5)),
  performance = performance::icc(m0)$ICC_adjusted,
  vp = insight::get_variance(ms)[c("var.random", "var.residual")],
  V = unname(as.matrix(V[rows, rows])), crossed = v,
  glmm = performance::icc(glmm)$ICC_adjusted
))
"""
)


@pytest.fixture(scope="module")
def r() -> Any:
    needs_r("performance")
    return native(CODE)


@pytest.fixture(scope="module")
def empty(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ 1 + (1 | schoolnr)", d)


@pytest.fixture(scope="module")
def slope(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ ses * clubs + (1 + ses | schoolnr)", d, reml=False)


def matrix(x: Any) -> Any:
    return np.array(x["values"], dtype=float)


def test_row_28_variance_function(slope: mlm.LinearMixedModel) -> None:
    v = slope.varcorr().matrix("schoolnr").to_numpy()
    found = mlm.variance_function(slope, "ses", at=[-2.0, 0.0, 3.0])
    by_hand = [v[0, 0] + 2 * x * v[0, 1] + x**2 * v[1, 1] for x in (-2.0, 0.0, 3.0)]
    assert_close(found.between, by_hand)
    assert_close(found.total, np.array(by_hand) + slope.sigma**2)
    assert_close(found.minimum_at, -v[0, 1] / v[1, 1])
    grid = mlm.variance_function(slope, "ses", points=5)
    assert len(grid.x) == 5
    with pytest.raises(ArgumentError, match="no random slope"):
        mlm.variance_function(slope, "clubs")


def test_row_28_is_the_diagonal_of_v(slope: mlm.LinearMixedModel, d: pd.DataFrame) -> None:
    v = mlm.implied_covariance(slope, group="47")
    x = d.loc[v.index, "ses"]
    assert_close(np.diag(v), mlm.variance_function(slope, "ses", at=x).total, ROUND_TRIP)


def test_row_30_implied_covariance(slope: mlm.LinearMixedModel, r: Any) -> None:
    v = mlm.implied_covariance(slope, group="47")
    assert_close(v.to_numpy(), matrix(r["V"]), OPTIMIZED)


def test_row_30_four_students_in_two_schools(empty: mlm.LinearMixedModel, d: pd.DataFrame) -> None:
    first = d.groupby("schoolnr", observed=True, sort=False).head(2).index[:4]
    tau, sigma2 = empty.varcorr().variance("schoolnr"), empty.sigma**2
    block = np.array([[tau + sigma2, tau], [tau, tau + sigma2]])
    zero = np.zeros((2, 2))
    by_hand = np.block([[block, zero], [zero, block]])
    v = mlm.implied_covariance(empty, rows=list(first))
    assert_close(v.to_numpy(), by_hand)
    assert v.index.tolist() == list(first)
    corr = mlm.implied_covariance(empty, rows=list(first), correlation=True).to_numpy()
    # The correlation within a school is the ICC: row 32.
    assert_close(corr[0, 1], float(mlm.icc(empty, ci=None)))


def test_row_30_prior_weights_divide_the_residual_variance(d: pd.DataFrame) -> None:
    w = np.where(np.arange(len(d)) % 2 == 0, 1.0, 4.0)
    m = mlm.lmer("gpa ~ 1 + (1 | schoolnr)", d, weights=w)
    v = mlm.implied_covariance(m, rows=list(d.index[:2])).to_numpy()
    assert_close(v[0, 0] - v[1, 1], m.sigma**2 * (1 - 1 / 4))


def test_row_32_icc(empty: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.icc(empty, ci=None)
    assert_close(found.icc, r["performance"], OPTIMIZED)
    assert not found.conditional
    assert math.isnan(found.std_error[0])


def test_row_32_hermansen_s_share(course: Path) -> None:
    mep = pd.read_csv(course / "data" / "hermansen_mep.csv")
    m = mlm.lmer("y ~ x + (1 | Nationality)", mep)
    found = mlm.icc(m, ci=None)
    assert abs(float(found) - 3.125 / (3.125 + 5.240)) < 5e-5  # the printed variances
    assert found.conditional


def test_row_32_hoffman_s_empty_model(course: Path) -> None:
    h = pd.read_csv(course / "data" / "hoffman_templin_modelingData.csv")
    m = mlm.lmer("sumScore ~ 1 + (1 | schoolID)", h, reml=False)
    assert f"{float(mlm.icc(m, ci=None)):.3f}" == "0.159"


def test_row_33_icc_of_a_predictor(d: pd.DataFrame) -> None:
    found = mlm.icc_of(d, ["ses", "gpa"], by="schoolnr")
    assert np.round(found.icc, 4).tolist() == [0.2949, 0.2332]
    assert found.level == ("ses", "gpa")


def test_row_34_three_levels_accumulate() -> None:
    m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("lme4::Pastes"))
    found = mlm.icc(m, ci=None)
    assert np.round(found.icc, 4).tolist() == [0.1539, 0.9370]
    assert found.level == ("batch", "cask:batch")
    part = mlm.variance_partition(m)
    assert_close(part.cumulative[:2], found.icc)
    assert_close(part.proportion.sum(), 1.0)
    tau = m.varcorr()
    assert np.round([tau.variance("cask:batch"), tau.variance("batch"), tau.variance("Residual")],
                    3).tolist() == [8.434, 1.657, 0.678]  # fmt: skip


def test_row_34_crossed_factors_stand_alone(r: Any) -> None:
    m = mlm.lmer(
        "attain ~ sex + (1 | primary) + (1 | second)", mlm.load_dataset("mlmRev::ScotsSec")
    )
    found = dict(zip(*(lambda i: (i.level, i.icc))(mlm.icc(m, ci=None)), strict=True))
    primary, second, residual = r["crossed"]
    total = primary + second + residual
    assert_close(found["primary"], primary / total, FLAT_CRITERION)
    assert_close(found["second"], second / total, FLAT_CRITERION)


def test_row_34_at_values_of_a_slope(slope: mlm.LinearMixedModel, r: Any) -> None:
    assert_close(mlm.icc(slope, ci=None).icc, r["slope0"][0], FLAT_CRITERION)
    assert_close(mlm.icc(slope, at={"ses": 1.5}, ci=None).icc, r["slope1"][0], FLAT_CRITERION)
    with pytest.raises(ArgumentError, match="Did you mean 'ses'"):
        mlm.icc(slope, at={"sess": 1})


def test_row_34_mean_variance_over_the_rows(slope: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.variance_partition(slope)
    assert_close(found.variance, list(r["vp"].values()), FLAT_CRITERION)
    at_zero = mlm.variance_partition(slope, at={})
    assert_close(at_zero.variance[0], slope.varcorr().variance("schoolnr"))


@pytest.mark.parametrize(("name", "at"), [("slope0", None), ("slope1", {"ses": 1.5})])
def test_row_35_interval_by_the_delta_method(
    slope: mlm.LinearMixedModel, r: Any, name: str, at: dict[str, float] | None
) -> None:
    found = mlm.icc(slope, at=at)
    estimate, se, low, high = r[name]
    # lmerTest's Hessian is numerical, and the optimum stops where it stops.
    assert_close([found.icc[0], found.std_error[0]], [estimate, se], FLAT_TAIL)
    assert_close([found.conf_low[0], found.conf_high[0]], [low, high], FLAT_TAIL)


def test_row_35_interval_of_the_empty_model(empty: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.icc(empty)
    assert_close([found.icc[0], found.std_error[0], found.conf_low[0], found.conf_high[0]],
                 r["empty"], FLAT_CRITERION)  # fmt: skip


@pytest.mark.slow
def test_row_35_bootstrap_interval(empty: mlm.LinearMixedModel) -> None:
    found = mlm.icc(empty, ci="boot", nsim=200, seed=1)
    delta = mlm.icc(empty)
    again = mlm.icc(empty, ci="boot", nsim=200, seed=1)
    assert_close(found.conf_low, again.conf_low)  # the seed holds
    # Standard error of a standard deviation from 200 draws: 5 %; four of them.
    assert abs(found.std_error[0] / delta.std_error[0] - 1) < 0.2
    assert abs(found.conf_low[0] - 0.197) < 0.03  # performance's bootstrap: .197 to .269 or so
    assert abs(found.conf_high[0] - delta.conf_high[0]) < 0.03


def test_row_35_singular_fit_has_an_icc_of_zero(d: pd.DataFrame) -> None:
    noise = d.assign(y=np.tile([1.0, -1.0, 0.5], 763)[: len(d)])
    with pytest.warns(SingularFitWarning):
        m = mlm.lmer("y ~ 1 + (1 | schoolnr)", noise)
    assert float(mlm.icc(m, ci=None)) == 0.0
    with pytest.warns(AdviceWarning, match="no interval at the boundary"):
        found = mlm.icc(m)
    assert math.isnan(found.conf_low[0])
    boot = mlm.icc(m, ci="boot", nsim=30, seed=1)
    assert boot.conf_low[0] == 0.0
    assert 0 < boot.conf_high[0] < 0.05


def test_row_34_no_random_intercept_says_so() -> None:
    """All dummies of a factor at 0 is no place to be: an ICC of 0 there is no finding."""
    m = mlm.lmer("score ~ Machine + (0 + Machine | Worker)", mlm.load_dataset("nlme::Machines"))
    with pytest.warns(
        AdviceWarning, match="no random intercept: at 0 of MachineA, MachineB"
    ) as said:
        mlm.icc(m)
    assert len(said) == 1
    there = m.varcorr().matrix("Worker").loc["MachineA", "MachineA"]
    assert_close(mlm.icc(m, at={"MachineA": 1}).icc, there / (there + m.sigma**2))


def test_row_35_an_icc_of_next_to_nothing_has_the_whole_line() -> None:
    p, error = 1e-7, 0.01
    assert _logit_interval(p, error, 0.95) == (error, 0.0, 1.0)


def test_row_32_of_a_binomial_model_is_latent(r: Any) -> None:
    cbpp = mlm.load_dataset("lme4::cbpp")
    m = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp,
                  family="binomial")  # fmt: skip
    found = mlm.icc(m, ci=None)
    assert_close(found.icc, r["glmm"], FLAT_CRITERION)
    assert_close(found.total - found.variance[0], math.pi**2 / 3)
    with pytest.raises(NotSupportedError, match="linear"):
        mlm.icc(m, ci="delta")
    assert mlm.icc(m).method is None
    identity = mlm.glmer("size ~ 1 + (1 | herd)", cbpp, family="poisson", link="identity")
    with pytest.raises(NotSupportedError, match="level-1 variance"):
        mlm.icc(identity, ci=None)


def test_row_36_design_effect() -> None:
    assert mlm.design_effect(icc=0.30, n=5).design_effect[0] == pytest.approx(2.20)
    assert mlm.design_effect(icc=0.05, n=20).design_effect[0] == pytest.approx(1.95)
    assert math.isnan(mlm.design_effect(icc=0.05, n=20).effective_n[0])


def test_row_37_effective_n() -> None:
    patients = mlm.design_effect(icc=0.30, n=5, n_groups=100)
    students = mlm.design_effect(icc=0.05, n=20, n_groups=50)
    assert round(patients.effective_n[0]) == 227
    assert round(students.effective_n[0]) == 513
    assert (patients.n, students.n) == (500, 1000)


def test_row_38_unequal_groups_by_hand() -> None:
    sizes = [2, 3, 10]
    found = mlm.design_effect(icc=0.2, n=sizes)
    mean, variance = np.mean(sizes), np.var(sizes, ddof=1)
    assert_close(found.size, mean - variance / (3 * mean))
    assert_close(found.design_effect, 1 + (found.size - 1) * 0.2)
    assert_close(found.kish_design_effect, 1 + (113 / 15 - 1) * 0.2)
    equal = mlm.design_effect(icc=0.2, n=[5, 5, 5])
    assert_close(equal.size, 5.0)
    assert_close(equal.kish_design_effect, equal.design_effect)


def test_row_38_kish_is_the_variance_of_the_plain_mean() -> None:
    """var(mean) = 1'V1 / N², against total / N for a simple random sample."""
    sizes, rho = [1, 4, 7, 12], 0.3
    n = sum(sizes)
    variance = sum(k + k * (k - 1) * rho for k in sizes) / n**2  # total variance 1
    assert_close(mlm.design_effect(icc=rho, n=sizes).kish_design_effect, variance * n)


def test_row_38_of_a_model(empty: mlm.LinearMixedModel, d: pd.DataFrame) -> None:
    sizes = d.groupby("schoolnr", observed=True).size().to_numpy()
    found = mlm.design_effect(empty)
    by_hand = mlm.design_effect(icc=float(mlm.icc(empty, ci=None)), n=sizes)
    assert_close(found.design_effect, by_hand.design_effect)
    assert_close(found.kish_effective_n, by_hand.kish_effective_n)
    assert found.level == ("schoolnr",)


def test_row_39_moulton(d: pd.DataFrame) -> None:
    with pytest.warns(AdviceWarning, match="differ in size"):
        found = mlm.moulton(data=d, outcome="gpa", x="ses", by="schoolnr")
    assert f"{found.std_error:.5f}" == "0.01955"
    assert f"{found.corrected:.5f}" == "0.02855"
    assert_close(found.std_error, mlm.lm("gpa ~ ses", d).summary().fixed.std_error[1], BY_HAND)
    assert_close(float(mlm.moulton(0.5, 0.2, 11)), math.sqrt(2.0))
    assert float(mlm.moulton(0, 0.5, 100)) == 1.0  # no variance of x between groups, no harm


def test_row_39_moulton_holds_for_equal_groups_by_algebra() -> None:
    """For x constant within groups (VPC 1) the OLS variance is inflated by 1 + rho(n − 1)."""
    n, groups, rho = 6, 40, 0.25
    x = np.repeat(np.linspace(-1, 1, groups), n)
    V = np.kron(np.eye(groups), np.full((n, n), rho) + (1 - rho) * np.eye(n))
    X = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(X.T @ X)
    ratio = (bread @ X.T @ V @ X @ bread)[1, 1] / bread[1, 1]
    assert_close(float(mlm.moulton(1, rho, n)) ** 2, ratio, BY_HAND)


def test_row_55_true_variance() -> None:
    assert mlm.true_variance(4.65, 7.06, 4) == pytest.approx(2.885)  # printed 2.88
    assert mlm.true_variance(4.65, 2.17, 4) == pytest.approx(4.1075)  # printed 4.10
    assert math.floor(mlm.true_variance(4.65, 2.17, 4) * 100) / 100 == 4.10


def test_row_55_holds_in_a_balanced_model() -> None:
    """tau² of an empty REML model = variance of the group means − sigma²/n, exactly."""
    dye = mlm.load_dataset("lme4::Dyestuff")
    m = mlm.lmer("Yield ~ 1 + (1 | Batch)", dye)
    observed = dye.groupby("Batch", observed=True)["Yield"].mean().var()
    tau = mlm.true_variance(observed, m.sigma**2, 5)
    assert_close(tau, m.varcorr().variance("Batch"), OTHER_OPTIMIZER)


def test_bad_numbers_and_models_are_refused(empty: mlm.LinearMixedModel) -> None:
    for kwargs in ({"icc": 1.2, "n": 5}, {"icc": 0.1, "n": 0}, {"icc": 0.1}, {}):
        with pytest.raises(ArgumentError):
            mlm.design_effect(**kwargs)
    with pytest.raises(ArgumentError, match="mixed model"):
        mlm.icc("no model")  # type: ignore[arg-type]  # what a user might pass
    with pytest.raises(ArgumentError, match="no group"):
        mlm.implied_covariance(empty, group="9999")
    with pytest.raises(ArgumentError, match="not among"):
        mlm.implied_covariance(empty, rows=["x"])
    with pytest.raises(DataError):
        mlm.icc_of(pd.DataFrame({"x": ["a", "b"], "g": [1, 2]}), "x", by="g")
    assert float(mlm.icc(empty, ci=None)) > 0.2


def test_results_survive_json(empty: mlm.LinearMixedModel) -> None:
    found = mlm.icc(empty)
    again = type(found).from_json(found.to_json())
    assert_close(again.icc, found.icc)
    assert again.level == found.level
