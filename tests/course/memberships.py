"""Simulated rows that belong to several units, for the tests of multiple membership."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Rows and units.
N, J = 200, 12


def simulated(seed: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    W = np.zeros((N, J))
    for i in range(N):
        k = int(rng.integers(1, 4))
        at = rng.choice(J, k, replace=False)
        w = rng.random(k)
        W[i, at] = w / w.sum()
    x = rng.normal(size=N)
    y = 1 + 0.5 * x + W @ rng.normal(size=J) + rng.normal(size=N)
    return pd.DataFrame({"y": y, "x": x}), W
