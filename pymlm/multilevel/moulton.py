"""Moulton's factor: what clustering does to the standard error of least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from pymlm.argument_types import Data
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas
from pymlm.models.advice import advise
from pymlm.multilevel.design_effect import positive, rows_per_group, share
from pymlm.multilevel.groups import groups_of
from pymlm.multilevel.icc import icc_of
from pymlm.results.base import Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moulton(Result):
    """Moulton's factor: by how much OLS understates a standard error.

    Attributes
    ----------
    factor : float
        sqrt(1 + vpc_x · vpc_y · (n − 1)).
    vpc_x, vpc_y : float
        Share of the variance of predictor and outcome that lies between groups.
    n : float
        Rows per group (the mean, for unequal groups).
    std_error, corrected : float
        The OLS standard error and the same times the factor; NaN when none was given.

    Notes
    -----
    Lecture S0; Moulton 1986, doi:10.1016/0304-4076(86)90021-7. It holds for one predictor and
    groups of one size.
    """

    factor: float
    vpc_x: float
    vpc_y: float
    n: float
    std_error: float = math.nan
    corrected: float = math.nan

    _columns: ClassVar[tuple[str, ...]] = (
        "factor", "vpc_x", "vpc_y", "n", "std_error", "corrected",
    )  # fmt: skip

    def __float__(self) -> float:
        return self.factor


@strict
def moulton(
    vpc_x: float | None = None,
    vpc_y: float | None = None,
    n: float | None = None,
    std_error: float | None = None,
    data: Data | None = None,
    outcome: str | None = None,
    x: str | None = None,
    by: str | None = None,
) -> Moulton:
    """Return Moulton's factor: true over OLS standard error of a slope in clustered data.

    Parameters
    ----------
    vpc_x, vpc_y : float, optional
        Share of the variance of predictor and outcome that lies between groups.
    n : float, optional
        Rows per group.
    std_error : float, optional
        The OLS standard error to correct.
    data, outcome, x, by : optional
        Instead of the numbers: a data frame and its columns. VPCs come from empty models (REML), n
        is the mean group size, and the OLS standard error is that of ``outcome ~ x``.

    Returns
    -------
    Moulton

    Raises
    ------
    ArgumentError
        When neither is complete, or a number is out of range.

    Warns
    -----
    AdviceWarning
        For unequal groups, where the formula is an approximation.

    Notes
    -----
    Lecture S0: SE = SE(OLS) · sqrt(1 + VPCx · VPCy · (n − 1)). Moulton 1986,
    doi:10.1016/0304-4076(86)90021-7. For one predictor and groups of one size.

    Examples
    --------
    >>> import pymlm as mlm
    >>> round(float(mlm.moulton(vpc_x=1, vpc_y=0.2, n=21)), 4)
    2.2361
    """
    if data is not None:
        return _moulton_of_data(data, outcome, x, by, std_error)
    if vpc_x is None or vpc_y is None or n is None:
        raise ArgumentError("moulton needs vpc_x, vpc_y and n, or data, outcome, x and by")
    a, b, size = share(vpc_x, "vpc_x"), share(vpc_y, "vpc_y"), rows_per_group(n)
    factor = math.sqrt(1 + a * b * (size - 1))
    se = math.nan if std_error is None else positive(std_error, "std_error")
    return Moulton(factor=factor, vpc_x=a, vpc_y=b, n=size, std_error=se, corrected=se * factor)


def _moulton_of_data(data: Data, outcome: Any, x: Any, by: Any, std_error: Any) -> Moulton:
    if outcome is None or x is None or by is None:
        raise ArgumentError("moulton with data needs outcome, x and by, too")
    frame = as_pandas(data)
    for name in (outcome, x, by):
        groups_of(frame, name)  # says which column is not there
    used = frame.loc[frame[[outcome, x, by]].notna().all(axis=1)]
    if len(used) < 3:
        raise DataError("fewer than 3 rows have outcome, predictor and group")
    shares = icc_of(used, [x, outcome], by)
    sizes = groups_of(used, by).sizes
    if len(set(sizes)) > 1:
        advise("the groups differ in size: Moulton's factor with the mean size is an approximation")
    if std_error is None:
        values = used[x].to_numpy(dtype=float)
        centred = values - values.mean()
        y = used[outcome].to_numpy(dtype=float)
        slope = centred @ y / (centred @ centred)
        rest = y - y.mean() - slope * centred
        std_error = math.sqrt(rest @ rest / (len(y) - 2) / (centred @ centred))
    return moulton(
        vpc_x=float(shares.icc[0]), vpc_y=float(shares.icc[1]), n=float(sizes.mean()),
        std_error=std_error,
    )  # fmt: skip
