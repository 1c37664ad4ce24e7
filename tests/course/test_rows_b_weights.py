"""Checklist rows 3-5 and 7: membership weights, spatial and network data, meta-analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import pymlm as mlm
from pymlm.errors import DataError, FormulaError
from tests.tolerances import FLAT_CRITERION, OTHER_OPTIMIZER, REOPTIMIZED


def test_row_7_weights_from_columns():
    d = pd.DataFrame(
        {"s1": ["a", "b", "c"], "s2": ["b", None, "a"], "w1": [0.7, 1.0, 0.5],
         "w2": [0.3, np.nan, 0.5]}
    )  # fmt: skip
    w = mlm.membership_weights(d, ["s1", "s2"], ["w1", "w2"])
    assert w.to_numpy().tolist() == [[0.7, 0.3, 0], [0, 1, 0], [0.5, 0, 0.5]]
    equal = mlm.membership_weights(d, ["s1", "s2"])
    assert equal.to_numpy().tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0.5, 0, 0.5]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w1": [0.7, 0.5]}, "sum to 0.5, not 1"),
        ({"w1": [-0.7, 1.0], "w2": [1.7, np.nan]}, "below 0"),
        ({"w2": [np.nan, np.nan]}, "no weight in 'w2'"),
        ({"s2": [None, None]}, "no unit in 's2'"),
        ({"s1": ["a", None], "w1": [0.7, np.nan]}, "names no unit"),
        ({"w1": ["x", "y"]}, "must be numbers"),
    ],
)
def test_row_7_bad_weights_are_refused(change, message):
    d = pd.DataFrame({"s1": ["a", "b"], "s2": ["b", None], "w1": [0.7, 1.0], "w2": [0.3, np.nan]})
    with pytest.raises(DataError, match=message):
        mlm.membership_weights(d.assign(**change), ["s1", "s2"], ["w1", "w2"])


def test_row_7_normalize():
    d = pd.DataFrame({"s1": ["a", "b"], "s2": ["b", "a"], "w1": [2.0, 1], "w2": [2.0, 3]})
    w = mlm.membership_weights(d, ["s1", "s2"], ["w1", "w2"], normalize=True)
    assert w.to_numpy().tolist() == [[0.5, 0.5], [0.75, 0.25]]
    with pytest.raises(DataError, match="cannot be normalized"):
        mlm.membership_weights(
            d.assign(w1=[0.0, 1], w2=[0.0, 3]), ["s1", "s2"], ["w1", "w2"], normalize=True
        )


def test_row_4_spatial_data_are_multiple_membership():
    """Areas on a ring belong to their two neighbours; dense algebra gives the same criterion."""
    rng = np.random.default_rng(5)
    k, per = 30, 8
    names = [f"a{i:02d}" for i in range(k)]
    A = pd.DataFrame(0.0, index=names, columns=names)
    for i in range(k):
        A.iloc[i, (i + 1) % k] = A.iloc[i, (i - 1) % k] = 1
    area = np.repeat(names, per)
    w = mlm.neighbour_weights(A, pd.Series(area))
    assert set(np.unique(w.to_numpy())) == {0.0, 0.5}
    u = rng.normal(size=k)
    d = pd.DataFrame({"y": w.to_numpy() @ u * 2 + rng.normal(size=k * per)})
    m = mlm.multiple_membership("y ~ 1 + (1 | neighbour)", d, {"neighbour": w})
    W = w.to_numpy()
    V = m.sigma**2 * (np.eye(len(d)) + m.theta.iloc[0] ** 2 * W @ W.T)
    L = np.linalg.cholesky(V)
    one, y = np.linalg.solve(L, np.ones(len(d))), np.linalg.solve(L, d["y"].to_numpy())
    beta = (one @ y) / (one @ one)
    crit = (2 * np.log(np.diag(L)).sum() + np.log(one @ one) + np.sum((y - one * beta) ** 2)
            + (len(d) - 1) * np.log(2 * np.pi))  # fmt: skip
    assert m.reml_criterion == pytest.approx(crit, abs=REOPTIMIZED)
    assert m.fixef().iloc[0] == pytest.approx(beta)


def test_row_5_networks_are_multiple_membership():
    edges = pd.DataFrame({"ego": ["a", "a", "b"], "alter": ["b", "c", "c"], "w": [1.0, 3.0, 1.0]})
    directed = mlm.neighbour_weights(edges, ["a", "b"], directed=True)
    assert directed.to_numpy().tolist() == [[0, 0.25, 0.75], [0, 0, 1]]
    both = mlm.neighbour_weights(edges, ["c"], self_weight=0.2)
    assert np.round(both.to_numpy(), 12).tolist() == [[0.6, 0.2, 0.2]]


@pytest.mark.parametrize(
    ("links", "units", "message"),
    [
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), ["z"], "no neighbour"),
        (pd.DataFrame({"a": ["x"], "b": ["y"], "w": [-1.0]}), ["x"], "negative"),
        (pd.DataFrame({"a": ["x"], "b": [None]}), ["x"], "names no unit"),
        (pd.DataFrame(np.zeros((2, 5))), ["x"], "edge list"),
    ],
)
def test_row_4_bad_neighbours_are_refused(links, units, message):
    with pytest.raises(DataError, match=message):
        mlm.neighbour_weights(links, units)


def test_row_3_meta_analysis_by_hand():
    rng = np.random.default_rng(3)
    v = rng.uniform(0.02, 0.3, 25)
    y = 0.4 + rng.normal(0, 0.5, 25) + rng.normal(0, np.sqrt(v))
    d = pd.DataFrame({"y": y, "v": v, "study": [f"s{i}" for i in range(25)]})
    found = mlm.meta_analysis("y ~ 1", d, "v", "~ 1 | study")

    def criterion(tau2: float) -> float:
        w = 1 / (v + tau2)
        mu = (w * y).sum() / w.sum()
        return float(np.log(v + tau2).sum() + np.log(w.sum()) + (w * (y - mu) ** 2).sum())

    best = minimize_scalar(criterion, bounds=(0, 3), method="bounded", options={"xatol": 1e-10})
    w = 1 / (v + best.x)
    assert found.tau2[0] == pytest.approx(best.x, rel=FLAT_CRITERION)
    assert found.estimate[0] == pytest.approx((w * y).sum() / w.sum(), rel=OTHER_OPTIMIZER)
    assert found.std_error[0] == pytest.approx(w.sum() ** -0.5, rel=OTHER_OPTIMIZER)
    fixed = 1 / v
    q = (fixed * (y - (fixed * y).sum() / fixed.sum()) ** 2).sum()
    assert found.q == pytest.approx(q)
    assert found.q_df == 24
    assert "Multivariate Meta-Analysis Model" in str(found)


def test_row_3_bad_input():
    d = pd.DataFrame({"y": [1.0, 2, 3], "v": [0.1, 0.0, 0.1], "s": list("abc")})
    with pytest.raises(DataError, match="above 0"):
        mlm.meta_analysis("y ~ 1", d, "v", "~ 1 | s")
    with pytest.raises(FormulaError, match="random is"):
        mlm.meta_analysis("y ~ 1", d, "v", "~ v | s")
