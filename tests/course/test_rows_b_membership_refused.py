"""Checklist row 7: what multiple membership refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError, NotSupportedError
from tests.course.memberships import simulated


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, np.ndarray]:
    return simulated()


@pytest.fixture(scope="module")
def m(data) -> Any:
    return mlm.multiple_membership("y ~ x + (1 | school)", data[0], {"school": data[1]})


def test_row_7_what_would_make_z_anew_is_refused(m):
    with pytest.raises(NotSupportedError, match="re_form"):
        m.predict(re_form="~ (1 | school)")
    with pytest.raises(NotSupportedError, match="intervals"):
        m.predict(interval="confidence")
    with pytest.raises(NotSupportedError, match="anew"):
        m.simulate(use_u=True)
    with pytest.raises(NotSupportedError, match="script"):
        m.to_r()
    with pytest.raises(NotSupportedError, match="refit"):
        m.bootstrap(nsim=2, seed=1)
    with pytest.raises(NotSupportedError, match="refit"):
        m.confint("boot", nsim=2, seed=1)
    with pytest.raises(NotSupportedError, match="refit"):
        mlm.icc(m, ci="boot", nsim=2, seed=1)
    with pytest.raises(NotSupportedError, match="ranova"):
        m.step()
    with pytest.raises(NotSupportedError, match="anew"):
        m.influence()
    with pytest.raises(NotSupportedError, match="membership"):
        mlm.render(m, "stata", command="xtreg, re")
    with pytest.raises(NotSupportedError, match="one unit"):
        m.summary(engine="exact")
    with pytest.raises(NotSupportedError, match="membership"):
        mlm.pb_modcomp(m, m.update(". ~ . - x"), nsim=2, seed=1)


def test_row_7_bad_models_are_refused(data):
    d, W = data
    ok = {"school": W}
    with pytest.raises(DataError, match="sum to 2, not 1"):
        mlm.multiple_membership("y ~ x + (1 | school)", d, {"school": W * 2})
    with pytest.raises(DataError, match="shape"):
        mlm.multiple_membership("y ~ x + (1 | school)", d, {"school": W[:5]})
    with pytest.raises(DataError, match="name of its own"):
        mlm.multiple_membership("y ~ x + (1 | school)", d.assign(school=1), ok)
    with pytest.raises(FormulaError, match="no random-effects term"):
        mlm.multiple_membership("y ~ x + (1 | x)", d, ok)
    with pytest.raises(FormulaError, match="is no column"):
        mlm.multiple_membership("y ~ x + school + (1 | school)", d, ok)
    with pytest.raises(NotSupportedError, match="alone"):
        mlm.multiple_membership("y ~ x + (1 | school:x)", d, ok)
    with pytest.raises(ArgumentError, match="maps a factor"):
        mlm.multiple_membership("y ~ x + (1 | school)", d, W)


@pytest.mark.parametrize("ask", ["script", "between-within", "pb_modcomp"])
def test_what_a_membership_model_cannot_answer_is_refused(ask):
    rng = np.random.default_rng(3)
    n, units = 120, 8
    w = np.zeros((n, units))
    for row in w:
        row[rng.choice(units, 2, replace=False)] = 0.5
    x = rng.normal(size=n)
    y = x + w @ rng.normal(size=units) + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x})
    m = mlm.multiple_membership("y ~ x + (1 | school)", data, {"school": w})
    m0 = mlm.multiple_membership("y ~ 1 + (1 | school)", data, {"school": w})
    asked = {
        "script": lambda: mlm.check_parity(m),
        "between-within": lambda: m.summary(ddf="between-within"),
        "pb_modcomp": lambda: mlm.pb_modcomp(m, m0, nsim=5),
    }
    with pytest.raises(NotSupportedError):
        asked[ask]()
