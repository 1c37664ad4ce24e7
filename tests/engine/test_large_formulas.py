"""Formulas larger than R's stacks: fitted where lme4 can, else refused in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import FormulaError


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
    """60 rows give 60 coefficients; the dot is written out, for an array crosses beside it."""
    columns = [f"v{i}" for i in range(3000)]
    d = wide.loc[:, [*columns, "y"]]
    terms = mlm.lm("y ~ .", d, offset=np.zeros(60)).fixef()
    assert terms.index.tolist() == ["(Intercept)", *columns[:59]]
