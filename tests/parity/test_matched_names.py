"""Estimates looked up by name: of split terms, and of interactions written two ways round."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import OPTIMUM, assert_close
from tests.tolerances import BY_HAND, FLAT_CRITERION

#: Fit and text of R for models whose random part R splits, or that names a coefficient twice.
SPLIT = {
    "double bars": "Reaction ~ Days + (Days || Subject)",
    "two terms": "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
    "slope first": "Reaction ~ Days + (0 + Days | Subject) + (1 | Subject)",
    "one term": "Reaction ~ Days + (Days | Subject)",
}


@pytest.mark.parametrize("name", SPLIT)
def test_profile_intervals_of_split_terms(sleepstudy, name):
    """broom.mixed's limits are those of confint(method = "profile"), row by row."""
    m = mlm.lmer(SPLIT[name], sleepstudy)
    found = m.tidy("ran_pars", conf_int=True, conf_method="profile").to_frame()
    limits = m.confint("profile").to_frame()
    for row in found.itertuples():
        low, high = row.conf_low, row.conf_high
        if row.term.startswith("sd__") and row.group != "Residual":
            right = limits.loc[f"sd_{row.term[4:]}|Subject"]
        else:
            right = limits.loc[
                "sigma" if row.group == "Residual" else "cor_Days.(Intercept)|Subject"
            ]
        assert [low, high] == right.tolist()
        assert low < row.estimate < high


def test_bootstrap_intervals(sleepstudy):
    m = mlm.lmer(SPLIT["double bars"], sleepstudy)
    found = m.tidy(conf_int=True, conf_method="boot", nsim=100, seed=1)
    right = m.confint("boot", nsim=100, seed=1)
    assert sorted(found.conf_low) == sorted(right.conf_low)
    assert sorted(found.conf_high) == sorted(right.conf_high)


@pytest.fixture(scope="module")
def crossed():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(20), 30)
    d = pd.DataFrame({"g": g, "x1": rng.normal(size=600), "x2": rng.normal(size=600)})
    own = rng.normal(size=(4, 20))[:, g]
    d["y"] = own[0] + (1 + own[1]) * d.x1 + (1 + own[2]) * d.x2 + rng.normal(size=600)
    d["y"] += (0.5 + own[3]) * d.x1 * d.x2
    return d


@pytest.fixture(scope="module", params=["(x1 * x2 || g)", "(0 + x1:x2 | g)"])
def two_ways(request, crossed):
    """The same model, its interaction written x2:x1 and x1:x2 in the fixed part."""
    return tuple(mlm.lmer(f"y ~ {f} + {request.param}", crossed) for f in ("x2 * x1", "x1 * x2"))


def test_coefficients_of_groups(two_ways):
    a, b = (m.coef()["g"] for m in two_ways)
    assert sorted(a.columns) == ["(Intercept)", "x1", "x2", "x2:x1"]
    assert_close(a.rename(columns={"x2:x1": "x1:x2"})[b.columns], b, FLAT_CRITERION)
    by_hand = two_ways[0].ranef()["g"]["x1:x2"] + two_ways[0].fixef()["x2:x1"]
    assert_close(a["x2:x1"], by_hand, BY_HAND)


def _ran_coefs(m):
    d = m.tidy("ran_coefs").to_frame()
    d["term"] = d["term"].replace("x2:x1", "x1:x2")
    return d.sort_values(["term", "level"])["estimate"]


def _shrinkage(m):
    d = mlm.shrinkage(m).to_frame()
    return d[d.columns[[t.kind == "f" for t in d.dtypes]]]


@pytest.mark.parametrize("ask", [_ran_coefs, _shrinkage])
def test_what_is_made_of_them(two_ways, ask):
    a, b = (ask(m) for m in two_ways)
    assert_close(a, b, FLAT_CRITERION)


def test_equations_and_effect_types_know_that_it_is_one_slope(two_ways):
    a, b = ([e.replace("x2:x1", "x1:x2") for e in [str(mlm.equations(m))]] for m in two_ways)
    assert sorted("".join(a)) == sorted("".join(b))
    a, b = (mlm.effect_types(m, warn=False).to_frame().rename({"x2:x1": "x1:x2"}) for m in two_ways)
    assert a.loc["x1:x2"].tolist() == b.loc["x1:x2"].tolist()


def test_coefficients_of_lme(crossed):
    fits = [mlm.lme(f"y ~ {f}", crossed, random="~ 0 + x1:x2 | g") for f in ("x2 * x1", "x1 * x2")]
    a, b = (m.coef()["g"] for m in fits)
    assert_close(a.rename(columns={"x2:x1": "x1:x2"})[b.columns], b, OPTIMUM)
