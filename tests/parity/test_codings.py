"""Factors coded by name, by C() in the formula, by hypotheses: against native R in each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, ArgumentError, DataError, FormulaError
from tests.native import ROUND_TRIP, assert_close, assert_fits_close, native
from tests.tolerances import REOPTIMIZED

#: Errors of a glmer come from finite differences at each process's own optimum.
DIFFERENCES = 1e-5

HYPOTHESES = {"C - A": [-1, 0, 1], "rest": {"A": 0.5, "B": -1, "C": 0.5}}
ONE = {"B - A": [-1, 1, 0]}

#: joint_tests() of emmeans rounds F to three digits.
THREE_DIGITS = 6e-4

#: pymlm's argument, and how a person codes the same in R.
CODINGS: dict[str, tuple[Any, str]] = {
    "two": (HYPOTHESES, "contrasts(d$recipe) <- coded(rbind(`C - A` = c(-1, 0, 1),"
                        " rest = c(.5, -1, .5)))"),
    "one": (ONE, "contrasts(d$recipe) <- coded(rbind(`B - A` = c(-1, 1, 0)));"
                 " colnames(contrasts(d$recipe))[2] <- '.rest1'"),
    "sdif": ("sdif", "contrasts(d$recipe) <- 'contr.sdif'"),
    "contr.sdif": ("contr.sdif", "contrasts(d$recipe) <- 'contr.sdif'"),
}  # fmt: skip

FITS: dict[str, tuple[Callable[..., Any], str]] = {
    "lm": (lambda d, c: mlm.lm("angle ~ recipe * temp", d, contrasts=c),
           "lm(angle ~ recipe * temp, d)"),
    "glm": (lambda d, c: mlm.glm("angle ~ recipe * temp", d, family="Gamma", link="log",
                                 contrasts=c), "glm(angle ~ recipe * temp, Gamma('log'), d)"),
    "lmer": (lambda d, c: mlm.lmer("angle ~ recipe * temp + (1 | replicate)", d, contrasts=c),
             "lme4::lmer(angle ~ recipe * temp + (1 | replicate), d)"),
    "glmer": (lambda d, c: mlm.glmer("big ~ recipe + (1 | replicate)", d, contrasts=c),
              "glmer(big ~ recipe + (1 | replicate), d, binomial)"),
    "lme": (lambda d, c: mlm.lme("angle ~ recipe * temp", d, random="~ 1 | replicate", contrasts=c),
            "nlme::lme(angle ~ recipe * temp, d, ~ 1 | replicate)"),
    "gls": (lambda d, c: mlm.gls("angle ~ recipe * temp", d, contrasts=c),
            "nlme::gls(angle ~ recipe * temp, d)"),
}  # fmt: skip
#: C(recipe, ...) in the formula.
WRITTEN = (
    "sum", "helmert", "treatment", "poly", "SAS", "contr.sum", "'contr.helmert'", "contr.sdif",
    "base = 2", "contr.treatment(3, base = 3)",
)  # fmt: skip

REFERENCE = r"""
library(MASS)
coded <- function(h) { m <- ginv(h); colnames(m) <- rownames(h); m }
plain <- transform(cake, big = as.numeric(angle > 32))
beta <- function(m) { b <- if (isS4(m) || inherits(m, "lme")) fixef(m) else coef(m)
  list(names = names(b), values = unname(b), se = unname(sqrt(diag(as.matrix(vcov(m)))))) }
out <- list()
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    code = REFERENCE
    for name, (_, coding) in CODINGS.items():
        code += f"d <- plain; {coding}\n"
        for fit, (_, call) in FITS.items():
            code += f"out$`{fit} {name}` <- beta({call})\n"
    for how in WRITTEN:
        code += (
            f"m <- lme4::lmer(angle ~ C(recipe, {how}) + (1 | replicate), cake)\n"
            f"out$`{how}` <- c(beta(m), list(means = unname(tapply(fitted(m), cake$recipe,"
            " mean))))\n"
        )
    return native(code + "emit(out)")


@pytest.fixture(scope="module")
def cake() -> pd.DataFrame:
    data = mlm.load_dataset("cake")
    return data.assign(big=(data["angle"] > 32).astype(int))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("fit", FITS)
def test_coefficients_are_native_r_s(fit: str, coding: str, cake: Any, reference: Any) -> None:
    m = FITS[fit][0](cake, {"recipe": CODINGS[coding][0]})
    theirs = reference[f"{fit} {coding}"]
    table = m.fixef().reindex(theirs["names"])
    assert_fits_close(table, theirs["values"], REOPTIMIZED, "estimates")
    ours = np.sqrt(np.diag(m.vcov().loc[theirs["names"], theirs["names"]]))
    tolerance = DIFFERENCES if fit == "glmer" else REOPTIMIZED
    assert_fits_close(ours, theirs["se"], tolerance, "standard errors")


def test_a_hypothesis_is_the_difference_of_means(cake: Any) -> None:
    m = mlm.lm("angle ~ recipe", cake, contrasts={"recipe": HYPOTHESES})
    means = cake.groupby("recipe", observed=True)["angle"].mean()
    assert_close(m.fixef()["recipeC - A"], means["C"] - means["A"], ROUND_TRIP * 100)
    rest = (means["A"] + means["C"]) / 2 - means["B"]
    assert_close(m.fixef()["reciperest"], rest, ROUND_TRIP * 100)


def test_levels_of_text_in_r_s_order(cake: Any) -> None:
    """A dict by level needs no category; other rows, other order, same hypotheses."""
    text = cake.assign(recipe=cake["recipe"].astype(str)).iloc[::-1]
    weights = {"recipe": {"C - A": {"C": 1, "A": -1}}}
    ours = mlm.lm("angle ~ recipe", text, contrasts=weights).fixef()
    theirs = mlm.lm("angle ~ recipe", cake, contrasts=weights).fixef()
    assert_fits_close(ours, theirs[ours.index])


@pytest.mark.parametrize("how", WRITTEN)
def test_codings_in_the_formula(how: str, cake: Any, reference: Any) -> None:
    m = mlm.lmer(f"angle ~ C(recipe, {how}) + (1 | replicate)", cake)
    theirs = reference[how]
    names = [n.replace("'", '"') for n in theirs["names"]]
    assert_fits_close(m.fixef().reindex(names), theirs["values"], REOPTIMIZED)
    # New rows of one level are coded as the fit's, and emmeans finds the data.
    first = cake.iloc[[0, 3]]
    assert_fits_close(m.predict(first), m.fitted().loc[first.index], REOPTIMIZED)
    assert_fits_close(m.predictions(newdata=first).estimate, m.predict(first))
    assert_fits_close(m.emmeans("recipe").estimate, theirs["means"], REOPTIMIZED)
    f = m.anova().statistic
    assert m.joint_tests().term == ("recipe",)
    assert abs(m.joint_tests().statistic[0] - f[0]) < THREE_DIGITS
    assert_fits_close(m.update(". ~ . + temp").fixef()[names[1]], m.fixef()[names[1]], REOPTIMIZED)


@pytest.mark.parametrize("fit", [mlm.lm, mlm.glm])
def test_codings_in_the_formula_of_least_squares(fit: Any, cake: Any) -> None:
    m = fit("angle ~ C(recipe, sum)", cake, **({"family": "gaussian"} if fit is mlm.glm else {}))
    means = cake.groupby("recipe", observed=True)["angle"].mean()
    assert_fits_close(m.emmeans("recipe").estimate, means)
    assert_fits_close(m.predict(cake.iloc[[0]]), [means["A"]])
    assert_fits_close(m.avg_predictions(by="recipe").estimate, means)


def test_joint_tests_of_every_term(cake: Any) -> None:
    """emmeans itself leaves the rows out that a coding in the formula stands in."""
    written = mlm.lm("angle ~ C(recipe, contr.sum) * temp", cake).joint_tests()
    plain = mlm.lm("angle ~ recipe * temp", cake).joint_tests()
    assert written.term == plain.term == ("recipe", "temp", "recipe:temp")
    assert_fits_close(written.statistic, plain.statistic)


def test_what_follows_a_fit_by_hypotheses(cake: Any, tmp_path: Any) -> None:
    m = mlm.lmer("angle ~ recipe + (1 | replicate)", cake, contrasts={"recipe": ONE})
    again = mlm.load_model(m.save(tmp_path / "m.rds"))
    assert_fits_close(again.fixef(), m.fixef())
    updated = m.update(". ~ . + temp")
    assert_fits_close(updated.fixef()["recipeB - A"], m.fixef()["recipeB - A"], REOPTIMIZED)
    difference = m.emmeans("recipe", contrast={"d": [-1, 1, 0]})
    assert_fits_close(difference.estimate[0], m.fixef()["recipeB - A"], REOPTIMIZED)
    assert ".rest1" in m.to_r()
    # What refits elsewhere finds the coding, and a factor that went takes its coding along.
    plain = mlm.lmer("angle ~ recipe + (1 | replicate)", cake)
    ours, theirs = (x.influence("replicate").cooks_distance for x in (m, plain))
    assert_fits_close(ours, theirs, REOPTIMIZED)
    smaller = m.update(". ~ . - recipe")  # warnings are errors here
    chi2 = mlm.anova(m, smaller).to_frame()["chisq"].iloc[1]
    assert_fits_close(chi2, mlm.anova(plain, smaller).to_frame()["chisq"].iloc[1], REOPTIMIZED)


BAD = {
    "level": ({"x": {"Z": 1, "A": -1}}, "no level 'Z'"),
    "width": ({"x": [1, -1]}, "one a level: A, B, C"),
    "text": ({"x": ["a", "b", "c"]}, "weights are numbers"),
    "no difference": ({"x": [1, 0, 0]}, "sum to 0"),
    "zeros": ({"x": [0, 0, 0]}, "not all 0"),
    "twice": ({"x": [-1, 1, 0], "y": [1, -1, 0]}, "follows from"),
    "too many": ({"x": [-1, 1, 0], "y": [0, -1, 1], "z": [-1, 0, 1]}, "2 differences"),
    "none": ({}, "no hypothesis"),
    "missing": ({"x": [np.nan, 1, -1]}, "finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_hypotheses(case: str, cake: Any) -> None:
    given, words = BAD[case]
    with pytest.raises(ArgumentError, match=words):
        mlm.lmer("angle ~ recipe + (1 | replicate)", cake, contrasts={"recipe": given})


FITTED: dict[str, Callable[..., Any]] = {
    "lm": lambda f, d, c: mlm.lm(f"angle ~ {f}", d, contrasts=c),
    "lmer": lambda f, d, c: mlm.lmer(f"angle ~ {f} + (1 | replicate)", d, contrasts=c),
    "lme": lambda f, d, c: mlm.lme(f"angle ~ {f}", d, random="~ 1 | replicate", contrasts=c),
    "gls": lambda f, d, c: mlm.gls(f"angle ~ {f}", d, contrasts=c),
}  # fmt: skip


@pytest.mark.parametrize("fit", FITTED)
def test_hypotheses_that_are_no_coefficients_are_told(fit: str, cake: Any) -> None:
    """R codes the factor by all its levels, and says nothing."""
    with pytest.warns(AdviceWarning, match="none of its hypotheses"):
        m = FITTED[fit]("0 + recipe", cake, {"recipe": ONE})
    assert "recipeA" in m.fixef().index
    with pytest.raises(DataError, match="numbers has none"):
        FITTED[fit]("temp", cake, {"temp": "sum"})
    FITTED[fit]("recipe:temp + recipe", cake, {"recipe": ONE})  # warnings are errors here


def test_no_code_inside_of_c(cake: Any) -> None:
    for formula in ("angle ~ C(recipe, system)", "angle ~ C(recipe, sum, system('id'))"):
        with pytest.raises(FormulaError):
            mlm.lm(formula, cake)
