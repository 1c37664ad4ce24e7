"""`||` beside a factor: lme4 keeps the correlations of the factor's levels, 2.1 as 1.1."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    d = pd.DataFrame({"g": np.repeat(np.arange(30), 12), "f": np.tile(list("abc"), 120)})
    own = rng.normal(size=(30, 3))[d.g, d.f.map("abc".index)]
    d["x"] = rng.normal(size=360)
    d["y"] = own + 0.7 * rng.normal(size=30)[d.g] + d.x * rng.normal(size=30)[d.g]
    d["y"] += rng.normal(size=360)
    return d.assign(**{f"f{c}": (d.f == c) * 1.0 for c in "abc"}, b=d.f == "a")


@pytest.mark.parametrize(
    "term",
    [
        "(0 + f || g)",
        "(0 + f + x || g)",
        "(0 + x:f || g)",
        "(0 + b || g)",
        "(x || g) + (0 + f || g)",
    ],
)
def test_no_correlations_or_a_word(rows, term):
    for data in (rows, rows.assign(f=rows["f"].astype("category"))):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            m = mlm.lmer(f"y ~ 1 + {term}", data)
        correlated = any(v is not None for v in m.varcorr().var2)
        said = [w for w in seen if w.category is AdviceWarning and "'||'" in str(w.message)]
        assert len(said) == correlated


def test_numbers_are_split_without_a_word(rows):
    m = mlm.lmer("y ~ f + (0 + fa + fb + fc || g)", rows)
    assert len(m.theta) == 3
