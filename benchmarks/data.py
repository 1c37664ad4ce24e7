"""Data with fixed seeds: nested with a random slope, and crossed."""

from __future__ import annotations

import numpy as np
import pandas as pd

NESTED = "y ~ x1 + x2 + (1 + x1 | g)"
CROSSED = "y ~ x + (1 | a) + (1 | b)"
#: Near the optimum of `nested`, so that fits of many rows end soon.
NESTED_START = [1.0, 0.0, 0.4]


def nested(n: int, groups: int) -> pd.DataFrame:
    rng = np.random.default_rng(20240601)
    g = np.concatenate([np.arange(groups), rng.integers(0, groups, n - groups)])
    x1, x2 = rng.normal(size=(2, n))
    intercepts, slopes = rng.normal(size=(2, groups))
    y = 1 + 0.5 * x1 - 0.3 * x2 + intercepts[g] + 0.4 * slopes[g] * x1 + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x1": x1, "x2": x2, "g": _factor(g, groups)})


def crossed(n: int, a: int, b: int) -> pd.DataFrame:
    rng = np.random.default_rng(20240602)
    i = np.concatenate([np.arange(a), rng.integers(0, a, n - a)])
    j = np.concatenate([np.arange(b), rng.integers(0, b, n - b)])
    x = rng.normal(size=n)
    y = x + rng.normal(size=a)[i] + rng.normal(size=b)[j] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "a": _factor(i, a), "b": _factor(j, b)})


def wide(n: int = 1_000_000) -> pd.DataFrame:
    """Four floats, an integer, a category of 1,000 levels and a column of text."""
    rng = np.random.default_rng(20240603)
    out = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(4)})
    out["k"] = rng.integers(0, 100, n)
    out["g"] = _factor(rng.integers(0, 1000, n), 1000)
    out["text"] = rng.choice([f"name {i}" for i in range(200)], n)
    return out


def _factor(codes: np.ndarray, levels: int) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, [f"L{i:06d}" for i in range(levels)])
