"""Weights of multiple membership: from columns of ids, from a matrix, from neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas, row_label, used_columns
from pymlm.results.base import Floats

#: Weights written with six decimals, such as three times .333333, still sum to 1 within this.
SUM_TOLERANCE = 1e-5


@strict
def membership_weights(
    data: Data,
    ids: Sequence[str],
    weights: Sequence[str] | None = None,
    normalize: bool = False,
) -> pd.DataFrame:
    """Return the weight matrix of columns that name the units a row belongs to.

    Parameters
    ----------
    data : DataFrame
        One row per lower-level unit.
    ids : sequence of str
        Columns that name the units, e.g. ``["school1", "school2"]``; missing where a row has fewer.
    weights : sequence of str, optional
        As many columns of weights; None divides a row equally among its units.
    normalize : bool
        Divide each row's weights by their sum, instead of refusing a row that does not sum to 1.

    Returns
    -------
    DataFrame, shape (n, J)
        On the index of `data`, one column a unit, sorted; a unit named twice gets both weights.

    Raises
    ------
    DataError
        A row without any unit, a weight without its unit or a unit without its weight, a weight
        below 0, weights that do not sum to 1.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> d = pd.DataFrame({"s1": ["a", "b"], "s2": [None, "a"], "w1": [1, 0.7], "w2": [0, 0.3]})
    >>> mlm.membership_weights(d, ["s1", "s2"], ["w1", "w2"]).to_numpy().tolist()
    [[1.0, 0.0], [0.3, 0.7]]
    """
    frame = as_pandas(data)
    asked = _texts(ids, "ids")
    if len(set(asked)) < len(asked):
        raise ArgumentError(f"ids names a column twice: {asked}")
    names = used_columns(frame, asked, "argument ids")
    present = names.notna().to_numpy()
    if weights is None:
        w = present / np.maximum(present.sum(axis=1, keepdims=True), 1)
    else:
        w = _weight_columns(frame, _texts(weights, "weights"), present, list(names.columns))
    if not present.any(axis=1).all():
        row = row_label(frame.index, int(np.argmin(present.any(axis=1))))
        raise DataError(f"row {row} names no unit in {', '.join(names.columns)}; drop such rows")
    stacked = np.concatenate([names[c].astype(object).to_numpy() for c in names.columns])
    here = present.ravel(order="F")
    codes, units = pd.factorize(stacked[here], sort=True)
    out = np.zeros((len(frame), len(units)))
    rows = np.tile(np.arange(len(frame)), names.shape[1])[here]
    np.add.at(out, (rows, codes), w.ravel(order="F")[here])
    result = pd.DataFrame(out, index=frame.index, columns=[str(u) for u in units])
    return check_weights(result, "the membership weights", normalize)


def _weight_columns(
    frame: pd.DataFrame, columns: list[str], present: Any, ids: list[str]
) -> Floats:
    if len(columns) != len(ids):
        raise ArgumentError(f"{len(ids)} columns of ids need as many of weights, not {columns}")
    given = used_columns(frame, columns, "argument weights")
    for c in columns:
        if not pd.api.types.is_numeric_dtype(given[c].dtype):
            raise DataError(f"the weights in column {c!r} must be numbers, not {given[c].dtype}")
    w = given.to_numpy(dtype=np.float64, na_value=np.nan)
    for bad, what in (
        (present & np.isnan(w), "names a unit in {id!r} but has no weight in {w!r}"),
        (~present & (np.nan_to_num(w) != 0), "has a weight in {w!r} but no unit in {id!r}"),
    ):
        if bad.any():
            row, column = map(int, np.argwhere(bad)[0])
            text = what.format(id=ids[column], w=columns[column])
            raise DataError(
                f"row {row_label(frame.index, row)} {text}; {int(bad.any(axis=1).sum())} "
                "row(s) are so"
            )
    return np.asarray(np.nan_to_num(w))


@strict
def neighbour_weights(
    links: Any, units: Any, directed: bool = False, self_weight: float = 0.0
) -> pd.DataFrame:
    """Return membership weights of spatial or network data: a row belongs to its unit's neighbours.

    Parameters
    ----------
    links : DataFrame
        An edge list, two columns of units and optionally a third of weights; or an adjacency
        matrix, whose index and columns name the same units in the same order.
    units : Series or sequence
        The unit (area, person) of every row of the data.
    directed : bool
        An edge counts from the first column to the second only (ego to alter).
    self_weight : float
        Share of a unit's weight on itself, at least 0 and below 1; the neighbours share the rest
        in proportion to their link weights.

    Returns
    -------
    DataFrame, shape (n, J)
        Rows sum to 1. Give it to `pymlm.multiple_membership`.

    Raises
    ------
    DataError
        A unit of the data without neighbours, negative or missing weights.

    Notes
    -----
    Spatial multiple membership: Browne, Goldstein & Rasbash 2001, doi:10.1177/1471082X0100100202.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> edges = pd.DataFrame({"a": ["x", "y"], "b": ["y", "z"]})
    >>> mlm.neighbour_weights(edges, ["x", "y"]).to_numpy().tolist()
    [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
    """
    frame = as_pandas(links)
    number = isinstance(self_weight, (int, float)) and not isinstance(self_weight, bool)
    if not number or not 0 <= self_weight < 1:
        raise ArgumentError(f"self_weight is a share, 0 <= share < 1, not {self_weight!r}")
    matrix = _adjacency(frame, directed)
    own = pd.Series(units)
    labels = own.astype(str)
    missing = own.isna() | ~labels.isin(matrix.index)
    if missing.any():
        first = own[missing].iloc[0]
        raise DataError(f"unit {first!r} of the data has no neighbour in links")
    totals = matrix.sum(axis=1)
    shares = matrix.div(totals.where(totals > 0, 1.0), axis=0) * (1 - self_weight)
    shares += self_weight * np.eye(len(shares))
    lonely = labels[labels.map(totals) == 0]
    if len(lonely):
        raise DataError(f"unit {lonely.iloc[0]!r} has no neighbour; give it one or leave it out")
    out = shares.loc[labels.tolist()].set_axis(own.index, axis=0)
    return check_weights(out, "the neighbour weights", False)


def _adjacency(frame: pd.DataFrame, directed: bool) -> pd.DataFrame:
    rows, columns = [str(x) for x in frame.index], [str(x) for x in frame.columns]
    if rows == columns:
        matrix = pd.DataFrame(frame.to_numpy(dtype=float), index=rows, columns=rows)
    elif frame.shape[1] in (2, 3):
        if frame.iloc[:, :2].isna().any(axis=None):
            raise DataError("the edge list names no unit in some row; drop such edges")
        ends = frame.iloc[:, :2].astype(str)
        nodes = sorted(set(ends.iloc[:, 0]) | set(ends.iloc[:, 1]))
        matrix = pd.DataFrame(0.0, index=nodes, columns=nodes)
        values = matrix.to_numpy().copy()
        weight = np.ones(len(frame)) if frame.shape[1] == 2 else frame.iloc[:, 2].to_numpy(float)
        i, j = (matrix.index.get_indexer(pd.Index(ends.iloc[:, k])) for k in (0, 1))
        np.add.at(values, (i, j), weight)
        if not directed:
            np.add.at(values, (j, i), weight)
        matrix = pd.DataFrame(values, index=nodes, columns=nodes)
    else:
        raise DataError(
            "links is an edge list of 2 or 3 columns, or an adjacency matrix whose index equals "
            f"its columns; this frame has shape {frame.shape}"
        )
    if not np.isfinite(matrix.to_numpy()).all() or (matrix.to_numpy() < 0).any():
        raise DataError("links holds a missing, infinite or negative weight")
    return matrix


def check_weights(weights: pd.DataFrame, what: str, normalize: bool) -> pd.DataFrame:
    """Return the weights where every row is finite, not negative and sums to 1.

    Raises
    ------
    DataError
        Naming the first row that is not so; a row that sums to 0 cannot be normalized.
    """
    w = weights.to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(w).all() or (w < 0).any():
        bad = ~np.isfinite(w).all(axis=1) | (w < 0).any(axis=1)
        row = row_label(weights.index, int(np.argmax(bad)))
        raise DataError(f"{what} of row {row} are missing, infinite or below 0")
    sums = w.sum(axis=1)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if off.any() and not (normalize and (sums > 0).all()):
        first = int(np.argmax(sums <= 0 if normalize else off))
        raise DataError(
            f"{what} of row {row_label(weights.index, first)} sum to {sums[first]:.6g}, not 1"
            + (
                "; a row without weight cannot be normalized"
                if sums[first] <= 0
                else f" ({int(off.sum())} row(s) are so). Pass normalize=True to divide each row "
                "by its sum"
            )
        )
    if normalize:
        w = w / sums[:, None]
    return pd.DataFrame(w, index=weights.index, columns=[str(c) for c in weights.columns])


def _texts(names: Any, what: str) -> list[str]:
    if isinstance(names, str):
        return [names]
    out = list(names)
    if not out or not all(isinstance(n, str) for n in out):
        raise ArgumentError(f"{what} is a list of column names, not {names!r}")
    return out
