"""variance_function of generalized models and of lme: the same shares as icc at each value."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError

#: The same arithmetic on the same numbers, in another order.
ROUNDING = 1e-12

FORMULAS = {
    "poisson": "TICKS ~ cHEIGHT + (cHEIGHT | LOCATION)",
    "a level a row": "TICKS ~ cHEIGHT + (cHEIGHT | LOCATION) + (1 | INDEX)",
    "negative binomial": "TICKS ~ cHEIGHT + (cHEIGHT || LOCATION)",
}


@functools.cache
def model(name: str) -> Any:
    if name == "lme":
        return mlm.lme("distance ~ age", mlm.load_dataset("nlme::Orthodont"), "~ age | Subject")
    d = mlm.load_dataset("grouseticks")
    if name == "negative binomial":
        return mlm.glmer_nb(FORMULAS[name], d)
    return mlm.glmer(FORMULAS[name], d, family="poisson")


@pytest.mark.parametrize("name", [*FORMULAS, "lme"])
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_the_share_is_the_icc_at_each_value(name):
    x, values = ("age", [8.0, 11.0, 14.0]) if name == "lme" else ("cHEIGHT", [-20.0, 0.0, 35.0])
    found = mlm.variance_function(model(name), x, at=values)
    for value, share, total in zip(values, found.icc, found.total, strict=True):
        icc = mlm.icc(model(name), at={x: value}, ci=None)
        np.testing.assert_allclose(share, icc.icc[0], rtol=ROUNDING)
        np.testing.assert_allclose(total, icc.total, rtol=ROUNDING)
    assert found.icc[0] != found.icc[2]


def test_by_hand():
    """ln(1 + 1/lambda) of Nakagawa et al. 2017, table 2, and a row's own variance beside it."""
    m, x = model("a level a row"), np.array([-20.0, 0.0, 35.0])
    found = mlm.variance_function(m, "cHEIGHT", at=x, mean=3.0)
    v = m.varcorr()
    G = v.matrix("LOCATION").to_numpy()
    between = G[0, 0] + 2 * x * G[0, 1] + x**2 * G[1, 1]
    np.testing.assert_allclose(found.between, between, rtol=ROUNDING)
    level1 = np.log1p(1 / 3) + v.variance("INDEX")
    np.testing.assert_allclose(found.residual, level1, rtol=ROUNDING)
    np.testing.assert_allclose(found.total, between + level1, rtol=ROUNDING)
    np.testing.assert_allclose(found.minimum_at, -G[0, 1] / G[1, 1], rtol=ROUNDING)
    delta = mlm.variance_function(m, "cHEIGHT", at=x, mean=3.0, approximation="delta")
    np.testing.assert_allclose(
        delta.residual - found.residual, 1 / 3 - np.log1p(1 / 3), rtol=ROUNDING
    )


def test_refused():
    with pytest.raises(ArgumentError, match="no random slope"):
        mlm.variance_function(model("a level a row"), "YEAR")
    with pytest.raises(ArgumentError, match="of generalized models"):
        mlm.variance_function(model("lme"), "age", mean=2.0)
    with pytest.raises(ArgumentError, match="give it as m"):
        mlm.variance_function(at=[1.0], tau=np.eye(2), sigma=1.0, mean=2.0)
    with pytest.raises(ArgumentError, match="lognormal"):
        mlm.variance_function(model("poisson"), "cHEIGHT", approximation="latent")
    with pytest.raises(NotSupportedError, match="gls"):
        mlm.variance_function(mlm.gls("distance ~ age", mlm.load_dataset("nlme::Orthodont")), "age")
