"""What tables of estimates and their tests have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from pymlm.results.base import ESTIMATES, Floats, Result, check_known


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EstimateColumns(Result):
    """Estimates with their tests and intervals, a row each: the columns of such tables.

    Attributes
    ----------
    estimate, std_error : ndarray, shape (k,)
        In units of the response per unit of the predictor (link scale for a GLMM).
    df : ndarray, shape (k,)
        Degrees of freedom; infinite for z tests.
    statistic, p_value : ndarray, shape (k,)
        t (or z) and its two-sided p-value.
    conf_low, conf_high : ndarray, shape (k,)
    """

    _columns: ClassVar[tuple[str, ...]] = ESTIMATES

    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Estimates(EstimateColumns):
    """The same with a name each row.

    Attributes
    ----------
    term : tuple of str, length k
        What each row is the estimate of.
    """

    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]

    def row(self, term: str) -> pd.Series:
        """Return one row by its name.

        Raises
        ------
        ArgumentError
            For a row that there is not; the names are listed.
        """
        check_known(term, self.term, "row")
        return self.to_frame().loc[[term]].iloc[0]
