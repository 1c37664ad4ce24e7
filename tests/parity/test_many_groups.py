"""Many groups of one formula: every number is that of the fit to the group's rows alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.tolerances import BY_HAND

#: lme4's optimizer on the same matrices in the same process repeats bit for bit.
SAME_FIT = 1e-10

DESIGNS = {
    "intercepts": "x + (1 | g)",
    "slopes of a dummy": "z + (z | g)",
    "uncorrelated": "x + (x + z || g)",
    "nested": "x * f + (1 | g / h)",
    "crossed": "f + (1 | g) + (0 + x | k)",
    "by factor levels": "x + (0 + f | g)",
    "interaction of factors": "x + (1 | g:f)",
    "text as a factor": "x + (1 | k)",
    "function of a predictor": "exp(x) + I(x^2) + (I(x > 0) | g)",
}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(41)
    sizes = {"a": 240, "b": 180, "c": 240}
    n = sum(sizes.values())
    where = np.repeat(list(sizes), list(sizes.values()))
    d = pd.DataFrame(
        {
            "where": where, "x": rng.normal(size=n), "z": rng.integers(0, 2, n).astype(float),
            "f": pd.Categorical(rng.choice(list("uvw"), n)), "g": np.arange(n) // 20,
            "h": (np.arange(n) // 5) % 4, "k": rng.choice(list("abcdefgh"), n),
            "w": rng.uniform(0.5, 2, n), "o": rng.normal(size=n),
        }
    )  # fmt: skip
    d["g"] = pd.Categorical(d.g)  # most of its levels are another group's
    codes = d.g.cat.codes.to_numpy()
    slope = 0.7 * rng.normal(size=codes.max() + 1)[codes]
    d["y"] = d.x * (1 + slope) + d.z * slope + rng.normal(size=codes.max() + 1)[codes]
    d["y"] += (d.h + codes) % 3 * 0.8 + d.k.map(ord) % 4 * 0.6 + rng.normal(size=n)
    d.loc[[3, 250, 251], "y"] = np.nan
    d.loc[[10, 300], "x"] = np.nan
    return d


def close(ours, theirs, tolerance=SAME_FIT):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), tolerance)


# singular fits and Hessians of overfitted models: both sides say so, and glance is compared
@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")
@pytest.mark.parametrize("options", [{}, {"weights": "w", "reml": False}, {"offset": "o"}], ids=str)
@pytest.mark.parametrize("random", DESIGNS.values(), ids=DESIGNS)
def test_a_group_is_fitted_as_alone(frame, random, options):
    fits = mlm.fit_many(f"y ~ {random}", frame, by="where", **options)
    assert not fits.failures
    theta, varcorr = fits.to_frame("theta"), fits.to_frame("varcorr")
    glance = fits.to_frame("glance").set_index("where")
    for where, rows in frame.groupby("where"):
        m = mlm.lmer(f"y ~ {random}", rows, **options)
        fixed, ours = m.summary(engine="exact").fixed, fits.tables[where]
        assert list(ours.term) == list(fixed.term)
        for column in ("estimate", "std_error", "df", "statistic"):
            close(getattr(ours, column), getattr(fixed, column))
        own = theta[theta["where"] == where]
        assert own.name.tolist() == list(m.theta.index)
        close(own.theta, m.theta)
        table = m.varcorr().to_frame()
        assert varcorr[varcorr["where"] == where].grp.tolist() == table.grp.tolist()
        close(varcorr[varcorr["where"] == where].sdcor, table.sdcor)
        for column in ("nobs", "sigma", "loglik", "aic", "df_residual"):
            close(glance.loc[where, column], getattr(m.glance(), column))
        assert glance.loc[where, "singular"] == m.convergence.singular
        assert glance.loc[where, "converged"] == m.convergence.ok


def test_groups_whose_tables_differ(frame):
    # a level that a group has not leaves a column out; modes have each group's own levels
    d = frame.assign(f=frame.f.where((frame["where"] != "b") | (frame.f != "w"), "u"))
    fits = mlm.fit_many("y ~ f + (1 | g)", d, by="where", ranef=True)
    assert [len(fits.tables[w].term) for w in "abc"] == [3, 2, 3]
    modes = fits.to_frame("ranef")
    for where, rows in d.groupby("where"):
        theirs = mlm.lmer("y ~ f + (1 | g)", rows).ranef().to_frame()
        own = modes[modes["where"] == where]
        both = own.merge(theirs, on=["grpvar", "term", "grp"], suffixes=("", "_r"))
        assert len(both) == len(theirs) == len(own)
        close(both.condval, both.condval_r, BY_HAND)


@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")  # as above
@pytest.mark.parametrize("n_agq", [0, 1])
def test_generalized(frame, n_agq):
    d = frame.assign(yes=(frame.y > frame.y.mean()).astype(int))
    fits = mlm.fit_many("yes ~ x + (1 | g)", d, by="where", family="binomial", n_agq=n_agq)
    theta = fits.to_frame("theta")
    for where, rows in d.groupby("where"):
        m = mlm.glmer("yes ~ x + (1 | g)", rows, family="binomial", n_agq=n_agq)
        close(fits.tables[where].estimate, m.fixef())
        close(fits.tables[where].std_error, m.summary().fixed.std_error)
        close(theta[theta["where"] == where].theta, m.theta)
