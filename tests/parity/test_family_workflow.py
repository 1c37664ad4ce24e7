"""The workflow's functions for lm, glm, lme, gls and lists of lm, against native Rscript."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import OPTIMUM, assert_close, native, needs_r

needs_r("performance")

#: nlme's iterations stop at a difference.
ITERATED = 1e-7
#: nlme and lme4 stop at different points of one likelihood.
TWO_OPTIMIZERS = 1e-5

R = """
suppressMessages(library(nlme))
cake$w <- seq(0.5, 2, length.out = nrow(cake))
l <- lm(angle ~ recipe * temp, cake); w <- lm(angle ~ temp, cake, weights = w)
m <- lme(distance ~ age * Sex, Orthodont, ~ age | Subject)
one <- lme(distance ~ age, Orthodont, ~ 1 | Subject)
ar <- lme(distance ~ age, Orthodont, ~ 1 | Subject, correlation = corAR1(form = ~ 1 | Subject))
g <- gls(distance ~ age, Orthodont, corAR1(form = ~ 1 | Subject))
cov <- function(x, ...) unname(as.matrix(unclass(x)))
list_ <- lmList(Reaction ~ Days | Subject, sleepstudy)
tests <- lapply(coef(list_), t.test)
each <- lapply(list_, function(m) c(summary(m)$r.squared, AIC(m), summary(m)$fstatistic[[1]]))
emit(list(
  r2 = summary(l)$r.squared, fixed = cor(Orthodont$distance, fitted(m, level = 0))^2,
  normal = as.numeric(performance::check_normality(l))[1],
  sigma = sigma(l)^2, weighted = unname(sigma(w)^2 / cake$w[1:3]),
  lme = cov(getVarCov(m, individuals = "M01", type = "marginal")[[1]]),
  ar = cov(getVarCov(ar, individuals = "F03", type = "marginal")[[1]]),
  gls = cov(getVarCov(g, individual = "F03")),
  icc = {v <- as.numeric(VarCorr(one)[, 1]); v[1] / sum(v)},
  t = unname(summary(m)$tTable[, c("t-value", "DF")]),
  second = unname(sapply(tests, function(t) c(t$estimate, t$stderr, t$parameter, t$statistic,
                                              t$p.value, t$conf.int))),
  each = unname(do.call(rbind, each))))
"""


@pytest.fixture(scope="module")
def r() -> Any:
    return native(R)


@pytest.fixture(scope="module")
def cake() -> Any:
    return mlm.load_dataset("lme4::cake").assign(w=lambda d: np.linspace(0.5, 2, len(d)))


@pytest.fixture(scope="module")
def orth() -> Any:
    return mlm.load_dataset("nlme::Orthodont")


@pytest.fixture(scope="module")
def m(orth: Any) -> Any:
    return mlm.lme("distance ~ age * Sex + (age | Subject)", orth)


@pytest.fixture(scope="module")
def lm(cake: Any) -> Any:
    return mlm.lm("angle ~ recipe * temp", cake)


def matrix(found: Any) -> Any:
    return np.array(found["values"], dtype=float)


def test_explained_variance(r: Any, lm: Any, m: Any) -> None:
    assert_close(mlm.total_r2(lm), r["r2"], OPTIMUM)
    assert_close(mlm.total_r2(m), r["fixed"], ITERATED)


def test_assumptions_of_an_lm(r: Any, lm: Any) -> None:
    table = mlm.check_assumptions(lm).to_frame()
    assert_close(table.loc["normal residuals", "p_value"], r["normal"], OPTIMUM)
    assert list(table.index) == ["linearity", "normal residuals", "constant residual variance"]


def test_implied_covariance_of_least_squares(r: Any, lm: Any, cake: Any) -> None:
    assert_close(mlm.implied_covariance(lm, rows=[0, 1]), r["sigma"] * np.eye(2), OPTIMUM)
    weighted = mlm.lm("angle ~ temp", cake, weights="w")
    assert_close(np.diag(mlm.implied_covariance(weighted, rows=[0, 1, 2])), r["weighted"], OPTIMUM)


@pytest.mark.parametrize(("name", "subject"), [("lme", "M01"), ("ar", "F03"), ("gls", "F03")])
def test_implied_covariance_of_nlme(r: Any, orth: Any, m: Any, name: str, subject: str) -> None:
    fits = {
        "lme": lambda d: m if d is orth else m.update(data=d),
        "ar": lambda d: mlm.lme("distance ~ age", d, random="~ 1 | Subject", correlation="ar1"),
        "gls": lambda d: mlm.gls("distance ~ age", d, correlation="ar1", group="Subject"),
    }
    shuffled = orth.sort_values(["age", "Sex"], kind="stable")
    for data in (orth, shuffled):  # each subject's rows keep their order, among others'
        rows = list(data.index[data["Subject"].astype(str) == subject])
        ours = mlm.implied_covariance(fits[name](data), rows=rows)
        assert_close(ours, matrix(r[name]), ITERATED)
    other = orth.index[orth["Subject"].astype(str) == "M05"][0]
    ours = mlm.implied_covariance(fits[name](orth), rows=[rows[0], other])
    assert ours.iloc[0, 1] == 0


def test_icc_of_lme(r: Any, orth: Any) -> None:
    one = mlm.lme("distance ~ age + (1 | Subject)", orth)
    assert_close(mlm.icc(one).icc, r["icc"], ITERATED)
    by_lme4 = mlm.icc(mlm.lmer("distance ~ age + (1 | Subject)", orth), ci=None)
    assert_close(mlm.icc(one).icc, by_lme4.icc, TWO_OPTIMIZERS)
    with pytest.raises(NotSupportedError, match="lme4"):
        mlm.icc(one, ci="delta")
    unequal = mlm.lme("distance ~ age + (1 | Subject)", orth, variance_by="Sex")
    with pytest.raises(NotSupportedError, match="differs between rows"):
        mlm.icc(unequal)


def test_effect_sizes(r: Any, m: Any) -> None:
    ours, theirs = mlm.effect_sizes(m), matrix(r["t"])
    assert_close(ours.d, 2 * theirs[:, 0] / np.sqrt(theirs[:, 1]), ITERATED)
    counts = mlm.load_dataset("lme4::grouseticks")
    with pytest.raises(NotSupportedError, match="asymptotic"):
        mlm.effect_sizes(mlm.glm("TICKS ~ YEAR", counts, family="poisson"))


def test_equations(lm: Any, m: Any, orth: Any) -> None:
    again = mlm.lmer("distance ~ age * Sex + (age | Subject)", orth)
    assert mlm.equations(m) == mlm.equations(again)
    assert str(mlm.equations(mlm.lm("distance ~ age", orth))) == (
        "Level 1: distance_i = β_0 + β_1 age_i + e_i\nwhere    e_i ~ N(0, σ²_e)"
    )
    text = mlm.equations(mlm.gls("distance ~ age", orth, correlation="cs", group="Subject"))
    assert "e ~ N(0, σ²_e Λ)" in text
    assert "Λ = corCompSymm(~1 | Subject)" in text


def test_lists_of_models(r: Any) -> None:
    models = mlm.lm_list("Reaction ~ Days | Subject", mlm.load_dataset("sleepstudy"))
    assert_close(models.second_level().drop(columns="n").T, matrix(r["second"]), OPTIMUM)
    ours = models.glance()[["r_squared", "aic", "statistic"]]
    assert_close(ours, matrix(r["each"]), OPTIMUM)
    assert list(ours.index) == list(models.groups)


def test_regression_table_of_every_class(orth: Any, m: Any) -> None:
    lm = mlm.lm("distance ~ age", orth)
    robust = mlm.cluster_robust(lm, by="Subject", type="HC1")
    panel = mlm.panel("distance ~ age", orth, by="Subject")
    gee = mlm.gee("distance ~ age", orth, by="Subject")
    text = mlm.regression_table(
        [lm, m, robust, panel, gee], column_labels=["lm", "lme", "robust", "within", "gee"]
    )
    row = next(line for line in text.splitlines() if line.strip().startswith("age "))
    numbers = [
        lm.fixef()["age"], m.fixef()["age"], robust.estimate[1], panel.fixed.estimate[0],
        gee.fixed.estimate[1],
    ]  # fmt: skip
    assert [cell.rstrip("*") for cell in row.split()[1:]] == [f"{x:.3f}" for x in numbers]
    below = text.splitlines()[text.splitlines().index(row) + 1].split()
    assert below[2] == f"({robust.std_error[1]:.3f})"
    assert any(line.startswith("Clusters") for line in text.splitlines())
    with pytest.raises(ArgumentError, match="cluster_robust"):
        mlm.regression_table([orth])
