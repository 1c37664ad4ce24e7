"""Groups that R would merge, or rename, when it makes names of numbers and times."""

from __future__ import annotations

import datetime as dt
import pickle
import re

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError
from pymlm.frame_keys import number_label
from tests.native import OPTIMUM, ROUND_TRIP, assert_close, native
from tests.tolerances import OTHER_OPTIMIZER, REOPTIMIZED

K = np.repeat(np.arange(24), 10)
START = pd.Timestamp("2024-03-01 12:00")

#: Groups, and the names that they must have.
GROUPS = {
    "site and person": ((K // 6 + 1) * 10**15 + K % 6 + 1, str),
    "above 2^53": (K + 2**60, str),
    "uint64": (K.astype("uint64") + np.uint64(2**63), str),
    "Int64": (pd.array(K + 3 * 10**9, dtype="Int64"), str),
    "round ids": (K * 100_000, str),
    "ids as floats": (K * 1.0 + 3e9, lambda v: str(int(v))),
    "negative": (-K - 10**15, str),
    "floats of 17 digits": (0.1 + K * 2.0**-54, repr),
    "milliseconds": (START + pd.to_timedelta(K * 400, unit="ms"), None),
    "nanoseconds": (START + pd.to_timedelta(K, unit="ns"), None),
    "zone": ((START + pd.to_timedelta(K * 400, unit="ms")).tz_localize("Asia/Tokyo"), None),
    "days": (pd.Timestamp("2024-03-01") + pd.to_timedelta(K, unit="D"), lambda v: str(v)[:10]),
    "differences": (pd.to_timedelta(K * 10**15 + 1, unit="ns"), None),
    "dates": (pd.Series([dt.date(2024, 1, 1) + dt.timedelta(int(k)) for k in K]), str),
    "Python's integers": (pd.Series([int(k) + 2**70 for k in K], dtype=object), str),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    d = pd.DataFrame({"x": rng.normal(size=240), "plain": [f"{k:02}" for k in K]})
    d["z"] = np.tile([0.0, 1.0], 120)
    d["y"] = 1 + d.x * (1 + rng.normal(size=24)[K]) + rng.normal(size=24)[K]
    d["y"] += rng.normal(size=240)
    return d


@pytest.fixture(scope="module", params=GROUPS)
def keyed(request, rows):
    values, name = GROUPS[request.param]
    values = pd.Series(values)
    d = rows.assign(g=values.to_numpy() if values.dtype == object else values.array)
    order = d.groupby("g")["plain"].first()  # levels in the order of the values
    return d, name, order


def test_lmer(keyed, rows):
    d, name, order = keyed
    m = mlm.lmer("y ~ x + (1 | g)", d)
    right = mlm.lmer("y ~ x + (1 | plain)", rows)
    assert m.ngroups == {"g": 24}
    assert_close(m.sigma, right.sigma, OPTIMUM)
    modes = m.ranef()["g"]
    assert len(set(modes.index)) == 24
    assert_close(
        modes["(Intercept)"], right.ranef()["plain"].loc[order]["(Intercept)"], REOPTIMIZED
    )
    if name is not None:
        assert modes.index.tolist() == [name(v) for v in order.index]
    for again in (
        m,
        pickle.loads(pickle.dumps(m)),
        m.update(". ~ . + I(x^2)").update(". ~ . - I(x^2)"),
    ):
        assert_close(again.predict(d.tail(30)), m.fitted().tail(30), OPTIMUM)
    assert_close(m.refit(d.y * 2).sigma, 2 * m.sigma, OTHER_OPTIMIZER)
    if d["g"].dtype != object or not isinstance(d["g"].iloc[0], dt.date):
        assert m.augment()["g"].tolist() == d["g"].tolist()
    new = d.tail(10).assign(g=d["g"].iloc[0])
    at = right.predict(new.assign(plain="00"))
    assert_close(m.predict(new), at, REOPTIMIZED)


def test_the_other_fits(keyed, rows):
    d = keyed[0]
    every = {
        "lm_list": lambda g, e: mlm.lm_list(f"y ~ x | {g}", e).coef(),
        "lme": lambda g, e: mlm.lme("y ~ x", e, random=f"~ 1 | {g}").ranef()[g],
        "factor": lambda g, e: mlm.lm(f"y ~ 0 + factor({g})", e).fixef(),
        "pooling": lambda g, e: mlm.pooling("y ~ x", e, g).to_frame()["no_pooling"],
    }
    for what, ask in every.items():
        ours, right = ask("g", d), ask("plain", rows)
        assert len(ours) == len(right), what
        assert_close(np.sort(np.ravel(ours)), np.sort(np.ravel(right)), OTHER_OPTIMIZER, what)
    m, right = mlm.lm_list("y ~ x | g", d), mlm.lm_list("y ~ x | plain", rows)
    assert_close(m.predict(d.tail(20)), right.predict(rows.tail(20)))
    m, right = (mlm.lme("y ~ x", e, random=f"~ 1 | {g}") for g, e in (("g", d), ("plain", rows)))
    assert_close(m.predict(d.tail(20)), right.predict(rows.tail(20)), REOPTIMIZED)


@pytest.mark.parametrize("term", ["(1 | g:z)", "(x || g)", "(0 + x | g) + (1 | g)"])
def test_wherever_a_group_stands(rows, term):
    d = rows.assign(g=GROUPS["site and person"][0])
    same = re.sub(r"\bg\b", "plain", term)
    m, right = (mlm.lmer(f"y ~ x + {t}", d) for t in (term, same))
    assert sorted(m.ngroups.values()) == sorted(right.ngroups.values())
    assert_close(m.reml_criterion, right.reml_criterion, OPTIMUM)


def test_a_group_that_is_a_number_too(rows):
    d = rows.assign(g=K % 5 + 0.5, h=K * 1.0 + 10**15, i=K + 99_990)
    for name in ("g", "i"):  # R tells these apart
        m = mlm.lmer(f"y ~ {name} + (1 | {name})", d)
        y, g = (", ".join(map(repr, map(float, d[c]))) for c in ("y", name))
        theirs = native(
            f"d <- data.frame(y = c({y}), g = c({g})); m <- lme4::lmer(y ~ g + (1 | g), d)\n"
            "emit(list(b = unname(fixef(m)), s = sigma(m)))"
        )
        assert_close(m.fixef(), theirs["b"], REOPTIMIZED)
        assert_close(m.sigma, theirs["s"], REOPTIMIZED)
    for text in ("y ~ h + (1 | h)", "y ~ x + (h | h)", "y ~ log(h) + (1 | h)", "y ~ . + (1 | h)"):
        with pytest.raises(DataError, match=r"'h' .* is a grouping factor and a number"):
            mlm.lmer(text, d[["y", "x", "h"]])
    with pytest.raises(DataError, match="grouping factor and a number"):
        mlm.lme("y ~ h", d, random="~ 1 | h")


def test_a_changed_formula_makes_a_number_of_a_name(rows):
    d = rows.assign(i=K + 99_990)
    m = mlm.lmer("y ~ x + (1 | i)", d).update(". ~ . + i")
    assert m.fixef().index.tolist() == ["(Intercept)", "x", "i"]
    assert_close(m.fixef(), mlm.lmer("y ~ x + i + (1 | i)", d).fixef(), ROUND_TRIP)


def test_parity_of_coded_groups(rows):
    for name in ("site and person", "milliseconds"):
        m = mlm.lmer("y ~ x + (1 | g)", rows.assign(g=GROUPS[name][0]))
        assert mlm.check_parity(m).ok


def test_numbers_are_written_as_r_does_where_r_tells_them_apart():
    numbers = [
        0.1,
        0.0001,
        1e-5,
        12345.6789,
        1.5e-300,
        -2.25,
        123456.7,
        1e-15,
        1 / 3 * 3 / 7,
        1e300,
    ]
    listed = ", ".join(map(repr, numbers))
    r = native(f"emit(as.character(c({listed})))")
    same = [(n, t) for n, t in zip(numbers, r, strict=True) if float(t) == n]
    assert [number_label(n) for n, _ in same] == [t for _, t in same]
    assert len(same) > 6


def test_negative_zero_is_zero(rows):
    d = rows.assign(g=np.where(K % 3 == 0, -0.0, K % 3 + 0.5) * np.where(K > 12, 1, -1))
    assert mlm.lmer("y ~ x + (1 | g)", d).ngroups["g"] == d["g"].nunique()
