"""Comparisons of models: R's numbers and print."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import pymlm as mlm
from pymlm.errors import ArgumentError, ComparisonError, NotSupportedError
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, BY_HAND, REOPTIMIZED, SAME_PATH

COLUMNS = {
    "npar": "npar", "aic": "AIC", "bic": "BIC", "loglik": "logLik", "deviance": "deviance",
    "chisq": "Chisq", "df": "Df", "p_value": "Pr(>Chisq)",
}  # fmt: skip
#: A p-value of 1e-30 magnifies the last digit of its statistic.
P_VALUE = 1e-9
#: refitML starts anew from the REML optimum, and ends within the optimizer's tolerance of it.
REFIT = 1e-9


@pytest.fixture(scope="module")
def reference():
    return native(
        """
lmer <- lme4::lmer
lines_of <- function(x) paste(capture.output(print(x)), collapse = "\\n")
table <- function(a) list(table = as.data.frame(a), print = lines_of(a))
quiet <- suppressMessages
d <- sleepstudy
sleepstudy <- d
m0 <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
m1 <- lmer(Reaction ~ Days + (Days || Subject), sleepstudy)
m2 <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
e <- lmer(Reaction ~ 1 + (Days | Subject), sleepstudy)
l <- lm(Reaction ~ Days, sleepstudy)
M <- lapply(list(m0, m1, m2, e), update, REML = FALSE)
P1 <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
P0 <- lmer(diameter ~ 1 + (1 | sample), Penicillin)
g1 <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
g0 <- glmer(cbind(incidence, size - incidence) ~ 1 + (1 | herd), cbpp, binomial)
gl <- glm(cbind(incidence, size - incidence) ~ period, binomial, cbpp)
K <- function(x) list(test = x$test, print = lines_of(x))
cake1 <- lmer(angle ~ recipe + temp + (1 | recipe:replicate), cake)
cake0 <- lmer(angle ~ temp + (1 | recipe:replicate), cake)
library(pbkrtest)
rl <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
rs <- lmer(Reaction ~ Days + (0 + Days | Subject), sleepstudy)
emit(list(
  three = quiet(table(anova(m0, m1, m2, model.names = c("m0", "m1", "m2")))),
  reml = table(anova(m0, m2, refit = FALSE, model.names = c("m0", "m1"))),
  means = quiet(table(anova(e, m2, model.names = c("m0", "m1")))),
  ml = table(anova(M[[1]], M[[2]], M[[3]], model.names = c("a", "b", "c"))),
  lm = quiet(table(anova(m0, m2, l, model.names = c("m0", "m1", "m2")))),
  Penicillin = quiet(table(anova(P0, P1, model.names = c("m0", "m1")))),
  glmer = table(anova(g0, g1, model.names = c("m0", "m1"))),
  glm = table(anova(g1, gl, model.names = c("m0", "m1"))),
  lm_reml = as.numeric(2 * (logLik(m2) - logLik(l, REML = TRUE))),
  lm_ml = as.numeric(2 * (logLik(M[[3]]) - logLik(l))),
  kr = K(KRmodcomp(cake1, cake0)), kr_L = K(KRmodcomp(cake1, rbind(c(0, 1, 0, 0), c(0, 0, 1, 0)))),
  sat = K(SATmodcomp(cake1, cake0)),
  # SATmodcomp() of pbkrtest 0.5.5 stops at a matrix; cake0's is the same hypothesis.
  sat_L = tryCatch(K(SATmodcomp(cake1, rbind(c(0, 1, 0, 0), c(0, 0, 1, 0)))),
                   error = function(e) list(test = SATmodcomp(cake1, cake0)$test)),
  rlrt = { set.seed(11); x <- RLRsim::exactRLRT(P0, nsim = 2000)
    list(stat = unname(x$statistic), p = x$p.value) },
  rlrt_two = { set.seed(11); x <- RLRsim::exactRLRT(rs, m1, rl, nsim = 2000)
    list(stat = unname(x$statistic), p = x$p.value) }
))"""
    )


def same(ours, theirs, rtol=ROUND_TRIP):
    assert list(ours.term) == theirs["table"][".rows"]
    for field, column in COLUMNS.items():
        tolerance = max(rtol, P_VALUE) if field == "p_value" else rtol
        # a chi-squared of 0.06 is the difference of two deviances of 1,750
        slack = 1e-6 if field in ("chisq", "p_value") else tolerance
        if column not in theirs["table"]:
            column = "-2*log(L)"  # what lme4 calls it since 1.1-36
        values = np.array(theirs["table"][column], dtype=float)
        assert_close(getattr(ours, field), values, slack if rtol > ROUND_TRIP else tolerance, field)
    assert as_r_prints(ours) == theirs["print"]


def as_r_prints(ours):
    """The print without the notes, which pymlm puts below R's."""
    lines = str(ours).splitlines()
    below = [f"Note: {note}" for note in ours.notes]
    assert lines[len(lines) - len(below) :] == below
    return "\n".join(lines[: len(lines) - len(below)])


# --- as R has them --------------------------------------------------------------------------------


def test_three_models_in_any_order(fits, reference):
    ours = mlm.anova(fits["one"], fits["two"], fits["full"])
    same(ours, reference["three"], REFIT)
    assert ours.refitted
    other = mlm.anova(fits["full"], fits["one"], fits["two"], names=["m2", "m0", "m1"])
    assert as_r_prints(other) == reference["three"]["print"]


def test_reml_with_the_same_means(fits, reference):
    ours = mlm.anova(fits["one"], fits["full"], refit=False)
    same(ours, reference["reml"])
    assert not ours.refitted
    assert ours.notes == ()
    assert "refit=False compares them" in mlm.anova(fits["one"], fits["full"]).notes[0]


def test_different_means_are_refitted_and_it_is_said(fits, reference):
    ours = mlm.anova(fits["empty"], fits["full"])
    same(ours, reference["means"], REFIT)
    assert ours.refitted
    assert "maximum likelihood (m0, m1): REML likelihoods of models" in ours.notes[0]
    assert_close(ours.p_value_boundary[1], ours.p_value[1])  # no variance is tested


def test_names(sleepstudy, reference):
    by_ml = [
        mlm.lmer(f"Reaction ~ Days + {r}", sleepstudy, reml=False)
        for r in ("(1 | Subject)", "(Days || Subject)", "(Days | Subject)")
    ]
    ours = mlm.anova(*by_ml, names=["a", "b", "c"])
    same(ours, reference["ml"], REFIT)
    assert not ours.refitted
    for names in (["a", "b"], ["a", "a", "b"]):
        with pytest.raises(ArgumentError, match="3 different names"):
            mlm.anova(*by_ml, names=names)


def test_an_lm_as_the_smallest(fits, reference):
    ours = mlm.anova(fits["one"], fits["full"], fits["lm"])
    same(ours, reference["lm"], REFIT)
    lrt = ours.chisq[1]
    assert_close(ours.p_value_boundary[1], chi2.sf(lrt, 1) / 2, ARITHMETIC)
    assert ours.formulas[0] == "Reaction ~ Days"


def test_crossed(reference):
    data = mlm.load_dataset("Penicillin")
    m0 = mlm.lmer("diameter ~ 1 + (1 | sample)", data)
    m1 = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    same(mlm.anova(m0, m1), reference["Penicillin"], REOPTIMIZED)


def test_generalized(reference):
    data = mlm.load_dataset("cbpp")
    y = "cbind(incidence, size - incidence)"
    m0 = mlm.glmer(f"{y} ~ 1 + (1 | herd)", data, family="binomial")
    m1 = mlm.glmer(f"{y} ~ period + (1 | herd)", data, family="binomial")
    glm = mlm.glm(f"{y} ~ period", data, family="binomial")
    same(mlm.anova(m0, m1), reference["glmer"], REFIT)
    against = mlm.anova(m1, glm)
    same(against, reference["glm"], REFIT)
    assert_close(against.p_value_boundary[1], against.p_value[1] / 2, ARITHMETIC)


# --- likelihood-ratio tests -----------------------------------------------------------------------


def test_lrt_by_reml_and_by_ml(fits, reference, sleepstudy):
    ours = mlm.lrt(fits["lm"], fits["full"])
    assert_close(ours.chisq[1], reference["lm_reml"])
    assert ours.df[1] == 3
    assert np.isnan(ours.p_value_boundary[1])  # two variances at once: no simple mixture
    assert "several variances" in ours.notes[0]
    assert "several variances" in str(ours)
    by_ml = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy, reml=False)
    assert_close(mlm.lrt(by_ml, fits["lm"]).chisq[1], reference["lm_ml"])
    mixed = mlm.lrt(fits["one"], by_ml)  # one by REML, one by ML: both by ML
    assert mixed.refitted
    assert_close(mixed.chisq[1], mlm.anova(fits["one"], by_ml).chisq[1], SAME_PATH)


def test_lrt_agrees_with_ranova(fits):
    one = mlm.lrt(fits["one"], fits["full"])
    ranova = fits["full"].ranova()
    assert_close(one.chisq[1], ranova.lrt[1], SAME_PATH)
    assert_close(one.p_value_boundary[1], ranova.p_value_boundary[1], REOPTIMIZED)
    assert_close(
        one.p_value_boundary[1],
        (chi2.sf(one.chisq[1], 1) + chi2.sf(one.chisq[1], 2)) / 2,
        SAME_PATH,
    )
    mixture = f"p = {one.p_value_boundary[1]:.4g} by the mixture 0.5 chi-squared(1) + 0.5 chi"
    assert mixture in str(one)


def test_boundary_may_be_told(fits):
    always = mlm.lrt(fits["two"], fits["full"], boundary=True)
    auto = mlm.lrt(fits["two"], fits["full"])
    never = mlm.lrt(fits["two"], fits["full"], boundary=False)
    assert_close(auto.p_value_boundary[1], auto.p_value[1])  # a covariance may be negative
    assert_close(always.p_value_boundary[1], auto.p_value[1] / 2)
    assert np.isnan(never.p_value_boundary[1])


@pytest.mark.slow
def test_the_mixture_holds_its_level():
    """500 data sets without any variance between groups: 5 % of the mixture's tests reject."""
    rng = np.random.default_rng(20)
    group = pd.Categorical(np.repeat(np.arange(30).astype(str), 6))
    p_values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pd.DataFrame({"y": rng.normal(size=180), "g": group})
        model = mlm.lmer("y ~ 1 + (1 | g)", frame)
        for _ in range(500):
            y = rng.normal(size=180)
            one = model.refit(y)
            null = -2 * _reml_of_mean(y)
            lrt = max(0.0, null - one.reml_criterion)
            p_values.append(float(chi2.sf(lrt, 1) / 2 if lrt > 1e-8 else 1.0))
    rejected = np.mean(np.array(p_values) < 0.05)
    assert 0.03 < rejected < 0.075  # two standard errors of a share of 0.05 in 500 are 0.02
    assert 0.4 < np.mean(np.array(p_values) == 1.0) < 0.65


def _reml_of_mean(y):
    n, s = len(y), ((y - y.mean()) ** 2).sum()
    return -0.5 * ((n - 1) * (np.log(2 * np.pi * s / (n - 1)) + 1) + np.log(n))


# --- pbkrtest and RLRsim --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cakes():
    data = mlm.load_dataset("cake")
    return (
        mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", data),
        mlm.lmer("angle ~ temp + (1 | recipe:replicate)", data),
    )


RECIPE = [[0, 1, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("how", ["model", "array", "text"])
def test_kr_modcomp(cakes, reference, how):
    m1, m0 = cakes
    small = {"model": m0, "array": RECIPE, "text": ["recipeB = 0", "recipeC"]}[how]
    ours = mlm.kr_modcomp(m1, small)
    theirs = reference["kr" if how == "model" else "kr_L"]
    assert list(ours.term) == theirs["test"][".rows"]
    for field, column in (("statistic", "stat"), ("num_df", "ndf"), ("den_df", "ddf"),
                          ("f_scaling", "F.scaling"), ("p_value", "p.value")):  # fmt: skip
        values = np.array(theirs["test"][column], dtype=float)
        assert_close(getattr(ours, field), values, BY_HAND, field)
    assert str(ours) == theirs["print"]


@pytest.mark.parametrize("how", ["model", "array"])
def test_sat_modcomp(cakes, reference, how):
    m1, m0 = cakes
    ours = mlm.sat_modcomp(m1, m0 if how == "model" else RECIPE)
    theirs = reference["sat" if how == "model" else "sat_L"]
    for field, column in (("statistic", "statistic"), ("num_df", "ndf"), ("den_df", "ddf"),
                          ("p_value", "p.value")):  # fmt: skip
        assert_close(getattr(ours, field), theirs["test"][column], BY_HAND, field)
    if "print" in theirs:
        assert str(ours) == theirs["print"]


def test_modcomp_refusals(cakes, fits):
    m1, m0 = cakes
    with pytest.raises(ComparisonError, match="different rows"):
        mlm.kr_modcomp(m1, fits["one"])
    data = mlm.load_dataset("cake").sample(frac=1, random_state=1)
    with pytest.raises(ComparisonError, match="another order"):
        mlm.kr_modcomp(m1, mlm.lmer("angle ~ temp + (1 | recipe:replicate)", data))
    with pytest.raises(ComparisonError, match="same fixed effects"):
        mlm.kr_modcomp(m1, m1)
    with pytest.raises(ArgumentError, match="4 columns"):
        mlm.sat_modcomp(m1, [0, 1])
    with pytest.raises(ArgumentError, match="right-hand side 0"):
        mlm.kr_modcomp(m1, "temp = 1")
    for compare in (mlm.kr_modcomp, mlm.sat_modcomp):
        turned = compare(m0, m1)
        assert_close(turned.p_value, compare(m1, m0).p_value)
        assert turned.notes == ("m0 is the larger model, m1 the smaller one",)
        with pytest.raises(NotSupportedError, match="must be a mixed model"):
            compare(mlm.lm("angle ~ recipe + temp", mlm.load_dataset("cake")), m0)
    assert mlm.kr_modcomp(m1, m0).p_value[0] > 0


def test_exact_rlrt(reference, fits):
    m = mlm.lmer("diameter ~ 1 + (1 | sample)", mlm.load_dataset("Penicillin"))
    ours = mlm.exact_rlrt(m, nsim=2000, seed=11)
    assert_close(ours.statistic, reference["rlrt"]["stat"], SAME_PATH)
    assert ours.p_value == reference["rlrt"]["p"]
    for pair in (("two", "one"), ("one", "two")):
        two = mlm.exact_rlrt(fits["slope"], *(fits[n] for n in pair), nsim=2000, seed=11)
        assert_close(two.statistic, reference["rlrt_two"]["stat"], SAME_PATH)
    assert two.p_value == reference["rlrt_two"]["p"]
    assert list(two.to_frame().columns) == ["statistic", "p_value", "nsim"]


def test_exact_rlrt_refusals(fits):
    with pytest.raises(ArgumentError, match="m_full"):
        mlm.exact_rlrt(fits["two"])
    with pytest.raises(ArgumentError, match="both"):
        mlm.exact_rlrt(fits["slope"], fits["two"])
    with pytest.raises(NotSupportedError, match="reml=True"):
        mlm.exact_rlrt(fits["one"].update(reml=False))
    with pytest.raises(NotSupportedError, match="linear mixed models"):
        mlm.exact_rlrt(fits["lm"])
    for three in (("one", "two", "one"), ("two", "two", "one")):
        with pytest.raises(ComparisonError, match="do not test one variance"):
            mlm.exact_rlrt(*(fits[name] for name in three))
    other = mlm.lmer("diameter ~ 1 + (1 | sample)", mlm.load_dataset("Penicillin"))
    with pytest.raises(ComparisonError, match="different rows"):
        mlm.exact_rlrt(other, fits["two"], fits["one"])


def test_exact_rlrt_says_what_a_p_value_of_zero_means(fits):
    ours = mlm.exact_rlrt(fits["slope"], fits["two"], fits["one"], nsim=50, seed=11)
    assert ours.p_value == 0
    assert str(ours).endswith("none of the 50 simulated values is as large: p < 1/50")
