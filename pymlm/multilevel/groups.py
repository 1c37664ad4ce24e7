"""Groups in data: who belongs to which, and what varies within and between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import DataError
from pymlm.multilevel.columns import column
from pymlm.names import group_columns
from pymlm.results.base import Floats

#: A share of the sum of squares below this is rounding, not variation.
NO_VARIATION = 1e-10


@dataclass(frozen=True, slots=True)
class Groups:
    """One grouping column: codes from 0 (-1 missing), the groups that have rows, empty ones."""

    name: str
    codes: np.ndarray[Any, Any]
    labels: tuple[Any, ...]
    n_empty: int

    @property
    def n(self) -> int:
        """Groups that have rows."""
        return len(self.labels)

    @property
    def n_missing(self) -> int:
        """Rows without a group."""
        return int((self.codes < 0).sum())

    @property
    def sizes(self) -> np.ndarray[Any, Any]:
        """Rows per group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.n)


def groups_of(data: pd.DataFrame, by: str) -> Groups:
    """Return the groups of a column.

    Raises
    ------
    DataError
        When there is no such column, or no row has a group.
    """
    series = _grouping(data, by)
    codes, labels = pd.factorize(series, sort=False)
    if len(labels) == 0:
        raise DataError(f"the grouping factor {by!r} is missing in every row")
    empty = 0
    if isinstance(series.dtype, pd.CategoricalDtype):
        empty = len(series.cat.categories) - len(labels)
    return Groups(by, codes, tuple(labels), empty)


def _grouping(data: pd.DataFrame, by: str) -> pd.Series:
    """A grouping column, or the combinations of several: "cask:batch", as lme4 names them."""
    known = {str(c) for c in data.columns}
    parts = group_columns(by, known) if isinstance(by, str) else []
    if len(parts) < 2 or not all(p in known for p in parts):
        return column(data, by, "grouping factor")
    series = [column(data, p) for p in parts]
    whole = series[0].astype(str)
    for part in series[1:]:
        whole = whole + ":" + part.astype(str)
    missing = np.logical_or.reduce([s.isna().to_numpy() for s in series])
    return whole.where(~missing)


def group_means(values: Floats, codes: np.ndarray[Any, Any], n: int) -> Floats:
    """Mean of the known values of every group, NaN where a group has none; shape (n,)."""
    known = (codes >= 0) & ~np.isnan(values)
    count = np.bincount(codes[known], minlength=n)
    total = np.bincount(codes[known], weights=values[known], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def spread(values: Floats, codes: np.ndarray[Any, Any], n: int) -> tuple[float, float]:
    """Sums of squares within and between groups, over rows that have both value and group."""
    known = (codes >= 0) & ~np.isnan(values)
    x, g = values[known], codes[known]
    if len(x) == 0:
        return math.nan, math.nan
    means = group_means(x, g, n)[g]
    return float(np.sum((x - means) ** 2)), float(np.sum((means - x.mean()) ** 2))
