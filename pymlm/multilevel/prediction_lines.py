"""Data for plots: predictions over one to three predictors, with their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Level
from pymlm.arguments import strict, whole_number
from pymlm.errors import ArgumentError, DataError, NotSupportedError, near_names
from pymlm.models.glm import GeneralizedLinearModel
from pymlm.models.lm import LinearModel
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.columns import names
from pymlm.multilevel.lines import MAX_POINTS, _model_rows, _typical

#: A number with more values than this is a continuous predictor.
FEW_VALUES = 5


@strict
def prediction_lines(
    m: Any,
    variables: str | Sequence[str],
    at: Mapping[str, Any] | None = None,
    level: Level = 0.95,
    points: int = 25,
) -> pd.DataFrame:
    """Predict by the fixed part over a grid of one to three predictors, with limits.

    The other numeric predictors stand at their means over the rows used, other categories at their
    first level.

    Parameters
    ----------
    m : mixed or linear model
    variables : str or list of str
        One to three predictors. The first runs over its range (`points` values) or its levels; the
        others take their levels, or their mean and one standard deviation around it.
    at : dict of str to values, optional
        Values of any of `variables`, or one value of another predictor.
    level : float
        Of the limits: of the mean, random effects at zero.
    points : int
        Values of a continuous first predictor.

    Returns
    -------
    DataFrame
        The variables, fit, std_error, conf_low and conf_high, on the scale of the response. Without
        limits (NaN) where R has none, for a glm.

    Raises
    ------
    ArgumentError
        For no or more than three variables, or one that is no predictor of the model.
    DataError
        When a model from a file kept a column only transformed.
    NotSupportedError
        For a model whose predictions have no limits here (nlme's).

    Notes
    -----
    ``m.predict(grid, re_form="NA", interval="confidence")``; see `Predictions`.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> mlm.prediction_lines(m, "Days", at={"Days": [0, 9]}).round(1)
       Days    fit  std_error  conf_low  conf_high
    0   0.0  251.4        6.8     238.0      264.8
    1   9.0  345.6       14.6     316.9      374.3
    """
    if not isinstance(m, (MixedModel, LinearModel)):
        raise NotSupportedError(
            f"prediction_lines() needs a model of lme4, lm or glm, not a {type(m).__name__}"
        )
    wanted = names(variables, "variables")
    if len(wanted) > 3:
        raise ArgumentError(f"at most three variables (x, colour, panel), not {len(wanted)}")
    if whole_number(points, "points", 2) > MAX_POINTS:
        raise ArgumentError(f"points is a number per line, {MAX_POINTS} at most, not {points}")
    data, have = _model_rows(m)
    chosen = {str(k): np.atleast_1d(np.asarray(v)) for k, v in (at or {}).items()}
    for name in [*wanted, *chosen]:
        if name not in have:
            raise ArgumentError(
                f"{name!r} is no predictor of the model.{near_names(name, have)} It has: "
                + ", ".join(have)
            )
    fixed = {n: _typical(data[n]) for n in have if n not in wanted}
    for name, values in chosen.items():
        if name not in wanted:
            if len(values) != 1:
                raise ArgumentError(f"at: give one value of {name!r}, which is not drawn")
            fixed[name] = values[0]
    axes = [
        _checked(data[n], chosen[n]) if n in chosen else _values(data[n], points, i == 0)
        for i, n in enumerate(wanted)
    ]
    grid = pd.DataFrame(list(product(*axes)), columns=wanted).assign(**fixed)
    for name in have:
        if isinstance(data[name].dtype, pd.CategoricalDtype):
            grid[name] = grid[name].astype(data[name].dtype)
    out = grid[wanted].copy()
    for name, values in _limits(m, grid, level).items():
        out[name] = values
    return out


def _continuous(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
        column.dtype
    )


def _values(column: pd.Series, points: int, first: bool) -> list[Any]:
    kinds = column.dropna().unique()
    if _continuous(column):
        if first:
            return list(np.linspace(float(column.min()), float(column.max()), points))
        if len(kinds) <= FEW_VALUES:
            return sorted(float(k) for k in kinds)
        mean, sd = float(column.mean()), float(column.std())
        return [mean - sd, mean, mean + sd]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [c for c in column.cat.categories if c in set(kinds)]
    return sorted(kinds)


def _checked(column: pd.Series, values: Any) -> list[Any]:
    if _continuous(column):
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise ArgumentError(f"at: {column.name!r} takes finite numbers, not {values.tolist()}")
        return list(values.astype(float))
    known = set(column.dropna().unique())
    for value in values.tolist():
        if value not in known:
            raise DataError(
                f"at: {column.name!r} has no level {value!r}."
                + near_names(value, [str(k) for k in known])
            )
    return list(values.tolist())


def _limits(m: Any, grid: pd.DataFrame, level: float) -> dict[str, Any]:
    if isinstance(m, MixedModel):
        found = m.predict(grid, re_form="NA", interval="confidence", level=level).to_frame()
        return {name: found[name].to_numpy() for name in found.columns}
    nothing = np.full(len(grid), np.nan)
    if isinstance(m, GeneralizedLinearModel):
        fit = np.asarray(m.predict(grid))
        return {"fit": fit, "std_error": nothing, "conf_low": nothing, "conf_high": nothing}
    frame: Any = m.predict(grid, interval="confidence", level=level)
    return {
        "fit": frame["predicted"].to_numpy(),
        "std_error": nothing,
        "conf_low": frame["conf_low"].to_numpy(),
        "conf_high": frame["conf_high"].to_numpy(),
    }
