"""Criteria, R², ICC and errors of models side by side against R's performance."""

import warnings

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, ComparisonError
from tests.native import OPTIMUM, assert_close, assert_fits_close, native, needs_r

needs_r("performance")

#: The optimum of a glmer in two processes.
GLMM = 1e-5

CODE = """
suppressMessages(library(performance))
quiet <- function(x) suppressWarnings(suppressMessages(x))
m0 <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
m1 <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
ml <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy, REML = FALSE)
plain <- lm(Reaction ~ Days, sleepstudy)
binomial <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
row <- function(m, ...) as.list(quiet(model_performance(m, ...)))
emit(list(one = list(m0 = row(m0), m1 = row(m1), ml = row(ml, estimator = "ML"), plain = row(plain),
                     binomial = row(binomial)),
  several = as.list(as.data.frame(quiet(compare_performance(m0, m1, ml, metrics = "all"))))))
"""
COLUMNS = {
    "AIC": "aic", "AICc": "aicc", "BIC": "bic", "R2_conditional": "r2_conditional",
    "R2_marginal": "r2_marginal", "ICC": "icc", "RMSE": "rmse", "Sigma": "sigma", "R2": "r2",
    "R2_adjusted": "r2_adjusted", "AIC_wt": "aic_weight", "AICc_wt": "aicc_weight",
    "BIC_wt": "bic_weight",
}  # fmt: skip


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def models():
    data = mlm.load_dataset("sleepstudy")
    cbpp = mlm.load_dataset("cbpp")
    return {
        "m0": mlm.lmer("Reaction ~ Days + (1 | Subject)", data),
        "m1": mlm.lmer("Reaction ~ Days + (Days | Subject)", data),
        "ml": mlm.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False),
        "plain": mlm.lm("Reaction ~ Days", data),
        "binomial": mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp),
    }


@pytest.mark.parametrize("name", ["m0", "m1", "ml", "plain", "binomial"])
def test_one_model_as_model_performance(models, theirs, name):
    ours = mlm.compare_performance(models[name]).to_frame().iloc[0]
    compared = 0
    for column, value in theirs["one"][name].items():
        if column in COLUMNS:
            fit = GLMM if name == "binomial" else OPTIMUM
            assert_fits_close(ours[COLUMNS[column]], value, fit, column)
            compared += 1
    assert compared >= 7
    assert ours["nobs"] == models[name].nobs


def test_several_as_compare_performance(models, theirs):
    three = [models[n] for n in ("m0", "m1", "ml")]
    found = mlm.compare_performance(*three, names=["m0", "m1", "ml"])
    ours, r = found.to_frame(), theirs["several"]
    assert list(ours.index) == r["Name"]
    for column in set(COLUMNS) & set(r):
        # A weight is the exponential of half a difference of criteria.
        fit = GLMM if column.endswith("_wt") else OPTIMUM
        assert_fits_close(ours[COLUMNS[column]], r[column], fit, column)
    assert "m0, m1 fitted by REML" in str(found)
    assert "AIC_wt" in r


def test_models_of_every_class_stand_together(models):
    data = mlm.load_dataset("sleepstudy")
    lme = mlm.lme("Reaction ~ Days", data, random="~ 1 | Subject", reml=False)
    gls = mlm.gls("Reaction ~ Days", data, reml=False)
    glm = mlm.glm("Reaction ~ Days", data, family="gaussian")
    found = mlm.compare_performance(models["ml"], lme, gls, models["plain"], glm).to_frame()
    for column in ("aicc", "r2_conditional", "r2_marginal", "icc", "sigma"):
        assert_close(found.loc["m1", column], found.loc["m0", column], GLMM, column)
    assert_close(found.loc["m2", "aicc"], found.loc["m3", "aicc"], GLMM)
    assert np.isnan(found.loc["m2", "icc"])
    assert_close(found["aic_weight"].sum(), 1.0)


def test_aicc_by_hand_and_of_the_systems(models):
    m = models["ml"]
    k, n = 4, 180
    by_hand = -2 * m.loglik + 2 * k * n / (n - k - 1)
    assert_close(mlm.information_criteria(m).aicc, by_hand)
    assert_close(mlm.compare_performance(m).aicc[0], by_hand)
    reml = models["m0"]
    q, rows = 2, 178  # SAS and SPSS count variances, and rows less the rank of X
    counted = -2 * reml.loglik + 2 * q * rows / (rows - q - 1)
    for system in ("SAS", "SPSS"):
        assert_close(mlm.information_criteria(reml, flavour=system).aicc, counted)
    assert "aicc" in mlm.information_criteria(m).to_frame()


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_a_singular_fit_has_an_icc_where_performance_has_none():
    data = mlm.load_dataset("sleepstudy")
    data["y"] = np.tile([1.0, -1.0, 0.5, -0.5, 0.2], 36)
    found = mlm.compare_performance(mlm.lmer("y ~ Days + (1 | Subject)", data)).to_frame().iloc[0]
    assert found["icc"] == pytest.approx(0)
    assert found["r2_conditional"] == pytest.approx(found["r2_marginal"])


def test_counts_are_performance_s_and_a_note_says_so():
    ticks = mlm.load_dataset("grouseticks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = mlm.glmer("TICKS ~ YEAR + (1 | BROOD)", ticks, family="poisson")
    found = mlm.compare_performance(m)
    assert "pymlm.icc(m)" in str(found)
    r2 = mlm.r2(m)
    assert_close(found.icc[0], (r2.conditional - r2.marginal) / (1 - r2.marginal))


def test_too_few_rows_have_no_aicc():
    data = mlm.load_dataset("sleepstudy").iloc[[0, 1, 2, 13]]
    found = mlm.compare_performance(mlm.lm("Reaction ~ Days", data))
    assert np.isnan(found.aicc[0])


def test_what_is_refused(models):
    data = mlm.load_dataset("sleepstudy")
    m1, ml = models["m1"], models["ml"]
    less = mlm.lm("Reaction ~ Days", data.iloc[:-1])
    other = mlm.lm("log(Reaction) ~ Days", data)
    mean = mlm.lmer("Reaction ~ 1 + (1 | Subject)", data)
    for call, says in (
        (lambda: mlm.compare_performance(m1, less), "different rows"),
        (lambda: mlm.compare_performance(m1, other), "different responses"),
        (lambda: mlm.compare_performance(m1, mean, estimator="REML"), "REML likelihoods"),
        (lambda: mlm.compare_performance(m1, mlm.lm("Reaction ~ Days", data.iloc[::-1])), "order"),
    ):
        with pytest.raises(ComparisonError, match=says):
            call()
    for call, says in (
        (lambda: mlm.compare_performance("m"), "needs a fitted model"),
        (lambda: mlm.compare_performance(m1, ml, names=["a"]), "2 different names"),
        (lambda: mlm.compare_performance(m1, ml, estimator="MAP"), "not one of"),
    ):
        with pytest.raises(ArgumentError, match=says):
            call()
    assert len(mlm.compare_performance(m1, ml)) == 2
