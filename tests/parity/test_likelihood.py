"""The deviance at given parameters, and the contrasts behind anova(), against native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import ROUND_TRIP, assert_close, native
from tests.tolerances import REOPTIMIZED

#: PIRLS stops within its own tolerance, from wherever the optimizer left it.
PIRLS = 1e-6
#: The same, of a model whose rows number 400: what each leaves adds up.
PIRLS_OF_MANY = 5e-6

REFERENCE = r"""
at <- function(f, rows) unname(sapply(rows, f))
s <- function(...) lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy, ...)
w <- function(...) lme4::lmer(angle ~ recipe + offset(temp / 10) + (1 | recipe:replicate) +
  (1 | replicate), cake, weights = temp, ...)
rows <- list(c(1, 0, 1), c(.5, .1, .2), c(0, 0, 0))
g <- function(...) glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp,
                            binomial, ...)
gs <- list(c(.6, -1.4, -1, -1.1, -1.5), c(1, -1, -1, -1, -1))
h <- lmerTest::lmer(angle ~ recipe * temp + (1 | replicate), cake)
tests <- lapply(c("I", "II", "III"), function(t) lapply(lmerTest::show_tests(anova(h, type = t)),
  function(m) list(rows = rownames(m), columns = colnames(m), values = as.vector(m))))
names(tests) <- c("I", "II", "III")
emit(list(
  reml = at(s(devFunOnly = TRUE), rows), ml = at(s(devFunOnly = TRUE, REML = FALSE), rows),
  crossed = at(w(devFunOnly = TRUE), list(c(.3, .4), c(0, 2))),
  crossed_ml = at(w(devFunOnly = TRUE, REML = FALSE), list(c(.3, .4), c(0, 2))),
  laplace = at(g(devFunOnly = TRUE), gs), agq = at(g(devFunOnly = TRUE, nAGQ = 7), gs),
  zero = at(g(devFunOnly = TRUE, nAGQ = 0), list(.6, 1)), tests = tests
))
"""
ROWS = [[1, 0, 1], [0.5, 0.1, 0.2], [0, 0, 0]]


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.mark.parametrize("fitted_by_reml", [True, False])
def test_linear(fitted_by_reml: bool, sleep: Any, reference: Any) -> None:
    m = sleep if fitted_by_reml else sleep.update(reml=False)
    for reml in (True, False):
        theirs = reference["reml" if reml else "ml"]
        assert_close(m.deviance_at(ROWS, reml=reml), theirs, ROUND_TRIP * 100)
    assert_close(m.deviance_at(ROWS), reference["reml" if fitted_by_reml else "ml"])
    assert isinstance(m.deviance_at(ROWS[0]), float)
    own = m.reml_criterion if fitted_by_reml else m.deviance
    assert_close(m.deviance_at(m.theta), own)
    assert_close(m.deviance_at(m.theta.iloc[::-1]), own)  # by name
    assert_close(m.deviance_at(dict(m.theta)), own)


def test_weights_and_an_offset(reference: Any) -> None:
    m = mlm.lmer(
        "angle ~ recipe + offset(temp / 10) + (1 | recipe:replicate) + (1 | replicate)",
        mlm.load_dataset("cake"), weights="temp",
    )  # fmt: skip
    at = [{"recipe:replicate.(Intercept)": a, "replicate.(Intercept)": b}
          for a, b in ((0.3, 0.4), (0, 2))]  # fmt: skip
    assert_close([m.deviance_at(t) for t in at], reference["crossed"])
    assert_close([m.deviance_at(t, reml=False) for t in at], reference["crossed_ml"])


def test_generalized(reference: Any) -> None:
    data = mlm.load_dataset("cbpp")
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    points = [(0.6, [-1.4, -1, -1.1, -1.5]), (1, [-1, -1, -1, -1])]
    for n_agq, key in ((1, "laplace"), (7, "agq")):
        m = mlm.glmer(formula, data, n_agq=n_agq)
        ours = [m.deviance_at(t, beta=b) for t, b in points]
        assert_close(ours, reference[key], PIRLS, key)
    m = mlm.glmer(formula, data)
    assert_close(m.deviance_at(m.theta), -2 * m.loglik, PIRLS)
    assert_close(m.deviance_at(m.theta, beta=m.fixef().iloc[::-1]), -2 * m.loglik, PIRLS)
    zero = mlm.glmer(formula, data, n_agq=0)
    assert_close(zero.deviance_at([[0.6], [1]]), reference["zero"], PIRLS)


@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
def test_negative_binomial() -> None:
    data = mlm.load_dataset("grouseticks")
    m = mlm.glmer_nb("TICKS ~ YEAR + (1 | BROOD)", data)
    assert_close(m.deviance_at(m.theta), -2 * m.loglik, PIRLS_OF_MANY)


def test_asking_leaves_the_model_as_it_is(sleep: Any) -> None:
    before = sleep.fixef(), sleep.reml_criterion, str(sleep)
    sleep.deviance_at(ROWS, reml=False)
    assert_close(sleep.update(reml=False).update(reml=True).reml_criterion, before[1], REOPTIMIZED)
    pd.testing.assert_series_equal(sleep.fixef(), before[0])
    assert str(sleep) == before[2]
    assert_close(sleep.deviance_at(sleep.theta), before[1])


@pytest.mark.parametrize("type", [1, 2, 3])
def test_contrasts_of_a_table(type: int, reference: Any) -> None:
    m = mlm.lmer("angle ~ recipe * temp + (1 | replicate)", mlm.load_dataset("cake"))
    found = m.show_tests(type)
    theirs = reference["tests"]["I" * type]
    assert list(found) == list(theirs)
    table = m.anova(type=type)
    for i, (term, frame) in enumerate(found.items()):
        rows = np.atleast_1d(theirs[term]["rows"])
        assert list(frame.index) == list(rows)
        assert list(frame.columns) == list(theirs[term]["columns"])
        values = np.reshape(theirs[term]["values"], frame.shape, order="F")
        assert_close(frame, values, REOPTIMIZED, term)
        again = m.contest(frame.to_numpy(), joint=True)
        assert_close(again.statistic, table.statistic[i], REOPTIMIZED, term)


BAD = {
    "width": (lambda m: m.deviance_at([1, 2]), ArgumentError, "3 numbers"),
    "name": (lambda m: m.deviance_at({"Subject.Dayz": 1}), ArgumentError, "Subject.Days"),
    "text": (lambda m: m.deviance_at("abc"), ArgumentError, "numbers"),
    "missing": (lambda m: m.deviance_at([1, np.nan, 1]), ArgumentError, "missing"),
    "negative": (lambda m: m.deviance_at([-1, 0, 1]), ArgumentError, "not negative"),
    "beta": (lambda m: m.deviance_at([1, 0, 1], beta=[1, 2]), ArgumentError, "best fixed"),
    "empty": (lambda m: m.deviance_at([]), ArgumentError, "3 numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters(case: str, sleep: Any) -> None:
    ask, error, words = BAD[case]
    with pytest.raises(error, match=words):
        ask(sleep)
    assert sleep.deviance_at([1, 0, 1]) > 0


def test_what_is_not_there() -> None:
    m = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp")
    )
    with pytest.raises(NotSupportedError, match="no REML"):
        m.deviance_at([1], reml=True)
    with pytest.raises(ArgumentError, match="4 numbers"):
        m.deviance_at([1], beta=[1])
    with pytest.raises(NotSupportedError, match="linear"):
        m.show_tests()
