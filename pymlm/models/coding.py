"""How factors are coded: R's contrasts by name, matrices of them, and hypotheses as weights."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, near_names
from pymlm.frames import complete_rows, level_name, used_columns

CODINGS = ("contr.treatment", "contr.sum", "contr.helmert", "contr.poly", "contr.SAS", "contr.sdif")
#: Weights of a hypothesis sum to zero but for this, relative to the largest of them: what is left
#: of -1/3 written with three digits would be told.
ROUNDING = 1e-8


def factor_contrasts(given: Mapping[str, Any] | None, used: pd.DataFrame) -> dict[str, Any] | None:
    """Return what R makes of the argument `contrasts`: names, matrices, or weights to invert.

    Parameters
    ----------
    given : dict
        Column -> R's name of its contrasts, a matrix with a row a level, or hypotheses: a dict of
        their names -> weights, one a level in R's order or a dict by level.
    used : DataFrame
        The columns of the fit.

    Raises
    ------
    ArgumentError, DataError
        For a name that is none, a matrix of another shape, hypotheses that are no differences or
        that follow from each other.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ArgumentError(
            "contrasts maps a column to R's name of its contrasts, to a matrix, or to hypotheses, "
            "e.g. {'g': 'contr.sum'} or {'g': {'b - a': [-1, 1, 0]}}"
        )
    used_columns(used, given, "argument contrasts")
    rows = used[complete_rows(used)]
    out: dict[str, Any] = {}
    for column, value in given.items():
        series = used_columns(rows, [column]).iloc[:, 0]
        if isinstance(value, str):
            name = value if value.startswith("contr.") else f"contr.{value}"
            if name not in CODINGS:
                raise ArgumentError(
                    f"contrasts of {column!r}: {value!r} is not one of {', '.join(CODINGS)}"
                )
            out[column] = _differences(column, series) if name == "contr.sdif" else name
        elif isinstance(value, Mapping):
            out[column] = _hypotheses(column, value, _levels(series))
        else:
            out[column] = _contrast_matrix(column, value, series)
    return out


def _levels(series: pd.Series) -> list[str]:
    """The levels in the complete rows, in R's order."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return [level_name(c) for c in series.cat.remove_unused_categories().cat.categories]
    names = [level_name(x) for x in pd.unique(series.dropna())]
    return list(call("sorted_levels", names, into=tuple[str, ...])) if names else []


def _differences(column: str, series: pd.Series) -> dict[str, Any]:
    """MASS's contr.sdif: each level less the one before; its matrix is the inverse of these."""
    levels = _levels(series)
    rows = {f"{b}-{a}": {a: -1.0, b: 1.0} for a, b in pairwise(levels)}
    if not rows:
        raise DataError(f"contrasts of {column!r}: it has one level, and no differences")
    return _hypotheses(column, rows, levels)


def _hypotheses(column: str, given: Mapping[str, Any], levels: list[str]) -> dict[str, Any]:
    where = f"contrasts of {column!r}"
    rows = [_one_hypothesis(f"{where}, {name!r}", w, levels) for name, w in given.items()]
    if not rows:
        raise ArgumentError(f"{where}: there is no hypothesis")
    if len(rows) > len(levels) - 1:
        raise ArgumentError(
            f"{where}: {len(rows)} hypotheses for {len(levels)} levels, of which {len(levels) - 1} "
            "differences can be estimated; leave some out, and test them with m.contest or "
            "m.emmeans"
        )
    matrix = np.vstack(rows)
    if np.linalg.matrix_rank(matrix) < len(rows):
        raise ArgumentError(
            f"{where}: one hypothesis follows from the others; leave it out, and test it with "
            "m.contest or m.emmeans"
        )
    return {"weights": matrix, "names": [str(name) for name in given]}


def _one_hypothesis(where: str, weights: Any, levels: list[str]) -> Any:
    if isinstance(weights, pd.Series) and not isinstance(weights.index, pd.RangeIndex):
        weights = weights.to_dict()
    if isinstance(weights, Mapping):
        by_level = {level_name(k): v for k, v in weights.items()}
        unknown = [k for k in by_level if k not in levels]
        if unknown:
            raise ArgumentError(
                f"{where}: there is no level {unknown[0]!r}.{near_names(unknown[0], levels)} There "
                f"are: {', '.join(levels)}"
            )
        weights = [by_level.get(level, 0.0) for level in levels]
    try:
        row = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{where}: weights are numbers, not {weights!r}") from None
    if row.shape != (len(levels),) or not np.isfinite(row).all():
        raise ArgumentError(
            f"{where}: give {len(levels)} finite weights, one a level: {', '.join(levels)}"
        )
    largest = np.abs(row).max()
    if not largest or abs(row.sum()) > ROUNDING * largest:
        raise ArgumentError(
            f"{where}: the weights of a difference sum to 0 and are not all 0; these sum to "
            f"{row.sum():g}"
        )
    return row


def _contrast_matrix(column: str, value: Any, series: pd.Series) -> Any:
    """Check a matrix against the levels that `series`, the complete rows, has."""
    categories: list[str] | None = None
    if isinstance(series.dtype, pd.CategoricalDtype):
        categories = [level_name(c) for c in series.cat.remove_unused_categories().cat.categories]
    levels = series.nunique()
    if isinstance(value, pd.DataFrame) and not isinstance(value.index, pd.RangeIndex):
        value = _in_order_of_levels(column, value, categories)
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"contrasts of {column!r}: the matrix holds what is no number") from None
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[0] != levels or not 1 <= matrix.shape[1] < levels:
        raise DataError(
            f"contrasts of {column!r}: the matrix has shape {matrix.shape}; its rows must be the "
            f"{levels} levels in the complete rows, its columns 1 to {levels - 1} contrasts"
        )
    if not np.isfinite(matrix).all():
        raise DataError(f"contrasts of {column!r}: the matrix holds missing or infinite numbers")
    return matrix


def _in_order_of_levels(column: str, value: pd.DataFrame, levels: list[str] | None) -> pd.DataFrame:
    labels = [level_name(x) for x in value.index]
    if levels is None or sorted(labels) != sorted(levels):
        raise DataError(
            f"contrasts of {column!r}: the DataFrame's index, {', '.join(labels)}, must be the "
            f"levels of a category{': ' + ', '.join(levels) if levels else ''}. Or pass an array "
            "with the rows in R's order of the levels"
        )
    return value.iloc[[labels.index(level) for level in levels]]
