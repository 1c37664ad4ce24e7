"""Centring a predictor: at cluster means, the grand mean, a constant, or the mean of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import CenterMethod, Data
from pymlm.arguments import finite, own_words, strict
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas
from pymlm.models.advice import advise
from pymlm.multilevel.columns import names, numbers
from pymlm.multilevel.groups import Groups, group_means, groups_of
from pymlm.results.base import Floats

METHODS = own_words(CenterMethod, "method")


@strict
def center(
    data: Data,
    x: str | Sequence[str],
    by: str | None = None,
    method: CenterMethod | float = "cluster",
    between_at: str | float = 0.0,
    replace: bool = False,
    at: Literal["grand"] | float = "grand",
) -> pd.DataFrame:
    """Centre one or several predictors; the caller's frame is left alone.

    Parameters
    ----------
    data : DataFrame
    x : str or list of str
        Numeric columns.
    by : str, optional
        The grouping factor; needed for "cluster" and "leave-one-out".
    method : {"cluster", "grand", "leave-one-out", "constant"} or float
        - "cluster": adds ``x_between``, the group's mean, and ``x_within``, the deviation from it.
        - "leave-one-out": the same with the mean of the group's *other* rows.
        - "grand": adds ``x_centered``, the deviation from the mean of all rows.
        - a number: adds ``x_centered``, the deviation from that constant.
        - "constant": the deviation from `at`, by default the grand mean.

        "group" is another word for "cluster".
    between_at : float or "grand"
        Constant taken off ``x_between`` (C2 in lecture S4), so that 0 means something. ``x_within``
        is always the deviation from the mean itself. "grand" is the mean of x over all rows.
    replace : bool
        Overwrite columns of these names where the data have them.
    at : float or "grand"
        The constant C1 of method="constant".

    Returns
    -------
    DataFrame
        A copy of the data with the new columns.

    Raises
    ------
    DataError
        For a column that is missing, not numeric, or would be overwritten.
    ArgumentError
        For an unknown method, or "cluster" without `by`.

    Warns
    -----
    AdviceWarning
        Where a new column has NaN because the group is missing or (leave-one-out) has one row; or
        where a predictor has no variation within or between groups.

    Notes
    -----
    Lecture S4 ("Cluster-mean-centering vs. constant-centering"): WCx = x − mean(x in c) and CMx =
    mean(x in c) − C2. Means are taken over all rows of `data` in which x is known: drop the rows
    that the model will not use first. ``datawizard::demean`` gives the same two columns.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> d = pd.DataFrame({"c": [1, 1, 2, 2], "x": [2, 4, 6, 8]})
    >>> mlm.center(d, "x", by="c", between_at=5)[["x_between", "x_within"]].to_numpy().tolist()
    [[-2.0, -1.0], [-2.0, 1.0], [2.0, -1.0], [2.0, 1.0]]
    >>> mlm.center(d, "x", method=5)["x_centered"].tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    frame = as_pandas(data)
    if not (isinstance(at, str) and at == "grand") and method != "constant":
        raise ArgumentError("at= is the constant of method='constant'")
    given = at if method == "constant" else method
    constant = None if isinstance(given, str) and given in METHODS else _constant(given, "method")
    columns = names(x, "x")
    added: dict[str, Floats] = {}
    if method in ("cluster", "leave-one-out"):
        if by is None:
            raise ArgumentError(f"method={method!r} needs the grouping factor: by='...'")
        groups = groups_of(frame, by)
        if groups.n_missing:
            advise(f"{groups.n_missing} rows have no {by!r}: the new columns are NaN there")
        for name in columns:
            added |= _two_parts(frame, name, groups, str(method), between_at)
    else:
        for name in columns:
            values = numbers(frame, name)
            at = _mean(values, name) if constant is None else constant
            added[f"{name}_centered"] = values - at
    _refuse_overwriting(frame, added, replace)
    out = frame.copy()
    for name, column in added.items():
        out[name] = column
    return out


def _constant(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ArgumentError(f"{what}={value!r} is not a number nor one of: {', '.join(METHODS)}")
    return finite(value, what)


def _mean(values: Floats, name: str) -> float:
    if np.isnan(values).all():
        raise DataError(f"column {name!r} is missing in every row")
    return float(np.nanmean(values))


def _two_parts(
    frame: pd.DataFrame, name: str, groups: Groups, method: str, between_at: str | float
) -> dict[str, Floats]:
    values = numbers(frame, name)
    grand = _mean(values, name)
    at = grand if between_at == "grand" else _constant(between_at, "between_at")
    codes = groups.codes
    means = group_means(values, codes, groups.n)
    if method == "leave-one-out":
        per_row = _others(values, codes, groups.n)
    else:
        per_row = np.where(codes >= 0, means[codes], np.nan)
    _say_what_is_lacking(values, per_row, name, groups, means)
    # A mean in floating point leaves dust in a group of equal values: within it is 0.
    within = values - per_row
    dust = 1e-14 * np.maximum(np.abs(values), 1e-300)
    within = np.where(np.abs(within) <= dust, 0.0, within)
    return {f"{name}_between": per_row - at, f"{name}_within": within}


def _others(values: Floats, codes: np.ndarray[Any, Any], n: int) -> Floats:
    known = (codes >= 0) & ~np.isnan(values)
    count = np.bincount(codes[known], minlength=n)[codes]
    total = np.bincount(codes[known], weights=values[known], minlength=n)[codes]
    own = np.where(known, values, 0.0)
    others = count - known
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total - own) / others
    return np.asarray(np.where((codes >= 0) & (others > 0), mean, np.nan))


def _say_what_is_lacking(
    values: Floats, per_row: Floats, name: str, groups: Groups, means: Floats
) -> None:
    alone = int((np.isnan(per_row) & ~np.isnan(values) & (groups.codes >= 0)).sum())
    if alone:
        advise(f"{alone} rows are alone in their {groups.name!r}: the mean of the others is NaN")
    known = ~np.isnan(values) & (groups.codes >= 0)
    centre = means[groups.codes[known]]
    scale = np.abs(values[known]).max(initial=0.0)
    if known.any() and np.allclose(values[known], centre, rtol=0, atol=1e-12 * scale):
        advise(f"{name!r} does not vary within any {groups.name!r}: {name}_within is 0 everywhere")
    elif np.nanmax(means) - np.nanmin(means) <= 1e-12 * scale:
        advise(f"{name!r} does not vary between {groups.name!r}: {name}_between is constant")


def _refuse_overwriting(frame: pd.DataFrame, added: dict[str, Floats], replace: bool) -> None:
    taken = [n for n in added if n in {str(c) for c in frame.columns}]
    if taken and not replace:
        raise DataError(
            f"the data have a column {taken[0]!r} already; pass replace=True to overwrite it, or "
            "rename it"
        )
