"""What glmer and its kin refuse: a typed error that says what to do, and R usable afterwards."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    DataError,
    FitError,
    FitTimeout,
    FormulaError,
    NotSupportedError,
    PymlmWarning,
    RWarning,
)
from tests.native import assert_fits_close as assert_close
from tests.tolerances import FLAT_CRITERION, REOPTIMIZED

CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@pytest.fixture(scope="module")
def cbpp() -> pd.DataFrame:
    data = mlm.load_dataset("cbpp")
    return data.assign(p=data["incidence"] / data["size"], any=data["incidence"] > 0)


@pytest.fixture(scope="module")
def m(cbpp):
    return mlm.glmer(CBPP, cbpp)


@pytest.mark.parametrize(
    ("fit", "error", "says"),
    [
        # family and link
        (lambda d: mlm.glmer(CBPP, d, "binomal"), ArgumentError, "Did you mean 'binomial'"),
        (lambda d: mlm.glmer(CBPP, d, link="logitt"), ArgumentError, "Did you mean 'logit'"),
        (lambda d: mlm.glmer(CBPP, d, "poisson", link="logit"), ArgumentError, "no link 'logit'"),
        (lambda d: mlm.glmer(CBPP, d, "quasibinomial"), NotSupportedError, "no likelihood"),
        (lambda d: mlm.glmer("p ~ 1 + (1 | herd)", d, "gaussian"), NotSupportedError, "lmer"),
        (lambda d: mlm.glmer(CBPP, d, famly="binomial"), ArgumentError, "Did you mean 'family'"),
        # the response
        (lambda d: mlm.glmer("size ~ period + (1 | herd)", d), DataError, "0 and 1"),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d.assign(p=-1), "poisson"), DataError, "counts"),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, "Gamma"), DataError, "above 0"),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, "inverse.gaussian"), DataError, "above 0"),
        (lambda d: mlm.glmer("period ~ (1 | herd)", d), DataError, "4 categories"),
        (lambda d: mlm.glmer("herd ~ (1 | period)", d, "poisson"), DataError, "not numeric"),
        (lambda d: mlm.glmer("cbind(size, -incidence) ~ (1 | herd)", d), FitError, "out of range"),
        (lambda d: mlm.glmer("I(-size) ~ (1 | herd)", d, "poisson"), FitError, "negative values"),
        (lambda d: mlm.glmer_nb("p ~ (1 | herd)", d.assign(p=-d["p"])), DataError, "counts"),
        # R's own spelling
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, nAGQ=2), ArgumentError, "Did you mean 'n_agq'"),
        # weights and offset
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, weights=np.zeros(56)), DataError, "row 0 has"),
        (
            lambda d: mlm.glmer("y ~ (1 | herd)", d.assign(y=-1).set_axis([7] * 56), "poisson"),
            DataError,
            r"'y' is -1 in row 7 \(56 such rows\)",
        ),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, weights=-d["size"]), DataError, "above 0"),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, weights="siez"), DataError, "'size'"),
        (lambda d: mlm.glmer("p ~ (1 | herd)", d, weights=[1.0, 2.0]), DataError, "2 values"),
        (lambda d: mlm.glmer(CBPP, d, offset=np.ones(3)), DataError, "offset has 3 values"),
        (lambda d: mlm.glmer(CBPP, d, offset=[np.nan] * 56), DataError, "offset is missing"),
        # quadrature
        (lambda d: mlm.glmer(CBPP + " + (1 | period)", d, n_agq=5), FitError,
         "single, scalar random-effects term"),
        (lambda d: mlm.glmer(CBPP, d, n_agq=-1), ArgumentError, "n_agq is a whole number"),
        (lambda d: mlm.glmer(CBPP, d, n_agq=1.5), ArgumentError, "n_agq is a whole number"),
        (lambda d: mlm.glmer(CBPP, d, n_agq=101), ArgumentError, "from 0 to 100"),
        # formula
        (lambda d: mlm.glmer("any ~ period", d), FormulaError, r"use pymlm\.glm"),
        (lambda d: mlm.glmer("~ period + (1 | herd)", d), FormulaError, "no response"),
        (lambda d: mlm.glmer("any ~ perod + (1 | herd)", d), FormulaError, "'period'"),
        (lambda d: mlm.glmer("any ~ system('x') + (1 | herd)", d), FormulaError, "system"),
        # start and control
        (lambda d: mlm.glmer(CBPP, d, start=[1.0, 2.0]), ArgumentError,
         "start has the wrong length"),
        (lambda d: mlm.glmer(CBPP, d, start={"bta": [1]}), ArgumentError, "'beta'"),
        (lambda d: mlm.glmer(CBPP, d, start={"beta": [1], "theta": [1]}), ArgumentError,
         "start has the wrong length"),
        (lambda d: mlm.glmer(CBPP, d, start={"beta": [0] * 4, "fixef": [0] * 4}), ArgumentError,
         "'beta' and 'fixef' are one"),
        (lambda d: mlm.glmer(CBPP, d, n_agq=0, start={"theta": [1], "fixef": [0] * 4}),
         ArgumentError, "n_agq=0 has no start of the fixed effects"),
        (lambda d: mlm.glmer(CBPP, d, control=mlm.LmerControl()), ArgumentError, "GlmerControl"),
    ],
)  # fmt: skip
def test_refused(cbpp, m, fit, error, says):
    with pytest.raises(error, match=says):
        fit(cbpp)
    assert_close(mlm.glmer(CBPP, cbpp).fixef(), m.fixef())


def test_the_error_names_row_and_remedy(cbpp):
    data = cbpp.assign(p=cbpp["p"].where(cbpp.index != 7, 1.5))
    with pytest.raises(DataError, match=r"'p' is 1.5 in row 7 .*cbind\(successes, failures\)"):
        mlm.glmer("p ~ period + (1 | herd)", data, weights="size")


def test_proportions_without_weights_get_r_s_warning(cbpp):
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        mlm.glmer("p ~ period + (1 | herd)", cbpp)
    texts = [str(w.message) for w in given if w.category is RWarning]
    assert "non-integer #successes in a binomial glm!" in texts


def test_a_time_limit(m):
    data = mlm.load_dataset("VerbAgg")
    with pytest.raises(FitTimeout):
        mlm.glmer("r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)", data, timeout=0.5)
    assert m.update(n_agq=0).nobs == 56


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.ones((55, 2)), "55 values"),
        (np.ones(56), "two columns"),
        (["incidence"], "two columns"),
        (np.full((56, 2), np.nan), "missing"),
    ],
)
def test_refit_of_two_columns(m, y, says):
    with pytest.raises(DataError, match=says):
        m.refit(y)


def test_refit_of_one_column(cbpp):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        m = mlm.glmer("any ~ period + (1 | herd)", cbpp)
        assert_close(
            m.refit(~cbpp["any"]).fixef(), -m.fixef(), FLAT_CRITERION
        )  # two optimizer runs
        assert_close(m.refit("any").loglik, m.loglik, REOPTIMIZED)
        again = m.refit(cbpp["any"].map({True: "b", False: "a"}))
        assert_close(again.loglik, m.loglik, REOPTIMIZED)
    for y, says in ((np.ones(3), "3 values"), (["a", "b", "c"] * 18 + ["a", "b"], "3 categories")):
        with pytest.raises(DataError, match=says):
            m.refit(y)
