"""R's own tail probabilities and quantiles, for what other programs print beside R's statistics."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pymlm.engine import call

Distribution = Literal["normal", "t", "chi2", "F"]


def upper_tails(distribution: Distribution, x: Any, *df: Any) -> npt.NDArray[np.float64]:
    """P(X > x), one a value, by R's pnorm, pt, pchisq or pf; NaN where x or df is."""
    values, *dfs = np.broadcast_arrays(np.asarray(x, float), *(np.asarray(d, float) for d in df))
    found = call("upper_tail", distribution, values.ravel(), *(d.ravel() for d in dfs))
    return np.asarray(found, dtype=float).reshape(values.shape)


def upper_tail(distribution: Distribution, x: float, *df: float) -> float:
    """P(X > x) of one value."""
    return float(upper_tails(distribution, x, *df))


def half_width(level: float, df: Any = math.inf) -> Any:
    """How many standard errors an interval of this level reaches to each side: R's qt."""
    dfs = np.asarray(df, dtype=float)
    found = np.asarray(call("quantile_of_t", (1 + level) / 2, dfs.ravel()), dtype=float)
    return found.reshape(dfs.shape) if dfs.ndim else float(found.ravel()[0])
