"""Hypotheses, comparisons, elasticities, weights and covariances of averages over the data.

The reference writes each quantity as a function of the coefficients and takes its Jacobian by
Richardson extrapolation (numDeriv), in a native R; some numbers are marginaleffects' own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import assert_fits_close, native

#: Central differences of slopes, and numDeriv's extrapolation, leave about eight digits.
DIFFERENCES = 1e-6
#: Satterthwaite's df come from numerical derivatives at each process's optimum.
DF = 1e-5
#: The same numbers by another way: what arithmetic in double precision loses.
ROUNDING = 1e-10
#: marginaleffects prints three significant digits.
PRINTED = 5e-3

REFERENCE = r"""
delta <- function(f, b, V) {
  J <- numDeriv::jacobian(f, b)
  list(unname(f(b)), sqrt(diag(J %*% V %*% t(J))))
}
out <- list()
lg <- plogis

# logistic regression
g <- glm(am ~ log(hp) * qsec, binomial, mtcars)
gx <- function(d) model.matrix(delete.response(terms(g)), d)
b <- coef(g); V <- vcov(g); w <- mtcars$wt
at <- function(d, b) lg(drop(gx(d) %*% b))
plus <- transform(mtcars, hp = hp + 10)
hi <- function(b) at(plus, b); lo <- function(b) at(mtcars, b)
odds <- function(p) p / (1 - p)
out$ratio <- delta(function(b) mean(hi(b)) / mean(lo(b)), b, V)
out$lnratio <- delta(function(b) log(mean(hi(b)) / mean(lo(b))), b, V)
out$lnor <- delta(function(b) log(odds(mean(hi(b))) / odds(mean(lo(b)))), b, V)
out$lift <- delta(function(b) mean(hi(b) - lo(b)) / mean(lo(b)), b, V)
out$difference <- delta(function(b) mean(hi(b) - lo(b)), b, V)
out$row_ratio <- delta(function(b) hi(b) / lo(b), b, V)
out$by_ratio <- lapply(split(seq_len(32), mtcars$gear), function(i)
  delta(function(b) mean(hi(b)[i]) / mean(lo(b)[i]), b, V))
out$weighted <- delta(function(b) weighted.mean(hi(b), w) / weighted.mean(lo(b), w), b, V)
out$weighted_mean <- delta(function(b) weighted.mean(lo(b), w), b, V)
d1 <- function(b) { # (Intercept), log(hp), qsec, log(hp):qsec
  p <- lo(b)
  p * (1 - p) * (b[2] + b[4] * mtcars$qsec) / mtcars$hp
}
out$dydx <- delta(function(b) mean(d1(b)), b, V)
out$eyex <- delta(function(b) mean(d1(b) * mtcars$hp / lo(b)), b, V)
out$eydx <- delta(function(b) mean(d1(b) / lo(b)), b, V)
out$dyex <- delta(function(b) mean(d1(b) * mtcars$hp), b, V)
out$row_eyex <- delta(function(b) d1(b) * mtcars$hp / lo(b), b, V)

# errors that are robust, in each class
mean_of <- function(b) mean(lo(b))
out$glm_HC3 <- delta(mean_of, b, sandwich::vcovHC(g, "HC3"))
out$glm_clusters <- delta(mean_of, b, sandwich::vcovCL(g, mtcars$cyl))
q <- lm(mpg ~ hp * factor(gear), mtcars)
qx <- function(d) model.matrix(delete.response(terms(q)), d, xlev = q$xlevels)
step <- function(b) mean(drop((qx(transform(mtcars, hp = hp + 1)) - qx(mtcars)) %*% b))
out$lm_HC0 <- delta(step, coef(q), sandwich::vcovHC(q, "HC0"))
out$lm_HAC <- delta(step, coef(q), sandwich::NeweyWest(q))
out$lm_clusters <- delta(step, coef(q), sandwich::vcovCL(q, mtcars$cyl))
out$lm_CR2 <- delta(step, coef(q), clubSandwich::vcovCR(q, mtcars$cyl, "CR2"))

# a mixed model: modes held
cb <- transform(cbpp, x = as.numeric(period))
cm <- glmer(cbind(incidence, size - incidence) ~ x + (1 | herd), cb, binomial)
zb <- as.numeric(crossprod(getME(cm, "Zt"), getME(cm, "b")))
X <- getME(cm, "X"); P <- X; P[, "x"] <- P[, "x"] + 1
out$glmer_lnor <- delta(function(b) { k <- mean(lg(P %*% b + zb)); l <- mean(lg(X %*% b + zb))
  log(odds(k) / odds(l)) }, fixef(cm), as.matrix(vcov(cm)))
four <- function(b) tapply(lg(drop(X %*% b) + zb), cb$period, mean)
pair <- which(lower.tri(diag(4)), arr.ind = TRUE)
V <- as.matrix(vcov(cm))
out$pairwise <- delta(function(b) { m <- four(b); m[pair[, 1]] - m[pair[, 2]] }, fixef(cm), V)
out$pair_ratio <- delta(function(b) { m <- four(b); m[pair[, 1]] / m[pair[, 2]] }, fixef(cm), V)
out$sequential <- delta(function(b) { m <- four(b); m[2:4] - m[1:3] }, fixef(cm), V)
out$reference <- delta(function(b) { m <- four(b); m[2:4] / m[1] }, fixef(cm), V)
out$revreference <- delta(function(b) { m <- four(b); m[1] - m[2:4] }, fixef(cm), V)
out$meandev <- delta(function(b) { m <- four(b); m - mean(m) }, fixef(cm), V)
out$meanotherdev <- delta(function(b) { m <- four(b); m / ((sum(m) - m) / 3) }, fixef(cm), V)
out$trt_vs_ctrl <- delta(function(b) { m <- four(b); mean(m[2:4]) - m[1] }, fixef(cm), V)
out$poly <- delta(function(b) drop(t(contr.poly(4)) %*% four(b)), fixef(cm), V)
out$helmert <- delta(function(b) drop(t(contr.helmert(4)) %*% four(b)), fixef(cm), V)
out$equation <- delta(function(b) {
  m <- four(b)
  sqrt(m[1] * m[2]) / m[3] - exp(m[4])
}, fixef(cm), V)
out$weights <- delta(function(b) drop(c(1, 1, -1, -1) %*% four(b)) / 2, fixef(cm), V)

# a linear mixed model: degrees of freedom, and clubSandwich
s <- lmerTest::lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy)
out$sat <- as.list(contest1D(s, c(0, 9, 81)))
out$kr <- as.list(contest1D(s, c(0, 9, 81), ddf = "Kenward-Roger"))
s4 <- lme4::lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy)
L <- c(0, 9, 81)
V <- clubSandwich::vcovCR(s4, type = "CR2")
out$lmer_CR2 <- list(sum(L * fixef(s4)), sqrt(drop(L %*% V %*% L)))

# a grid of all levels is that of emmeans
ck <- lmer(angle ~ recipe * temperature + (1 | recipe:replicate), cake)
em <- as.data.frame(emmeans::emmeans(ck, "recipe", lmer.df = "asymptotic"))
out$balanced <- list(em$emmean, em$SE)
emit(out)
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    cars, herds = mlm.load_dataset("datasets::mtcars"), mlm.load_dataset("cbpp")
    herds["x"] = herds["period"].astype(float)
    return {
        "glm": mlm.glm("am ~ log(hp) * qsec", cars),
        "lm": mlm.lm("mpg ~ hp * factor(gear)", cars),
        "glmer": mlm.glmer("cbind(incidence, size - incidence) ~ x + (1 | herd)", herds),
        "lmer": mlm.lmer(
            "Reaction ~ Days + I(Days^2) + (Days | Subject)", mlm.load_dataset("sleepstudy")
        ),
    }


def assert_same(found: Any, expected: Any) -> None:
    frame = found.to_frame()
    assert_fits_close(frame["estimate"], np.ravel(expected[0]), DIFFERENCES)
    assert_fits_close(frame["std_error"], np.ravel(expected[1]), DIFFERENCES)


STEP = {"hp": 10}
CASES = {
    **{
        c: ("glm", lambda m, c=c: m.avg_comparisons(STEP, comparison=c))
        for c in ("ratio", "lnratio", "lnor", "lift", "difference")
    },
    "row_ratio": ("glm", lambda m: m.comparisons(STEP, comparison="ratio")),
    "weighted": ("glm", lambda m: m.avg_comparisons(STEP, comparison="ratio", wts="wt")),
    "weighted_mean": ("glm", lambda m: m.avg_predictions(wts="wt")),
    **{
        s: ("glm", lambda m, s=s: m.avg_slopes("hp", slope=s))
        for s in ("dydx", "eyex", "eydx", "dyex")
    },
    "row_eyex": ("glm", lambda m: m.slopes("hp", slope="eyex")),
    "glm_HC3": ("glm", lambda m: m.avg_predictions(vcov="HC3")),
    "glm_clusters": ("glm", lambda m: m.avg_predictions(vcov="~ cyl")),
    "lm_HC0": ("lm", lambda m: m.avg_comparisons("hp", vcov="White")),
    "lm_HAC": ("lm", lambda m: m.avg_comparisons("hp", vcov="HAC")),
    "lm_clusters": ("lm", lambda m: m.avg_comparisons("hp", vcov="~ cyl")),
    "lm_CR2": ("lm", lambda m: m.avg_comparisons("hp", vcov=mlm.cluster_robust(m, by="cyl"))),
    "lmer_CR2": ("lmer", lambda m: m.avg_comparisons({"Days": [0, 9]}, vcov="CR2")),
    "glmer_lnor": ("glmer", lambda m: m.avg_comparisons("x", comparison="lnor")),
    **{
        name: ("glmer", lambda m, h=h: m.avg_predictions(by="period", hypothesis=h))
        for name, h in {
            "pairwise": "pairwise", "pair_ratio": "ratio ~ pairwise", "sequential": "~ sequential",
            "reference": "ratio~reference", "revreference": "revreference", "meandev": "meandev",
            "meanotherdev": "ratio ~ meanotherdev", "trt_vs_ctrl": "trt_vs_ctrl", "poly": "~poly",
            "helmert": "helmert", "equation": "sqrt(b1 * b2) / b3 = exp(b4)",
            "weights": [0.5, 0.5, -0.5, -0.5],
        }.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_as_a_function_of_the_coefficients(case: str, models: Any, reference: Any) -> None:
    kind, ask = CASES[case]
    assert_same(ask(models[kind]), reference[case])


def test_ratios_by_group(models: Any, reference: Any) -> None:
    found = models["glm"].avg_comparisons(STEP, by="gear", comparison="ratio").to_frame()
    for gear, numbers in reference["by_ratio"].items():
        row = found[found["gear"] == float(gear)].iloc[0]
        assert_fits_close([row["estimate"], row["std_error"]], np.ravel(numbers), DIFFERENCES)


@pytest.mark.parametrize(("ddf", "case"), [("Satterthwaite", "sat"), ("Kenward-Roger", "kr")])
def test_degrees_of_freedom_of_a_hypothesis(
    ddf: str, case: str, models: Any, reference: Any
) -> None:
    found = models["lmer"].avg_predictions({"Days": [0, 9]}, hypothesis="b2 = b1", ddf=ddf)
    theirs = reference[case]
    row = found.to_frame().iloc[0]
    for ours, name in {
        "estimate": "Estimate", "std_error": "Std. Error", "df": "df", "p_value": "Pr(>|t|)",
    }.items():  # fmt: skip
        assert_fits_close(row[ours], theirs[name], DF, name)


def test_a_grid_of_all_levels(reference: Any) -> None:
    cake = mlm.load_dataset("cake")
    m = mlm.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", cake)
    found = m.avg_predictions(by="recipe", newdata="balanced", re_form="NA")
    assert_same(found, reference["balanced"])


# --- printed by marginaleffects (its vignette "Hypothesis tests") ---------------------------------


@pytest.mark.parametrize(
    ("hypothesis", "printed"),
    [
        ("b1 = b2", (-6.93, 1.26, -5.49)),
        ([1, -1, 0, 0], (-6.93, 1.26, -5.49)),
        ("b1 + b2 = 30", (6.12, 1.64, 3.74)),
        ("(b2 - b1) / (b3 - b2) = 0", (-8.03, 17.0, -0.473)),
    ],
)
def test_published_hypotheses(hypothesis: Any, printed: Any) -> None:
    m = mlm.lm("mpg ~ am + vs", mlm.load_dataset("datasets::mtcars"))
    grid = {"am": [0, 1], "vs": [0, 1]}
    each = m.predictions(newdata=grid).to_frame()
    assert np.abs(each["estimate"] - [14.6, 21.5, 20.7, 27.6]).max() <= 0.05
    assert each[["am", "vs"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    row = m.predictions(newdata=grid, hypothesis=hypothesis).to_frame().iloc[0]
    for name, number in zip(("estimate", "std_error", "statistic"), printed, strict=True):
        assert abs(row[name] / number - 1) <= PRINTED, name


def test_a_published_hypothesis_of_terms() -> None:
    m = mlm.lm("mpg ~ am + vs", mlm.load_dataset("datasets::mtcars"))
    row = m.avg_comparisons(hypothesis="am = vs").to_frame().iloc[0]
    numbers = (-0.863, 1.94, -0.445, 0.656)
    for name, number in zip(
        ("estimate", "std_error", "statistic", "p_value"), numbers, strict=True
    ):
        assert abs(row[name] / number - 1) <= PRINTED, name


# --- what goes together ---------------------------------------------------------------------------


def test_labels_and_null(models: Any) -> None:
    m = models["glmer"]
    found = m.avg_predictions(by="period", hypothesis="sequential")
    assert found.hypothesis == ("(2) - (1)", "(3) - (2)", "(4) - (3)")
    assert m.avg_predictions(by="period", hypothesis="revsequential").hypothesis[0] == "(1) - (2)"
    plain, half = m.avg_predictions(), m.avg_predictions(hypothesis=0.5)
    assert half.null == 0.5
    assert_fits_close(half.statistic, (plain.estimate - 0.5) / plain.std_error, ROUNDING)
    named = m.avg_predictions(by="period", hypothesis={"late": [0, 0, 1, 1], "b": [1, 0, 0, 0]})
    assert named.to_frame()["hypothesis"].tolist() == ["late", "b"]
    within = m.avg_comparisons({"x": [1, 4]}, by="period", hypothesis="reference | term")
    assert within.to_frame()[["hypothesis", "term"]].to_numpy()[0].tolist() == ["(2) - (1)", "x"]


def test_what_a_ratio_is_tested_against_is_said(models: Any) -> None:
    m = models["glm"]
    ratio = m.avg_comparisons(STEP, comparison="ratio")
    assert "hypothesis=1" in str(ratio)
    one = m.avg_comparisons(STEP, comparison="ratio", hypothesis=1)
    assert not one.notes
    assert_fits_close(one.statistic, (ratio.estimate - 1) / ratio.std_error, ROUNDING)
    assert "b1 / b2 = 1" in str(m.avg_predictions(by="gear", hypothesis="ratio ~ reference"))


def test_transform(models: Any) -> None:
    m = models["glm"]
    log = m.avg_comparisons(STEP, comparison="lnratio")
    ratio = m.avg_comparisons(STEP, comparison="lnratio", transform="exp")
    assert_fits_close(ratio.estimate, np.exp(log.estimate), ROUNDING)
    assert_fits_close(ratio.conf_low, np.exp(log.conf_low), ROUNDING)
    assert ratio.p_value == log.p_value
    assert np.isnan(ratio.std_error).all()
    down = m.avg_comparisons(STEP, comparison="lnratio", transform=np.negative)
    assert (down.conf_low < down.estimate).all()
    assert ratio.transform == "exp"
    assert down.to_frame().shape == ratio.to_frame().shape


def test_covariances_by_name(models: Any) -> None:
    m = models["lmer"]
    own = m.vcov()
    plain = m.avg_slopes("Days")
    turned = own.iloc[::-1, ::-1]
    for given in (own.to_numpy(), turned, lambda model: model.vcov()):
        assert_fits_close(m.avg_slopes("Days", vcov=given).std_error, plain.std_error, ROUNDING)


def test_a_covariance_with_rows_of_dropped_columns() -> None:
    cars = mlm.load_dataset("datasets::mtcars")
    cars["twice"] = 2 * cars["hp"]
    m = mlm.lm("mpg ~ hp + twice + wt", cars)
    assert m.vcov().shape == (4, 4)
    again = m.avg_slopes("hp", vcov=m.vcov())
    assert_fits_close(again.std_error, m.avg_slopes("hp").std_error, ROUNDING)


def test_rows_without_values_stay_beside_their_own() -> None:
    """A missing value in new rows once moved the values of a comparison by a row."""
    m = mlm.lm("mpg ~ exp(hp / 100) + wt", mlm.load_dataset("datasets::mtcars"))
    rows = pd.DataFrame({"hp": [400.0, 100.0, 200.0], "wt": [np.nan, 3.0, 3.0]})
    found = m.comparisons({"hp": 10}, newdata=rows)
    expected = m.comparisons({"hp": 10}, newdata=rows.iloc[1:])
    assert_fits_close(found.estimate, expected.estimate, ROUNDING)
    assert found.to_frame().index.tolist() == [1, 2]


BAD = {
    "width": (lambda m: m.avg_predictions(hypothesis=[1, -1]), ArgumentError, "2 weights for 1"),
    "family": (lambda m: m.avg_predictions(by="gear", hypothesis="~ pairwize"), ArgumentError,
               "pairwise"),
    "alone": (lambda m: m.avg_predictions(hypothesis="pairwise"), ArgumentError, "one only"),
    "no name": (lambda m: m.avg_comparisons(hypothesis="hp = weight"), ArgumentError, "b1 to b"),
    "call": (lambda m: m.avg_comparisons(hypothesis="system('ls') = 1"), ArgumentError, "system"),
    "no equation": (lambda m: m.avg_comparisons(hypothesis="b1 = b2 = b3"),
        ArgumentError, "one '='"),
    "not read": (lambda m: m.avg_comparisons(hypothesis="b1 -* 2"), ArgumentError, "no equation"),
    "no value": (lambda m: m.avg_comparisons(hypothesis="log(b1 - 1000)"),
        ArgumentError, "no value"),
    "within": (lambda m: m.avg_predictions(by="gear", hypothesis="~pairwise|cyl"), ArgumentError,
               "no column 'cyl'"),
    "text": (lambda m: m.avg_predictions(hypothesis=["b1", 2]), ArgumentError, "hypothesis"),
    "nothing": (lambda m: m.avg_predictions(hypothesis=[]), ArgumentError, "hypothesis"),
    "nan": (lambda m: m.avg_predictions(hypothesis=np.nan), ArgumentError, "hypothesis"),
    "ratio of weights": (lambda m: m.avg_predictions(by="gear", hypothesis="ratio ~ poly"),
                         ArgumentError, "no ratios"),
    "too many": (lambda m: m.predictions(
        newdata=pd.concat([mlm.load_dataset("datasets::mtcars")] * 4), hypothesis="pairwise"),
        ArgumentError, "5000"),
    "odds": (lambda m: m.avg_comparisons("hp", comparison="lnor"), ArgumentError, "probabilities"),
    "comparison": (lambda m: m.avg_comparisons("hp", comparison="quotient"),
        ArgumentError, "ratio"),
    "slope": (lambda m: m.avg_slopes("hp", slope="dxdy"), ArgumentError, "dydx"),
    "ratio of slopes": (
        lambda m: m.avg_comparisons({"hp": "slope"}, comparison="ratio"), ArgumentError, "eyex"),
    "wts": (lambda m: m.avg_predictions(wts="weight"), DataError, "weight"),
    "wts' length": (lambda m: m.avg_predictions(wts=[1, 2]), DataError, "32"),
    "wts below 0": (lambda m: m.avg_predictions(wts=[-1] * 32), DataError, "at least 0"),
    "wts of a grid": (lambda m: m.avg_predictions(newdata="mean", wts="wt"),
        ArgumentError, "newdata"),
    "grid's column": (lambda m: m.predictions(newdata={"hpp": 3}), DataError, "hp"),
    "grid's level": (lambda m: m.predictions(newdata={"hp": "high"}), ArgumentError, "newdata"),
    "empty grid": (lambda m: m.predictions(newdata={}), ArgumentError, "empty"),
    "rows": (lambda m: m.predictions(newdata="medians"), ArgumentError, "median"),
    "transform": (lambda m: m.avg_predictions(transform="expo"), ArgumentError, "exp"),
    "transform fails": (lambda m: m.avg_predictions(transform=lambda x: x[99]), ArgumentError,
                        "failed"),
    "transform's size": (lambda m: m.avg_predictions(transform=lambda x: 1),
        ArgumentError, "array"),
    "type of errors": (lambda m: m.avg_predictions(vcov="HC9"), ArgumentError, "HC3"),
    "clusters": (lambda m: m.avg_predictions(vcov="CR2"), ArgumentError, "needs clusters"),
    "no cluster": (lambda m: m.avg_predictions(vcov="~ cil"), DataError, "cil"),
    "ddf as errors": (lambda m: m.avg_predictions(vcov="Kenward-Roger"), ArgumentError, "ddf="),
    "size": (lambda m: m.avg_predictions(vcov=np.eye(2)), ArgumentError, "6 × 6"),
    "skew": (lambda m: m.avg_predictions(vcov=np.triu(np.ones((6, 6)))),
        ArgumentError, "symmetric"),
    "missing": (lambda m: m.avg_predictions(vcov=np.full((6, 6), np.nan)),
        ArgumentError, "missing"),
    "names": (lambda m: m.avg_predictions(vcov=pd.DataFrame(np.eye(6))), ArgumentError, "no row"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str, models: Any) -> None:
    ask, error, words = BAD[case]
    with pytest.raises(error, match=words):
        ask(models["lm"])
    assert models["lm"].avg_slopes("hp").estimate[0] < 0  # R is usable


def test_own_degrees_of_freedom_want_their_own_covariance(models: Any) -> None:
    with pytest.raises(NotSupportedError, match="leave vcov= or ddf= out"):
        models["lmer"].avg_slopes("Days", vcov="CR2", ddf="Satterthwaite")
    with pytest.raises(NotSupportedError, match="robust_errors"):
        models["lmer"].avg_slopes("Days", vcov="HC3")
