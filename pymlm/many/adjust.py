"""p-values adjusted over many fits, by R's own function."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd

from pymlm.argument_types import ManyAdjust
from pymlm.arguments import choice
from pymlm.engine import call

METHODS: tuple[ManyAdjust, ...] = get_args(ManyAdjust)


def check_adjust(method: object) -> ManyAdjust:
    """Return the name of a method of R's ``p.adjust``."""
    return choice(method, METHODS, "adjust")


def adjusted(p: pd.Series, term: pd.Series, method: ManyAdjust) -> Any:
    """Adjust the p-values of each term over the fits: ``p.adjust(p, method)``; NaN stays NaN."""
    how = check_adjust(method)
    out = np.full(len(p), np.nan)
    values = p.to_numpy(dtype=np.float64)
    for rows in term.groupby(term, sort=False, observed=True).indices.values():
        out[rows] = call("many_adjusted", values[rows], how)
    return out
