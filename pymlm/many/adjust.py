"""p-values adjusted over many fits, by R's own function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pymlm.arguments import choice
from pymlm.engine import call

METHODS = ("holm", "hochberg", "hommel", "bonferroni", "BH", "BY", "fdr", "none")


def check_adjust(method: object) -> str:
    """Return the name of a method of R's ``p.adjust``."""
    return choice(method, METHODS, "adjust")


def adjusted(p: pd.Series, term: pd.Series, method: str) -> Any:
    """Adjust the p-values of each term over the fits: ``p.adjust(p, method)``; NaN stays NaN."""
    how = check_adjust(method)
    out = np.full(len(p), np.nan)
    values = p.to_numpy(dtype=np.float64)
    for rows in term.groupby(term, sort=False, observed=True).indices.values():
        out[rows] = call("many_adjusted", values[rows], how)
    return out
