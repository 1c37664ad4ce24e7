"""Formulas larger than R's stacks: fitted where lme4 can, else refused in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import FitError, FormulaError, RWarning
from tests.tolerances import OTHER_OPTIMIZER


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    d = pd.DataFrame(rng.normal(size=(60, 3000)), columns=[f"v{i}" for i in range(3000)])
    return d.assign(y=rng.normal(size=60), g=list("abcdef") * 10)


def test_thousands_of_terms_are_refused_and_r_goes_on(wide, sleepstudy):
    terms = " + ".join(f"v{i % 3000}" for i in range(8000))
    with pytest.raises(FormulaError, match="more terms than R can walk through"):
        mlm.lmer(f"y ~ {terms} + (1 | g)", wide)
    assert mlm.lm("Reaction ~ Days", sleepstudy).nobs == 180


def test_a_polynomial_of_more_degrees_than_points(wide):
    with pytest.raises(FormulaError, match="degree"):
        mlm.lmer("y ~ poly(v2, 2000) + (1 | g)", wide)


def test_a_dot_of_thousands_of_columns(wide):
    """lme4 keeps what is not linearly dependent; the dot is written out for a mixed model."""
    columns = [f"v{i}" for i in range(4000)]
    values = np.tile(wide[columns[:5]].to_numpy(), 800)
    g = np.repeat(np.arange(6), 10)
    d = pd.DataFrame(values, columns=columns).assign(y=wide.y + g, g=np.array(list("abcdef"))[g])
    with pytest.warns(RWarning, match="rank deficient"):
        few = mlm.lmer("y ~ . - g + (1 | g)", d)
    kept = mlm.lmer(f"y ~ {' + '.join(columns[:5])} + (1 | g)", d)
    assert few.fixef().index.tolist() == ["(Intercept)", *columns[:5]]
    np.testing.assert_allclose(few.fixef(), kept.fixef(), rtol=OTHER_OPTIMIZER)


#: A dot where it means something else, or leaves nothing to estimate.
DOTS = {
    "lme": (lambda d: mlm.lme("y ~ .", d, random="~ 1 | g"), "takes '.' for the grouping factor"),
    "lme random": (lambda d: mlm.lme("y ~ x", d, random="~ . | g"), "for the grouping factor"),
    "lm_list": (lambda d: mlm.lm_list("y ~ . | g", d), "no group could be fitted.*the dot"),
    "lmer": (lambda d: mlm.lmer("y ~ . + (1 | g)", many(d)), "as many coefficients as rows"),
    "glmer": (
        lambda d: mlm.glmer("n ~ . + (1 | g)", many(d), family="poisson"),
        "as many coefficients as rows",
    ),
    "gls": (lambda d: mlm.gls("y ~ .", many(d)), "as many coefficients as rows"),
}


def many(d):
    """More columns than rows."""
    rng = np.random.default_rng(3)
    more = pd.DataFrame(rng.normal(size=(60, 70))).add_prefix("v")
    return pd.concat([d, more], axis=1)


@pytest.mark.parametrize("fit", DOTS)
@pytest.mark.filterwarnings("ignore:fixed-effect model matrix", "ignore:Fitting failed")
def test_a_dot_that_cannot_be_fitted_is_refused_in_words(small, fit):
    ask, words = DOTS[fit]
    with pytest.raises((FormulaError, FitError), match=f"(?is){words}"):
        ask(small)


#: A call that would fill the memory, and the number that does.
HUGE = {
    "ns(x, df = 1e6)": "1,000,000", "bs(x, 1e6)": "1,000,000", "ns(x, knots=seq_len(1e7))": "0,000",
    "cut(x, 10^8)": "100,000,000", "I(rep(x, times=1e9))": "1,000,000,000",
    "I(seq(1, 1e10, by=2))": "5,000,000,000", "C(g, contr.sum(1e5))": "100,000",
    "poly(x, 30000, raw=TRUE)": "30,000", "log(scale(bs(x, degree=2 * 1e5)))": "200,000",
}  # fmt: skip
FITS = {
    "lm": lambda t, d: mlm.lm(f"y ~ {t}", d),
    "glm": lambda t, d: mlm.glm(f"n ~ {t}", d, family="poisson"),
    "lmer": lambda t, d: mlm.lmer(f"y ~ {t} + (1 | g)", d),
    "slopes": lambda t, d: mlm.lmer(f"y ~ 1 + ({t} | g)", d),
    "glmer": lambda t, d: mlm.glmer(f"n ~ {t} + (1 | g)", d, family="poisson"),
    "lme": lambda t, d: mlm.lme(f"y ~ {t}", d, random="~ 1 | g"),
    "gls": lambda t, d: mlm.gls(f"y ~ {t}", d),
    "lm_list": lambda t, d: mlm.lm_list(f"y ~ {t} | g", d),
    "fit_many": lambda t, d: mlm.fit_many(f"~ {t} + (1 | g)", d, responses=["y"], progress=False),
    "pooling": lambda t, d: mlm.pooling(f"y ~ {t}", d, by="g"),
    "panel": lambda t, d: mlm.panel(f"y ~ {t}", d, by="g"),
    "effect_types": lambda t, d: mlm.effect_types(f"y ~ {t} + (1 | g)", d),
}


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"y": rng.normal(size=60), "x": rng.normal(size=60), "g": list("abcdef") * 10}
    ).assign(n=rng.poisson(2, 60))


@pytest.mark.parametrize("fit", FITS)
def test_a_call_of_millions_of_columns_is_refused_before_r_makes_them(small, fit):
    for term, number in HUGE.items():
        with pytest.raises(FormulaError, match=number):
            FITS[fit](term, small)


@pytest.mark.parametrize("fit", ["lm", "lmer", "glmer", "lme", "gls"])
def test_a_polynomial_of_too_high_a_degree_in_every_class(small, fit):
    with pytest.raises(FormulaError, match="degree"):
        FITS[fit]("poly(x, 1000)", small)


def test_numbers_that_make_nothing_large_pass(small):
    """As many columns as there are rows are R's to judge; values are no sizes."""
    for term in ("I(seq(0, 1e9, length.out=60))", "cut(x, c(-1e9, 0, 1e9))", "bs(x, 4)"):
        assert mlm.lm(f"y ~ {term}", small).nobs == 60


def test_a_hundred_thousand_characters(small):
    for fit in ("lm", "lmer", "lme"):
        with pytest.raises(FormulaError, match="more terms than R can walk through"):
            FITS[fit]("x" + "+x" * 50_000, small)
