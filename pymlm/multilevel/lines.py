"""Data for plots: lines of groups, and of slopes within and between groups."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import strict, whole_number
from pymlm.errors import ArgumentError, DataError, near_names
from pymlm.formula import quoted, vet
from pymlm.frames import as_pandas, complete_rows, used_columns
from pymlm.models.inside import rows_of, source_of
from pymlm.multilevel.asked_model import fitted_model
from pymlm.multilevel.columns import column
from pymlm.names import group_columns
from pymlm.results.base import check_known

#: Name in the column `grp` of what belongs to no group.
POPULATION = ""
_LABEL = "\0label"

#: More points of one line than any figure shows.
MAX_POINTS = 100_000


@strict
def group_lines(
    m: Any,
    x: str,
    by: str | None = None,
    points: int = 2,
    groups: Collection[str] | None = None,
    flat: bool = False,
) -> pd.DataFrame:
    """Return every group's fitted line over its own range of x, and the population's line.

    Other numeric predictors stand at their means over the rows used, other categories at their
    first level.

    Parameters
    ----------
    m : LinearMixedModel or GeneralizedLinearMixedModel
    x : str
        The predictor, a numeric column.
    by : str, optional
        The grouping factor, "cask:batch" for a nested one; default the first that is a column.
    points : int
        Points per line; 2 for a straight line.
    groups : list of str, optional
        Levels of the factor whose lines are wanted; default all.
    flat : bool
        Take an x that is a column of the data but not in the model: its lines are flat.

    Returns
    -------
    DataFrame
        Columns grp ("" for the population, random effects left out), x, predicted (response scale).

    Raises
    ------
    ArgumentError
        For an unknown grouping factor or level, or fewer than 2 points.
    DataError
        When x is not numeric or not in the model, or a file kept it only transformed.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> lines = mlm.group_lines(m, "Days")
    >>> lines[lines.grp.isin(["", "308"])].round(1)
       grp    x  predicted
    0       0.0      251.4
    1       9.0      345.6
    2  308  0.0      253.7
    3  308  9.0      430.7
    """
    if whole_number(points, "points", 2) > MAX_POINTS:
        raise ArgumentError(f"points is a number per line, {MAX_POINTS} at most, not {points}")
    data, names = _model_rows(fitted_model(m, "group_lines"), x if flat else None)
    factor, parts = _factor(m, data, by)
    _numeric(data, x)
    labels = (
        data[parts].astype(str).agg(":".join, axis=1) if parts[1:] else data[factor].astype(str)
    )
    if groups is not None:
        levels = list(dict.fromkeys(labels))
        groups = {groups} if isinstance(groups, str) else set(groups)
        if not groups:
            raise ArgumentError("groups names no group: leave it out for all of them")
        for level in groups - set(levels):
            check_known(level, levels, f"level of {factor!r}")
    typical = {n: _typical(data[n]) for n in names if n != x}
    fixed = {n: v for n, v in typical.items() if n not in parts}
    frames = []
    for at in data.groupby(parts, observed=True).indices.values():
        rows, label = data.iloc[at], labels.iloc[at[0]]
        if groups is None or label in groups:
            own = {p: rows[p].iloc[0] for p in parts}
            frames.append(_grid(rows[x], points, fixed).assign(**own, **{_LABEL: label}))
    grid = pd.concat(frames, ignore_index=True)
    for name in parts:
        if isinstance(data[name].dtype, pd.CategoricalDtype):
            grid[name] = grid[name].astype(data[name].dtype)
    re_form = None if len(m.ngroups) == 1 else f"~ {_terms_of(m, factor)}"
    lines = pd.DataFrame(
        {
            "grp": grid.pop(_LABEL),
            "x": grid[x],
            "predicted": m.predict(grid, re_form=re_form).to_numpy(),
        }
    )
    whole = _grid(data[x], points, typical)
    whole_y = m.predict(whole, re_form="NA").to_numpy()
    population = pd.DataFrame({"grp": POPULATION, "x": whole[x], "predicted": whole_y})
    return pd.concat([population, lines], ignore_index=True)


def _factor(m: Any, data: pd.DataFrame, by: str | None) -> tuple[str, list[str]]:
    """The grouping factor, and its columns: two for "cask:batch", as lme4 names what is nested."""
    columns = {g: group_columns(g, data.columns) for g in m.ngroups}
    columns = {g: c for g, c in columns.items() if data.columns.isin(c).sum() == len(c)}
    plain = [g for g in columns if g in data.columns]
    factor = by if by is not None else next(iter([*plain, *columns]), "")
    if factor not in columns:
        raise ArgumentError(
            f"by={by!r} is no grouping column of the model."
            f"{near_names(by, columns)} There are: {', '.join(columns)}"
        )
    return factor, columns[factor]


def _model_rows(m: Any, also: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    data = rows_of(m, "group_lines")
    own = vet(m.formula, trusted=True, columns=source_of(m).sent)
    wanted = [n for n in own.names if n in set(source_of(m).sent)]
    offset = source_of(m).arguments.get("offset")
    if isinstance(offset, str):  # a variable like those of the formula
        wanted = list(dict.fromkeys([*wanted, offset]))
    if also in data.columns:
        wanted = list(dict.fromkeys([*wanted, str(also)]))
    used = used_columns(data, wanted)
    rows = used[complete_rows(used)]
    return rows, [n for n in rows.columns if n not in own.response_names]


def _numeric(data: pd.DataFrame, x: str) -> None:
    if x not in data.columns:
        raise DataError(f"the model has no predictor {x!r}.{near_names(x, data.columns)}")
    kind = data[x].dtype
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        raise DataError(f"x={x!r} is not numeric (dtype {data[x].dtype})")


def _typical(column: pd.Series) -> Any:
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    if numeric and not pd.api.types.is_bool_dtype(column.dtype):
        return float(column.mean())
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Categorical([column.cat.categories[0]], dtype=column.dtype)[0]
    return sorted(column.dropna().unique())[0]


def _grid(x: pd.Series, points: int, fixed: dict[str, Any]) -> pd.DataFrame:
    values = np.linspace(float(x.min()), float(x.max()), points)
    return pd.DataFrame({str(x.name): values, **fixed})


def _terms_of(m: Any, factor: str) -> str:
    """The random-effects terms of one factor, as a formula's text."""
    terms = m.ranef(cond_var=False)[factor].columns
    inner = ["1" if t == "(Intercept)" else str(t) for t in terms]
    if "1" not in inner:
        inner.insert(0, "0")
    group = ":".join(map(quoted, group_columns(factor, source_of(m).sent)))
    return f"({' + '.join(inner)} | {group})"


@strict
def within_between_lines(data: Data, y: str, x: str, by: str) -> pd.DataFrame:
    """Return the lines of a plot of within-group and between-group slopes.

    Parameters
    ----------
    data : DataFrame
    y, x : str
        Numeric columns.
    by : str
        The grouping column.

    Returns
    -------
    DataFrame
        Columns kind, grp, x, y, slope. "within": two points a group through its means, with the
        common within-group slope (OLS on deviations from group means). "between": two points of the
        regression of group means on group means, each group counted once. "pooled": of the
        regression that ignores groups. "mean": the point of each group's means.

    Raises
    ------
    DataError
        When x or y is not numeric, or x varies in no group or between none.

    Notes
    -----
    Rosche's figure after Snijders & Bosker (1999, p. 28); Hoffman's figures of between and within
    effects.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> lines = mlm.within_between_lines(data, "normexam", "standLRT", by="school")
    >>> lines.groupby("kind")["slope"].first().round(3).to_dict()
    {'between': 0.884, 'mean': nan, 'pooled': 0.595, 'within': 0.559}
    """
    frame = as_pandas(data)
    for name in (y, x, by):
        column(frame, name)
    if len({y, x, by}) < 3:
        raise ArgumentError(f"y, x and by are three columns, not {y!r}, {x!r} and {by!r}")
    used = used_columns(frame, [y, x, by], "arguments")
    used = used[complete_rows(used)]
    for name in (y, x):
        if not pd.api.types.is_numeric_dtype(used[name].dtype):
            raise DataError(f"{name!r} is not numeric (dtype {used[name].dtype})")
    rows = pd.DataFrame(
        {"x": used[x].to_numpy(float), "y": used[y].to_numpy(float), "g": used[by].astype(str)}
    )
    means = rows.groupby("g")[["x", "y"]].mean()
    centred = rows[["x", "y"]].to_numpy() - means.loc[rows["g"].tolist()].to_numpy()
    within = _slope(centred[:, 0], centred[:, 1], f"{x!r} does not vary within any group of {by!r}")
    between = _slope(means["x"], means["y"], f"{x!r} does not vary between the groups of {by!r}")
    pooled = _slope(rows["x"], rows["y"], f"{x!r} does not vary")
    reach = rows.groupby("g")["x"].agg(["min", "max"])
    # Three rows a group: both reach of its line, and its means.
    x3 = np.column_stack([reach["min"], reach["max"], means["x"]])
    y3 = means[["y"]].to_numpy() + within * (x3 - means[["x"]].to_numpy())
    out = [
        pd.DataFrame(
            {
                "kind": np.tile(["within", "within", "mean"], len(means)),
                "grp": np.repeat(means.index.to_numpy(dtype=object), 3),
                "x": x3.ravel(),
                "y": y3.ravel(),
                "slope": np.tile([within, within, np.nan], len(means)),
            }
        )
    ]
    for kind, slope, source in (("between", between, means), ("pooled", pooled, rows)):
        ends = np.array([source["x"].min(), source["x"].max()])
        line = source["y"].mean() + slope * (ends - source["x"].mean())
        out.append(_piece(kind, POPULATION, ends, line, slope))
    return pd.concat(out, ignore_index=True)


def _slope(x: Any, y: Any, problem: str) -> float:
    a = np.asarray(x, dtype=float) - np.mean(x)
    size = float(a @ a)
    if size <= 1e-20 * max(1.0, float(np.sum(np.square(x)))) or len(a) < 2:
        raise DataError(problem)
    return float(a @ (np.asarray(y, dtype=float) - np.mean(y)) / size)


def _piece(kind: str, grp: str, x: Any, y: Any, slope: float) -> pd.DataFrame:
    return pd.DataFrame({"kind": kind, "grp": grp, "x": x, "y": y, "slope": slope})
